"""Speech Commands v2 (P. Warden, arXiv:1804.03209, CC BY 4.0), in the usual 12 classes."""

from __future__ import annotations

import zlib
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from ohmnas.datasets.tasks.data import Split, TaskData, task_data
from ohmnas.datasets.tasks.loaders.audio import Samples, centred, log_mel, read_wav
from ohmnas.datasets.tasks.loaders.files import Arrays, decoded, find_folder, visible
from ohmnas.datasets.tasks.task import Task
from ohmnas.errors import BrokenFileError, shown
from ohmnas.files import read_text

RATE = 16_000
BANDS, FRAMES, WINDOW = 40, 49, 640
WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
UNKNOWN, SILENCE = len(WORDS), len(WORDS) + 1
"""Classes after the ten words: all other words, and silence. Each has as many recordings as an average word."""
NOISE = "_background_noise_"
BLOCK = 1024
"""Number of recordings that are decoded at once."""
LARGEST_LIST = 16 << 20
"""Largest size in bytes of a list of recordings; the official lists have up to 0.4 million bytes."""

Recording = tuple[Path, int, int]
"""File, class, and for silence a random number that selects the second to use from the file; -1 for words."""


@lru_cache(maxsize=1)
def load_speech_commands(data_dir: Path | None = None) -> TaskData:
    """Load the authors' split, given by `validation_list.txt` and `testing_list.txt`: no speaker is in two parts.

    Raises:
        UnknownNameError: the files are missing.
        BrokenFileError: a file is invalid.
    """
    folder = find_folder(data_dir, "speech-commands", ("speech_commands_v0.02", "speech_commands"), "testing_list.txt")
    files = visible(file for word in visible(folder.glob("[!_]*")) for file in word.glob("*.wav"))
    noises = visible((folder / NOISE).glob("*.wav"))
    lists = {part: folder / f"{name}_list.txt" for part, name in (("validation", "validation"), ("test", "testing"))}
    parts = _split(files, {part: read_list(path, files) for part, path in lists.items()})
    chosen = {part: _chosen(part, members, noises) for part, members in parts.items()}

    def decode() -> Arrays:
        arrays: Arrays = {}
        for part, recordings in chosen.items():
            blocks = [recordings[i : i + BLOCK] for i in range(0, len(recordings), BLOCK)]
            arrays[f"{part}_images"] = np.concatenate([_features(block) for block in blocks])
            arrays[f"{part}_labels"] = np.array([label for _, label, _ in recordings])
        return arrays

    arrays = decoded("speech-commands", 1, [*files, *noises], decode, lists.values())
    splits = (Split(arrays[f"{part}_images"], arrays[f"{part}_labels"].astype(np.int64)) for part in parts)
    return task_data(*splits)


def read_list(path: Path, files: list[Path]) -> set[str]:
    """Read the names of recordings from a list: ``word/file.wav``, one per line.

    Byte order marks, backslashes and ``./`` are accepted. A line that names no existing recording is an error:
    otherwise, a recording with a misspelt name would stay in the training set.

    Args:
        path: the list.
        files: all recordings.

    Raises:
        BrokenFileError: the list cannot be read, or a recording that it names is missing.
    """
    there = {_name(file) for file in files}
    lines = [line.strip() for line in read_text(path, LARGEST_LIST).splitlines()]
    names = {line.replace("\\", "/").removeprefix("./") for line in lines if line}
    if missing := sorted(names - there):
        raise BrokenFileError(
            f"{path} names {len(missing)} recordings that are not in {path.parent}, such as {shown(missing[0])}"
        )
    return names


def _name(file: Path) -> str:
    return f"{file.parent.name}/{file.name}"


def _split(files: list[Path], listed: dict[str, set[str]]) -> dict[str, list[Path]]:
    """Return part -> recordings; recordings in neither list are for training."""
    if both := listed["validation"] & listed["test"]:
        raise BrokenFileError(
            f"{min(both)} is in both lists of speech-commands: a recording is either for validation or for testing"
        )
    parts: dict[str, list[Path]] = {"train": [], "validation": [], "test": []}
    for file in files:
        named = [part for part, names in listed.items() if _name(file) in names]
        parts[named[0] if named else "train"].append(file)
    return parts


def _chosen(part: str, files: list[Path], noises: list[Path]) -> list[Recording]:
    """Return all recordings of the ten words, and as many of other words and of silence as the average word has."""
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


SPEECH_COMMANDS: Final = Task(
    "speech-commands", (1, 40, 49), 12, 2_000, 500_000, 41_000_000, load_speech_commands, (2, 5)
)
"""Spoken words: ten commands, other words, and silence."""
