"""Load a task from your own images: a NumPy archive with `x_train`, `y_train`, `x_test` and `y_test`."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ohmnas.datasets.tasks.data import Split, TaskData, task_data
from ohmnas.errors import BrokenFileError
from ohmnas.files import regular
from ohmnas.npz import LARGEST, read_arrays

NAMES = ("x_train", "y_train", "x_test", "y_test")
VALIDATION_DIVISOR = 5
"""One in this many training images of each class is used for validation."""
LARGEST_LABEL = 2**31 - 1
BRIGHTEST = 1e9
"""Largest magnitude of a pixel. This limit keeps sums of squared pixels within float32."""
SAMPLE = 2000
"""Largest number of images used to estimate the scale of a split."""
SAME_KIND, OTHER_KIND = 8.0, 2.0
"""Largest ratio between the standard deviations of test and training pixels. `SAME_KIND` applies if both or neither
have integer types, else `OTHER_KIND`. These limits leave room for test images that are darker or have less contrast.
Scales of 0 to 255 and 0 to 1 differ by a factor of 255."""
BELOW_ZERO = 0.1
"""If one split has no negative pixels, those of the other may go down to minus this share of the first's largest
pixel."""

Array = npt.NDArray[np.generic]
Labels = npt.NDArray[np.int64]


def load_npz(path: str | Path) -> TaskData:
    """Read images ``(m, h, w)``, ``(m, h, w, c)`` or ``(m, c, h, w)``, with c from 1 to 4, and labels ``(m,)``.

    Channels are on the last axis if it has at most 4 entries and the second axis has more. The classes are the labels
    that occur in `y_train`, in increasing order. A fifth of the training images of each class, chosen with a fixed
    seed, is used for validation. The test images are shuffled. Images of type uint8, float16 or float32 keep their
    type. All other types become float32. The last file is cached.

    Raises:
        BrokenFileError: the file cannot be read or is invalid; the message states the fault.
    """
    path = Path(path)
    status = regular(path, LARGEST)
    stamp = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_dev, status.st_ino)
    return _load(path, stamp)


@lru_cache(maxsize=1)
def _load(path: Path, stamp: tuple[int, ...]) -> TaskData:
    del stamp  # part of the cache key: a changed file is read again
    arrays = read_arrays(path, NAMES)
    shapes = {part: arrays[f"x_{part}"].shape[1:] for part in ("train", "test")}
    if shapes["train"] != shapes["test"]:
        raise BrokenFileError(f"{path}: x_train has images of shape {shapes['train']}, x_test of {shapes['test']}")
    images = {part: _images(path, f"x_{part}", arrays[f"x_{part}"]) for part in ("train", "test")}
    labels = {part: _labels(path, f"y_{part}", arrays[f"y_{part}"], len(images[part])) for part in ("train", "test")}
    _check_scale(path, arrays["x_train"], arrays["x_test"])
    classes, train_labels = np.unique(labels["train"], return_inverse=True)
    _check_classes(path, classes, labels)
    images_of, labels_of = images["train"], train_labels.astype(np.int64)
    train, validation = (Split(images_of[part], labels_of[part]) for part in _parts(labels_of))
    mixed = np.random.default_rng(1).permutation(len(labels["test"]))
    test_labels = np.searchsorted(classes, labels["test"]).astype(np.int64)
    return task_data(train, validation, Split(images["test"][mixed], test_labels[mixed]))


def _images(path: Path, name: str, array: Array) -> Array:
    """``(m, c, h, w)`` of uint8, float16 or float32."""
    if array.dtype.kind not in "uif" or array.ndim not in (3, 4):
        raise BrokenFileError(
            f"{path}: {name} has shape {array.shape} and type {array.dtype}; images must be numbers of shape "
            "(m, h, w), (m, h, w, c) or (m, c, h, w)"
        )
    if 0 in array.shape:
        raise BrokenFileError(f"{path}: {name} has shape {array.shape}, which holds no pixels")
    if array.ndim == 3:
        array = array[:, None]
    elif array.shape[3] <= 4 < array.shape[1]:
        array = array.transpose(0, 3, 1, 2)
    elif array.shape[1] > 4:
        raise BrokenFileError(f"{path}: {name} has shape {array.shape}; axis 1 or 3 must hold 1 to 4 channels")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise BrokenFileError(f"{path}: {name} has pixels that are NaN or infinite")
    low, high = _range(array)
    if max(-low, high) > BRIGHTEST:
        raise BrokenFileError(
            f"{path}: {name} has pixels from {low:.4g} to {high:.4g}; they must be between -{BRIGHTEST:g} and "
            f"{BRIGHTEST:g}: scale them, for example to the range from 0 to 1"
        )
    return array if array.dtype in (np.uint8, np.float16, np.float32) else array.astype(np.float32)


def _labels(path: Path, name: str, array: Array, count: int) -> Labels:
    flat = array.reshape(-1) if array.ndim == 2 and 1 in array.shape else array
    if flat.ndim != 1 or flat.dtype.kind not in "ui":
        raise BrokenFileError(
            f"{path}: {name} has shape {array.shape} and type {array.dtype}; labels must be one whole number per image"
        )
    if len(flat) != count:
        raise BrokenFileError(f"{path}: {name} has {len(flat)} labels for {count} images of x_{name[2:]}")
    low, high = int(flat.min()), int(flat.max())
    if low < 0 or high > LARGEST_LABEL:
        raise BrokenFileError(
            f"{path}: {name} has the label {low if low < 0 else high}; labels are whole numbers from 0 to "
            f"{LARGEST_LABEL}"
        )
    return flat.astype(np.int64)


def _check_classes(path: Path, classes: Labels, labels: dict[str, Labels]) -> None:
    if len(classes) < 2:
        raise BrokenFileError(f"{path}: y_train has only the label {classes[0]}; a task needs at least two classes")
    count = len(labels["train"])
    if len(classes) * 2 > count:
        raise BrokenFileError(
            f"{path}: y_train has {len(classes)} different labels for {count} images; a class needs at least two "
            "images on average"
        )
    unknown = np.setdiff1d(labels["test"], classes)
    if len(unknown):
        raise BrokenFileError(f"{path}: y_test has the label {unknown[0]}, which is not in y_train")


def _check_scale(path: Path, train: Array, test: Array) -> None:
    """Check that both splits have the same scale, because the training images' statistics normalise both.

    Raises:
        BrokenFileError: the training images are constant, or the test images have a different scale.
    """
    deviation, other = _deviation(train), _deviation(test)
    if not deviation > 0:
        raise BrokenFileError(f"{path}: all pixels of x_train are {train.flat[0]}")
    (low, high), (test_low, test_high) = _range(train), _range(test)
    limit = SAME_KIND if (train.dtype.kind == "f") == (test.dtype.kind == "f") else OTHER_KIND
    same = deviation <= limit * other and other <= limit * deviation
    negative = min(low, test_low) < -BELOW_ZERO * (test_high if low < 0 else high) and max(low, test_low) >= 0
    apart = test_low > high + (high - low) or test_high < low - (high - low)
    if not same or negative or apart:
        raise BrokenFileError(
            f"{path}: x_train has pixels from {low:.4g} to {high:.4g}, x_test from {test_low:.4g} to {test_high:.4g}; "
            "both must use the same scale"
        )


def _range(array: Array) -> tuple[float, float]:
    return float(array.min()), float(array.max())


def _deviation(array: Array) -> float:
    """Standard deviation of the pixels in up to `SAMPLE` evenly spaced images. If it is 0, use all images."""
    some = float(array[:: -(-len(array) // SAMPLE)].std(dtype=np.float64))
    return some or float(array.std(dtype=np.float64))


def _parts(labels: Labels) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Indices of the training images and of the validation images, each in a fixed random order.

    About a fifth of each class is used for validation. A class of two or more images has at least one in each part. The
    image of a class of one is used for training.
    """
    order = np.random.default_rng(0).permutation(len(labels))
    by_class = order[np.argsort(labels[order], kind="stable")]
    held = np.zeros(len(labels), bool)
    for members in np.split(by_class, np.cumsum(np.bincount(labels))[:-1]):
        count = max(round(len(members) / VALIDATION_DIVISOR), 1) if len(members) > 1 else 0
        held[members[:count]] = True
    return order[~held[order]], order[held[order]]
