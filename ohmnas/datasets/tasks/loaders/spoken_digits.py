"""The Free Spoken Digit Dataset (Z. Jackson et al., CC BY-SA 4.0): ten digits, several speakers, 8 kHz WAV files."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from ohmnas.datasets.tasks.data import Split, TaskData, task_data
from ohmnas.datasets.tasks.loaders.audio import centred, log_mel, read_wav
from ohmnas.datasets.tasks.loaders.files import Arrays, decoded, find_folder, visible
from ohmnas.datasets.tasks.task import Task
from ohmnas.errors import BrokenFileError

RATE = 8000
BANDS, FRAMES, WINDOW = 16, 32, 512
TEST_INDICES = 5
"""Recordings 0 to 4 of each digit and speaker are the authors' test set; 5 to 9 are the validation set here."""

_NAME = re.compile(r"([0-9])_([A-Za-z]+)_([0-9]{1,9})\.wav")


@lru_cache(maxsize=1)
def load_spoken_digits(data_dir: Path | None = None) -> TaskData:
    """Load the authors' split: all parts have the same speakers, but different recordings.

    Raises:
        UnknownNameError: the files are missing.
        BrokenFileError: a file is invalid.
    """
    arrays = _features(data_dir)
    part = np.minimum(arrays["index"].astype(np.int64) // TEST_INDICES, 2)
    return _split(arrays, test=part == 0, validation=part == 1)


@lru_cache(maxsize=1)
def load_new_speakers(data_dir: Path | None = None) -> TaskData:
    """Load a split by speaker: the last speaker by name is the test set, and the one before is the validation set.

    Raises:
        UnknownNameError: the files are missing.
        BrokenFileError: a file is invalid, or there are fewer than three speakers.
    """
    arrays = _features(data_dir)
    speaker = arrays["speaker"].astype(np.int64)
    last = int(speaker.max())
    if last < 2:
        raise BrokenFileError(f"the recordings have {last + 1} speakers, but a split by speaker needs at least 3")
    return _split(arrays, test=speaker == last, validation=speaker == last - 1)


def _split(arrays: Arrays, test: np.ndarray, validation: np.ndarray) -> TaskData:
    order = np.random.default_rng(8000).permutation(len(test))
    masks = (~(test | validation), validation, test)
    if not all(mask.any() for mask in masks):
        raise BrokenFileError("the recordings leave the training, validation or test set of spoken-digits empty")
    chosen = [order[mask[order]] for mask in masks]
    return task_data(*(Split(arrays["images"][part], arrays["digit"][part].astype(np.int64)) for part in chosen))


def _features(data_dir: Path | None) -> Arrays:
    names = ("free-spoken-digit-dataset", "free-spoken-digit-dataset-master")
    folder = find_folder(data_dir, "spoken-digits", names, "recordings") / "recordings"
    files = visible(folder.glob("*.wav"))
    if not files:
        raise BrokenFileError(f"{folder} has no WAV files")
    parts = [_NAME.fullmatch(file.name) for file in files]
    for file, found in zip(files, parts, strict=True):
        if found is None:
            raise BrokenFileError(f"{file} is not named digit_speaker_index.wav")
    words = [found.groups() for found in parts if found is not None]
    speakers = sorted({speaker for _, speaker, _ in words})

    def decode() -> Arrays:
        samples = np.stack([centred(read_wav(file, RATE), RATE) for file in files])
        return {
            "images": log_mel(samples, RATE, BANDS, FRAMES, WINDOW),
            "digit": np.array([int(digit) for digit, _, _ in words]),
            "speaker": np.array([speakers.index(speaker) for _, speaker, _ in words]),
            "index": np.array([int(index) for _, _, index in words]),
        }

    return decoded("spoken-digits", 1, files, decode)


SPOKEN_DIGITS: Final = Task("spoken-digits", (1, 16, 32), 10, 1_000, 200_000, 8_000_000, load_spoken_digits, (1, 3))
"""Spoken digits; all speakers are in all splits."""
NEW_SPEAKERS: Final = Task(
    "spoken-digits-new-speakers", (1, 16, 32), 10, 1_000, 200_000, 8_000_000, load_new_speakers, (1, 3)
)
"""Spoken digits; test speakers are in no other split."""
