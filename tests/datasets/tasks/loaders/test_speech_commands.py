from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ohmnas.datasets.tasks.data import TaskData
from ohmnas.datasets.tasks.loaders.speech_commands import SILENCE, UNKNOWN, load_speech_commands
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
    for name in ("validation_list.txt", "testing_list.txt"):
        lines = (folder / name).read_text("utf-8").splitlines()
        kept = [line for line in lines if not line.startswith("stop/")]
        (folder / name).write_text("\n".join(kept), encoding="utf-8")
    with pytest.raises(BrokenFileError, match="the train part of speech-commands needs recordings of yes"):
        load_speech_commands(data_dir)
    (folder / "validation_list.txt").unlink()
    with pytest.raises(BrokenFileError, match=r"cannot read .*validation_list\.txt: there is no file"):
        load_speech_commands(data_dir)


def _parts(data: TaskData) -> list[list[int]]:
    return [np.bincount(split.labels, minlength=12).tolist() for split in (data.train, data.validation, data.test)]


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: b"\xef\xbb\xbf" + raw,
        lambda raw: raw.replace(b"/", b"\\"),
        lambda raw: raw.replace(b"\n", b"\r\n"),
        lambda raw: b"./" + raw[:-1].replace(b"\n", b"\n./"),
        lambda raw: raw.replace(b"\n", b"  \n\n"),
    ],
)
def test_lists_of_other_systems_make_the_same_split(change: Callable[[bytes], bytes], data_dir: Path) -> None:
    folder = write_speech_commands(data_dir)
    expected = _parts(load_speech_commands(data_dir))
    for name in ("validation_list.txt", "testing_list.txt"):
        (folder / name).write_bytes(change((folder / name).read_bytes()))
    load_speech_commands.cache_clear()
    assert _parts(load_speech_commands(data_dir)) == expected


@pytest.mark.parametrize(
    "line", ["yes/nobody_nohash_0.wav", "Yes/speaker0_nohash_0.wav", "speaker0_nohash_0.wav", "# x"]
)
def test_a_line_that_names_no_recording_is_named(line: str, data_dir: Path) -> None:
    folder = write_speech_commands(data_dir)
    path = folder / "testing_list.txt"
    path.write_text(path.read_text("utf-8") + line + "\n", encoding="utf-8")
    with pytest.raises(
        BrokenFileError, match=r"testing_list\.txt names 1 recordings that are not in .*, such as"
    ) as error:
        load_speech_commands(data_dir)
    assert repr(line) in str(error.value)


def test_a_recording_in_both_lists_is_named(data_dir: Path) -> None:
    folder = write_speech_commands(data_dir)
    lines = (folder / "testing_list.txt").read_text("utf-8")
    (folder / "validation_list.txt").write_text(lines, encoding="utf-8")
    with pytest.raises(BrokenFileError, match="is in both lists"):
        load_speech_commands(data_dir)


def test_a_list_in_another_encoding_is_refused(data_dir: Path) -> None:
    folder = write_speech_commands(data_dir)
    path = folder / "testing_list.txt"
    path.write_bytes(path.read_text("utf-8").encode("utf-16"))
    with pytest.raises(BrokenFileError, match="is not UTF-8"):
        load_speech_commands(data_dir)


def test_another_split_of_the_same_files_is_decoded_again(data_dir: Path) -> None:
    folder = write_speech_commands(data_dir)
    load_speech_commands(data_dir)
    load_speech_commands.cache_clear()
    path = folder / "testing_list.txt"
    kept = [line for line in path.read_text("utf-8").split() if line != "yes/speaker0_nohash_0.wav"]
    path.write_text("\n".join(kept), encoding="utf-8")
    train, validation, test = _parts(load_speech_commands(data_dir))
    assert (train[0], validation[0], test[0]) == (7, 3, 2)


def test_files_that_macos_adds_are_passed_over(data_dir: Path) -> None:
    folder = write_speech_commands(data_dir)
    for name in ("yes/._speaker0_nohash_0.wav", "_background_noise_/._white.wav"):
        (folder / name).write_bytes(b"resource fork")
    assert _parts(load_speech_commands(data_dir))[0] == [6] * 12
