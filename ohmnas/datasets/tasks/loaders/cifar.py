"""CIFAR-10 and CIFAR-100 (A. Krizhevsky, 2009), binary version: label bytes, then 3 x 32 x 32 pixels."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.datasets.tasks.data import Split, TaskData, task_data
from ohmnas.datasets.tasks.loaders.files import Arrays, decoded, find_folder
from ohmnas.datasets.tasks.task import Task
from ohmnas.errors import BrokenFileError, UnknownNameError
from ohmnas.files import read_bytes

PIXELS = 3 * 32 * 32
PEOPLE = 14
"""Coarse label of CIFAR-100's superclass "people"."""
CIFAR10_VALIDATION = 5000
PEOPLE_VALIDATION = 1000
LARGEST_FILE = 512 << 20
"""Largest size of a file in bytes; the official files have up to 31 million."""
PYTHON_VERSIONS = {"cifar-10-batches-bin": "cifar-10-batches-py", "cifar-100-binary": "cifar-100-python"}
"""Folder of the binary version -> folder of the Python version, whose files are pickles."""

Bytes = npt.NDArray[np.uint8]


def read_records(path: Path, label_classes: tuple[int, ...]) -> tuple[Bytes, Bytes]:
    """Read labels ``(m, l)`` and images ``(m, 3, 32, 32)`` from one binary file.

    Args:
        path: the file.
        label_classes: number of classes for each of the l label bytes of a record.

    Raises:
        BrokenFileError: the file cannot be read, is truncated, or has an invalid label.
    """
    raw = np.frombuffer(read_bytes(path, LARGEST_FILE), np.uint8)
    size = len(label_classes) + PIXELS
    if len(raw) == 0 or len(raw) % size:
        raise BrokenFileError(f"{path} has {len(raw):,} bytes, which is not a whole number of {size}-byte records")
    records = raw.reshape(-1, size)
    labels = records[:, : len(label_classes)]
    wrong = labels >= np.array(label_classes)
    if wrong.any():
        record, column = (int(place) for place in np.argwhere(wrong)[0])
        raise BrokenFileError(f"{path}, record {record + 1}: label {labels[record, column]} does not exist")
    return labels, records[:, len(label_classes) :].reshape(-1, 3, 32, 32)


@lru_cache(maxsize=1)
def load_cifar10(data_dir: Path | None = None) -> TaskData:
    """Load CIFAR-10. 5,000 images of the available training batches are for validation, all others for training.

    With five batches, the validation images are the last thousand of each. With fewer batches, each gives its last
    images, and the batches share the 5,000 as evenly as possible.

    Raises:
        UnknownNameError: the files are missing.
        BrokenFileError: a file is invalid.
    """
    folder = _folder(data_dir, "cifar10", "cifar-10-batches-bin", "data_batch_1.bin")
    batches = sorted(folder.glob("data_batch_[1-5].bin"))
    test = folder / "test_batch.bin"

    def decode() -> Arrays:
        parts = [read_records(path, (10,)) for path in (*batches, test)]
        share, more = divmod(CIFAR10_VALIDATION, len(batches))
        training_counts = [len(part[0]) - share - (index < more) for index, part in enumerate(parts[:-1])]
        if min(training_counts) < 1:
            raise BrokenFileError(f"the batches in {folder} are too small: they leave nothing to train on")
        kept = [(labels[:n], images[:n]) for (labels, images), n in zip(parts, training_counts, strict=False)]
        rest = [(labels[n:], images[n:]) for (labels, images), n in zip(parts, training_counts, strict=False)]
        return _arrays(train=_mixed(_joined(kept)), validation=_mixed(_joined(rest)), test=parts[-1])

    return _data(decoded("cifar10", 1, (*batches, test), decode))


@lru_cache(maxsize=1)
def load_people(data_dir: Path | None = None) -> TaskData:
    """Load images with or without a person from CIFAR-100.

    The task has all images of the superclass "people" and the same number of other images, chosen with a fixed seed.
    1,000 of the training images are for validation.

    Raises:
        UnknownNameError: the files are missing.
        BrokenFileError: a file is invalid.
    """
    folder = _folder(data_dir, "people", "cifar-100-binary", "train.bin")
    train, test = folder / "train.bin", folder / "test.bin"

    def decode() -> Arrays:
        labels, images = _mixed(_balanced(train))
        n = len(labels) - PEOPLE_VALIDATION
        if n < 1:
            raise BrokenFileError(f"{train} is too small: it leaves nothing to train on")
        return _arrays(train=(labels[:n], images[:n]), validation=(labels[n:], images[n:]), test=_balanced(test))

    return _data(decoded("people", 1, (train, test), decode))


def _folder(data_dir: Path | None, task: str, name: str, marker: str) -> Path:
    """Return the folder of the binary version.

    Raises:
        UnknownNameError: the folder is missing; the message names the folder of the Python version, if there is one.
    """
    try:
        return find_folder(data_dir, task, (name,), marker)
    except UnknownNameError as error:
        try:
            other = find_folder(data_dir, task, (PYTHON_VERSIONS[name],), marker.removesuffix(".bin"))
        except UnknownNameError:
            raise error from None
        raise UnknownNameError(
            f"{other} has the Python version of the images; {task} needs the binary version, {name}: see "
            f"ohmnas data {task}"
        ) from error


def _balanced(path: Path) -> tuple[Bytes, Bytes]:
    labels, images = read_records(path, (20, 100))
    is_person = labels[:, 0] == PEOPLE
    people, others = np.flatnonzero(is_person), np.flatnonzero(~is_person)
    if not len(people) or len(others) < len(people):
        raise BrokenFileError(
            f"{path} has {len(people)} images of people and {len(others)} others; it needs at least one image of a "
            "person, and at least as many others"
        )
    others = np.random.default_rng(100).permutation(others)[: len(people)]
    chosen = np.sort(np.concatenate([people, others]))
    return is_person[chosen, None].astype(np.uint8), images[chosen]


def _mixed(part: tuple[Bytes, Bytes]) -> tuple[Bytes, Bytes]:
    """Shuffle with a fixed seed, so the first n images are a random sample."""
    order = np.random.default_rng(32).permutation(len(part[0]))
    return part[0][order], part[1][order]


def _joined(parts: list[tuple[Bytes, Bytes]]) -> tuple[Bytes, Bytes]:
    return np.concatenate([labels for labels, _ in parts]), np.concatenate([images for _, images in parts])


def _arrays(**parts: tuple[Bytes, Bytes]) -> Arrays:
    """Convert to arrays in which the channels of a pixel are adjacent in memory, as networks read them."""
    arrays: Arrays = {}
    for name, (labels, images) in parts.items():
        arrays[f"{name}_labels"] = labels[:, 0].astype(np.int64)
        arrays[f"{name}_images"] = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
    return arrays


def _data(arrays: Arrays) -> TaskData:
    splits = (
        Split(arrays[f"{name}_images"].transpose(0, 3, 1, 2), arrays[f"{name}_labels"].astype(np.int64))
        for name in ("train", "validation", "test")
    )
    return task_data(*splits)


CIFAR10: Final = Task("cifar10", (3, 32, 32), 10, 2_000, 1_000_000, 41_000_000, load_cifar10, (2, 2), True, 0.1)
"""Photographs in ten classes. The limit of 41 million MACs is the cost of a ResNet-20."""
IS_PERSON: Final = Task("people", (3, 32, 32), 2, 2_000, 1_000_000, 41_000_000, load_people, (2, 2), flip=True)
"""Photographs with or without a person, from CIFAR-100."""
