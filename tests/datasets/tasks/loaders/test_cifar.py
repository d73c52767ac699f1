from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ohmnas.datasets.tasks.data import TaskData
from ohmnas.datasets.tasks.loaders.cifar import load_cifar10, load_people, read_records
from ohmnas.errors import BrokenFileError, UnknownNameError

from .conftest import write_cifar10, write_cifar100


@pytest.mark.parametrize("batches", [1, 2, 3])
def test_cifar10_is_split_completely_for_any_batches(batches: int, data_dir: Path) -> None:
    records = 9000 // batches
    write_cifar10(data_dir, batches, records)
    data = load_cifar10(data_dir)
    assert [len(s.labels) for s in (data.train, data.validation, data.test)] == [4000, 5000, records]
    for split in (data.train, data.validation, data.test):
        assert split.images.dtype == np.uint8
        assert np.array_equal(split.images[:, 0, 0, 0], split.labels)  # each image kept its label
        assert set(split.labels) == set(range(10))


def test_people_are_balanced_with_others(data_dir: Path) -> None:
    write_cifar100(data_dir)
    data = load_people(data_dir)
    assert [len(s.labels) for s in (data.train, data.validation, data.test)] == [200, 1000, 1200]
    together = np.concatenate([data.train.labels, data.validation.labels])
    assert together.mean() == data.test.labels.mean() == 0.5
    assert ((data.train.images[:, 0, 0, 0] == 14) == data.train.labels).all()


def test_pixels_are_in_the_order_of_the_official_format(tmp_path: Path) -> None:
    record = np.concatenate([[7], np.full(1024, 1), np.full(1024, 2), np.arange(1024) % 256]).astype(np.uint8)
    record.tofile(tmp_path / "one.bin")
    labels, images = read_records(tmp_path / "one.bin", (10,))
    assert labels.tolist() == [[7]]
    assert (images[0, 0] == 1).all()
    assert (images[0, 1] == 2).all()
    assert images[0, 2, 3, 5] == (3 * 32 + 5) % 256  # blue, row by row


def test_the_message_names_the_label_that_does_not_exist(tmp_path: Path) -> None:
    np.concatenate([[25, 60], np.zeros(3072)]).astype(np.uint8).tofile(tmp_path / "one.bin")
    with pytest.raises(BrokenFileError, match="record 1: label 25 does not exist"):
        read_records(tmp_path / "one.bin", (20, 100))


def test_a_second_process_maps_what_the_first_decoded(data_dir: Path, tmp_path: Path) -> None:
    write_cifar10(data_dir)
    first = load_cifar10(data_dir)
    assert len(list((tmp_path / "cache").glob("cifar10-*/*.npy"))) == 6
    (data_dir / "cifar-10-batches-bin" / "data_batch_1.bin").touch()  # not even read, if only its age is the same
    load_cifar10.cache_clear()
    assert np.array_equal(load_cifar10(data_dir).train.images, first.train.images)


def test_without_a_writable_cache_each_process_decodes(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_cifar10(data_dir)
    monkeypatch.setenv("OHMNAS_CACHE", "/dev/null/nowhere")
    assert len(load_cifar10(data_dir).train.labels) == 1000


def test_missing_files_are_named_with_what_to_do(data_dir: Path) -> None:
    with pytest.raises(UnknownNameError, match="--data-dir"):
        load_cifar10(data_dir)
    folder = write_cifar10(data_dir)
    (folder / "test_batch.bin").unlink()
    with pytest.raises(BrokenFileError, match=r"cannot read .*test_batch\.bin: there is no file"):
        load_cifar10(data_dir)


def test_broken_files_are_named(data_dir: Path) -> None:
    folder = write_cifar10(data_dir)
    path = folder / "data_batch_2.bin"
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(BrokenFileError, match=r"data_batch_2\.bin has 9,218,999 bytes"):
        load_cifar10(data_dir)
    path.write_bytes(b"\x0b" + whole[1:])
    with pytest.raises(BrokenFileError, match="record 1: label 11"):
        load_cifar10(data_dir)
    path.write_bytes(whole[: 3073 * 10])
    with pytest.raises(BrokenFileError, match="too small"):
        load_cifar10(data_dir)
    path.write_bytes(b"")
    with pytest.raises(BrokenFileError, match="0 bytes"):
        load_cifar10(data_dir)


def test_people_need_others(data_dir: Path) -> None:
    write_cifar100(data_dir, people=600, others=500)
    with pytest.raises(BrokenFileError, match="600 images of people and 500 others"):
        load_people(data_dir)


@pytest.mark.parametrize(
    ("name", "file", "load", "needs"),
    [
        ("cifar-10-batches-py", "data_batch_1", load_cifar10, "cifar10 needs the binary version, cifar-10-batches-bin"),
        ("cifar-100-python", "train", load_people, "people needs the binary version, cifar-100-binary"),
    ],
)
def test_the_python_version_is_recognised(
    name: str, file: str, load: Callable[[Path], TaskData], needs: str, data_dir: Path
) -> None:
    (data_dir / name).mkdir()
    (data_dir / name / file).write_bytes(b"pickled")
    for folder in (data_dir, data_dir / name):
        with pytest.raises(UnknownNameError, match=f"{name} has the Python version of the images; {needs}"):
            load(folder)


def test_links_to_nothing_and_giants_are_named_before_they_are_read(data_dir: Path) -> None:
    folder = write_cifar10(data_dir)
    (folder / "data_batch_2.bin").unlink()
    (folder / "data_batch_2.bin").symlink_to("nowhere")
    with pytest.raises(BrokenFileError, match=r"data_batch_2\.bin: it is a link to a missing file"):
        load_cifar10(data_dir)
    (folder / "data_batch_2.bin").unlink()
    (folder / "data_batch_2.bin").touch()
    os.truncate(folder / "data_batch_2.bin", 3073 * 10**8)
    with pytest.raises(BrokenFileError, match="has 307,300,000,000 bytes; the limit is"):
        load_cifar10(data_dir)
