"""Any images in a NumPy archive: `x_train`, `y_train`, `x_test`, `y_test`."""

from __future__ import annotations

import zipfile
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ohmnas.datasets.data import Split, TaskData, task_data
from ohmnas.errors import BrokenFileError

NAMES = ("x_train", "y_train", "x_test", "y_test")
VALIDATION_SHARE = 5
"""One in so many of the training images is for validation."""


@lru_cache(maxsize=1)
def load_npz(path: Path) -> TaskData:
    """Images ``(m, h, w)``, ``(m, h, w, c)`` or ``(m, c, h, w)`` with c of 1 to 4, and labels ``(m,)`` from 0 on.

    A fifth of the training images, drawn once for all, is for validation; test images are mixed. Images of uint8,
    float16 and float32 stay what they are; others become float32.

    Raises:
        BrokenFileError: the file is not such an archive; the message says what is wrong.
    """
    arrays = _read(path)
    images = {part: _images(path, f"x_{part}", arrays[f"x_{part}"]) for part in ("train", "test")}
    labels = {part: _labels(path, f"y_{part}", arrays[f"y_{part}"], len(images[part])) for part in ("train", "test")}
    if images["train"].shape[1:] != images["test"].shape[1:]:
        raise BrokenFileError(
            f"{path}: x_train has images of {images['train'].shape[1:]}, x_test of {images['test'].shape[1:]}"
        )
    if len(images["train"]) < VALIDATION_SHARE:
        raise BrokenFileError(f"{path}: x_train needs {VALIDATION_SHARE} images or more")
    classes = int(labels["train"].max()) + 1
    if classes < 2 or labels["test"].max() >= classes:
        raise BrokenFileError(f"{path}: y_train needs two classes or more, and all that y_test has")
    if labels["train"].min() > 0:
        raise BrokenFileError(
            f"{path}: labels of y_train begin with {labels['train'].min()}; they are numbers from 0 on"
        )
    order = np.random.default_rng(0).permutation(len(labels["train"]))
    held = len(order) // VALIDATION_SHARE
    train, validation = (Split(images["train"][p], labels["train"][p]) for p in (order[held:], order[:held]))
    mixed = np.random.default_rng(1).permutation(len(labels["test"]))
    return task_data(train, validation, Split(images["test"][mixed], labels["test"][mixed]))


def _read(path: Path) -> dict[str, npt.NDArray[np.generic]]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            missing = [name for name in NAMES if name not in archive.files]
            if missing:
                raise BrokenFileError(f"{path} lacks the array {missing[0]!r}; it needs {', '.join(NAMES)}")
            return {name: archive[name] for name in NAMES}
    except FileNotFoundError as error:
        raise BrokenFileError(f"there is no file {path}") from error
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise BrokenFileError(f"{path} is not a NumPy archive of plain arrays: {error}") from error


def _images(path: Path, name: str, array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    if array.dtype.kind not in "uif" or array.ndim not in (3, 4) or 0 in array.shape:
        raise BrokenFileError(f"{path}: {name} has shape {array.shape} of {array.dtype}, which are not images")
    if array.ndim == 3:
        array = array[:, None]
    elif array.shape[3] <= 4 < array.shape[1]:
        array = array.transpose(0, 3, 1, 2)
    elif array.shape[1] > 4:
        raise BrokenFileError(f"{path}: {name} has shape {array.shape}; images have 1 to 4 channels, first or last")
    if array.dtype not in (np.uint8, np.float16, np.float32):
        array = array.astype(np.float32)
    if not np.isfinite(array).all():
        raise BrokenFileError(f"{path}: {name} has pixels that are no finite numbers")
    return array


def _labels(path: Path, name: str, array: npt.NDArray[np.generic], count: int) -> npt.NDArray[np.int64]:
    flat = array.reshape(-1) if array.ndim == 2 and 1 in array.shape else array
    if flat.shape != (count,) or flat.dtype.kind not in "ui" or flat.min() < 0 or flat.max() >= 65536:
        raise BrokenFileError(f"{path}: {name} must be {count} whole numbers from 0 on, one for each image")
    return flat.astype(np.int64)
