from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ohmnas.datasets.tasks.loaders.spoken_digits import load_new_speakers, load_spoken_digits
from ohmnas.errors import BrokenFileError

from .conftest import tone, write_spoken_digits, write_wav


def test_the_official_split_is_by_index(data_dir: Path) -> None:
    write_spoken_digits(data_dir)
    data = load_spoken_digits(data_dir)
    assert [len(s.labels) for s in (data.train, data.validation, data.test)] == [30, 150, 150]
    for split in (data.train, data.validation, data.test):
        assert split.images.shape[1:] == (1, 16, 32)
        assert np.bincount(split.labels).tolist() == [len(split.labels) // 10] * 10


def test_the_other_split_keeps_speakers_apart(data_dir: Path) -> None:
    write_spoken_digits(data_dir)
    data = load_new_speakers(data_dir)
    assert [len(s.labels) for s in (data.train, data.validation, data.test)] == [110, 110, 110]


def test_two_speakers_cannot_be_split_in_three(data_dir: Path) -> None:
    write_spoken_digits(data_dir, speakers=("anna", "bert"))
    with pytest.raises(BrokenFileError, match="have 2 speakers"):
        load_new_speakers(data_dir)


def test_an_index_too_large_for_a_number_is_refused(data_dir: Path) -> None:
    folder = write_spoken_digits(data_dir)
    write_wav(folder / f"3_anna_{10**22}.wav", tone(100, 0.1, 8000), 8000)
    with pytest.raises(BrokenFileError, match="is not named digit_speaker_index"):
        load_new_speakers(data_dir)


def test_unexpected_recordings_are_named(data_dir: Path) -> None:
    folder = write_spoken_digits(data_dir)
    write_wav(folder / "ten_anna_0.wav", tone(100, 0.1, 8000), 8000)
    with pytest.raises(BrokenFileError, match=r"ten_anna_0\.wav is not named"):
        load_spoken_digits(data_dir)
    (folder / "ten_anna_0.wav").unlink()
    (folder / "3_bert_7.wav").write_bytes(b"")
    with pytest.raises(BrokenFileError, match=r"3_bert_7\.wav is not a WAV file"):
        load_spoken_digits(data_dir)


def test_too_few_recordings_leave_a_part_empty(data_dir: Path) -> None:
    write_spoken_digits(data_dir, each=9)
    with pytest.raises(BrokenFileError, match="empty"):
        load_spoken_digits(data_dir)


def test_files_that_macos_adds_are_passed_over(data_dir: Path) -> None:
    folder = write_spoken_digits(data_dir)
    (folder / "._3_bert_7.wav").write_bytes(b"resource fork")
    assert len(load_spoken_digits(data_dir).train.labels) == 30
