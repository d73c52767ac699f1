from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ohmnas.datasets.loaders.speech_commands import SILENCE, UNKNOWN, load_speech_commands
from ohmnas.errors import BrokenFileError

from .conftest import write_speech_commands


def test_the_lists_split_the_recordings_and_two_classes_are_added(data_dir: Path) -> None:
    write_speech_commands(data_dir)
    data = load_speech_commands(data_dir)
    counts = [np.bincount(split.labels, minlength=12).tolist() for split in (data.train, data.validation, data.test)]
    assert counts == [[6] * 12, [3] * 12, [3] * 12]
    assert data.train.images.shape[1:] == (1, 40, 49)
    assert {UNKNOWN, SILENCE} == {10, 11}


def test_each_word_keeps_its_label(data_dir: Path) -> None:
    write_speech_commands(data_dir)
    test = load_speech_commands(data_dir).test
    loudest = test.images[:, 0, :, 24].argmax(axis=1)  # tones of the words rise with their place: bands fall
    means = [loudest[test.labels == label].mean() for label in range(10)]
    assert means == sorted(means, reverse=True)


def test_a_missing_list_or_word_is_named(data_dir: Path) -> None:
    folder = write_speech_commands(data_dir)
    for path in (folder / "stop").iterdir():
        path.unlink()
    with pytest.raises(BrokenFileError, match="the train part of speech-commands needs recordings of yes"):
        load_speech_commands(data_dir)
    (folder / "validation_list.txt").unlink()
    with pytest.raises(BrokenFileError, match=r"validation_list\.txt cannot be read"):
        load_speech_commands(data_dir)
