"""Speech Commands v2 (P. Warden, arXiv:1804.03209, CC BY 4.0): its folder layout, in the usual 12 classes."""

from __future__ import annotations

import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np

from ohmnas.datasets.data import Split, TaskData, task_data
from ohmnas.datasets.loaders.audio import Samples, centred, log_mel, read_wav
from ohmnas.datasets.loaders.files import Arrays, decoded, find_folder
from ohmnas.errors import BrokenFileError

RATE = 16_000
BANDS, FRAMES, WINDOW = 40, 49, 640
WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
UNKNOWN, SILENCE = len(WORDS), len(WORDS) + 1
"""Classes after the ten words: any other word, and background noise; each as many as a word has on average."""
NOISE = "_background_noise_"
BLOCK = 1024
"""Recordings that are decoded at once."""

Recording = tuple[Path, int, int]
"""File, class, and for silence where in the file it begins, else -1."""


@lru_cache(maxsize=1)
def load_speech_commands(data_dir: Path | None = None) -> TaskData:
    """The authors' split by `validation_list.txt` and `testing_list.txt`, which keeps speakers apart.

    Raises:
        UnknownNameError: the files are not there.
        BrokenFileError: a file is not what it should be.
    """
    folder = find_folder(data_dir, "speech-commands", ("speech_commands_v0.02", "speech_commands"), "testing_list.txt")
    listed = {name: _listed(folder / f"{name}_list.txt") for name in ("validation", "testing")}
    files = sorted(path for path in folder.glob("[!_]*/*.wav"))
    noises = sorted((folder / NOISE).glob("*.wav"))
    parts: dict[str, list[Path]] = {"train": [], "validation": [], "test": []}
    for file in files:
        name = f"{file.parent.name}/{file.name}"
        part = "validation" if name in listed["validation"] else "test" if name in listed["testing"] else "train"
        parts[part].append(file)
    chosen = {part: _chosen(part, members, noises) for part, members in parts.items()}

    def decode() -> Arrays:
        arrays: Arrays = {}
        for part, recordings in chosen.items():
            blocks = [recordings[i : i + BLOCK] for i in range(0, len(recordings), BLOCK)]
            arrays[f"{part}_images"] = np.concatenate([_features(block) for block in blocks])
            arrays[f"{part}_labels"] = np.array([label for _, label, _ in recordings])
        return arrays

    arrays = decoded("speech-commands", 1, [*files, *noises], decode)
    splits = (Split(arrays[f"{part}_images"], arrays[f"{part}_labels"].astype(np.int64)) for part in parts)
    return task_data(*splits)


def _listed(path: Path) -> set[str]:
    try:
        return set(path.read_text(encoding="utf-8").split())
    except (OSError, UnicodeDecodeError) as error:
        raise BrokenFileError(f"{path} cannot be read: {error}") from error


def _chosen(part: str, files: list[Path], noises: list[Path]) -> list[Recording]:
    """All recordings of the ten words, and as many of other words and of noise as a word has on average."""
    known = [(file, WORDS.index(file.parent.name), -1) for file in files if file.parent.name in WORDS]
    others = [file for file in files if file.parent.name not in WORDS]
    if {label for _, label, _ in known} != set(range(len(WORDS))) or not others or not noises:
        raise BrokenFileError(
            f"the {part} part of speech-commands needs recordings of {', '.join(WORDS)}, of any other word, and {NOISE}"
        )
    rng = np.random.default_rng(zlib.crc32(part.encode()))
    count = max(len(known) // len(WORDS), 1)
    unknown = [(others[i], UNKNOWN, -1) for i in rng.permutation(len(others))[:count]]
    silent = [
        (noises[i], SILENCE, int(start))
        for i, start in zip(rng.integers(len(noises), size=count), rng.integers(2**31, size=count), strict=True)
    ]
    together = [*known, *unknown, *silent]
    return [together[i] for i in rng.permutation(len(together))]


def _features(recordings: list[Recording]) -> np.ndarray:
    return log_mel(np.stack([_one_second(*recording) for recording in recordings]), RATE, BANDS, FRAMES, WINDOW)


def _one_second(file: Path, label: int, start: int) -> Samples:
    samples = read_wav(file, RATE)
    if label == SILENCE and len(samples) > RATE:
        begin = start % (len(samples) - RATE)
        return samples[begin : begin + RATE]
    return centred(samples, RATE)
