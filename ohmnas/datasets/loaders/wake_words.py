"""Visual wake words (A. Chowdhery et al., arXiv:1906.05721): COCO images with a person in them, or without."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ohmnas.datasets.data import Split, TaskData, task_data
from ohmnas.datasets.loaders.files import Arrays, decoded, find_folder
from ohmnas.errors import BrokenFileError, MissingDependencyError

SIDE = 96
"""Pixels of a side, as in the MLPerf Tiny benchmark (C. Banbury et al., 2021)."""
SMALLEST_AREA = 0.005
"""A person counts whose box covers more than this share of the image."""
VALIDATION_SHARE = 20
"""One in so many of the training images is for validation."""
YEARS = ("2014", "2017")


@lru_cache(maxsize=1)
def load_wake_words(data_dir: Path | None = None) -> TaskData:
    """COCO 2014 or 2017: `train` for training and validation, `val` for test.

    Raises:
        UnknownNameError: the files are not there.
        BrokenFileError: a file is not what it should be.
        MissingDependencyError: Pillow, which reads the images, is not installed.
    """
    folder = find_folder(data_dir, "visual-wake-words", ("coco",), "annotations")
    year = next((y for y in YEARS if (folder / "annotations" / f"instances_train{y}.json").is_file()), None)
    if year is None:
        raise BrokenFileError(f"{folder / 'annotations'} lacks instances_train2014.json, or 2017")
    annotations = {part: folder / "annotations" / f"instances_{part}{year}.json" for part in ("train", "val")}

    def decode() -> Arrays:
        arrays: Arrays = {}
        for part, path in annotations.items():
            labels = _labels(path)
            order = np.random.default_rng(96).permutation(len(labels))
            names = [sorted(labels)[i] for i in order]
            arrays[f"{part}_labels"] = np.array([labels[name] for name in names])
            arrays[f"{part}_images"] = np.stack([_image(folder / f"{part}{year}" / name) for name in names])
        return arrays

    for path in annotations.values():
        if not path.is_file():
            raise BrokenFileError(f"{path} is missing")
    arrays = decoded("visual-wake-words", 1, annotations.values(), decode)
    images = {part: arrays[f"{part}_images"].transpose(0, 3, 1, 2) for part in annotations}
    labels = {part: arrays[f"{part}_labels"].astype(np.int64) for part in annotations}
    held = max(len(labels["train"]) // VALIDATION_SHARE, 1)
    parts = (slice(held, None), slice(held))
    train, validation = (Split(images["train"][part], labels["train"][part]) for part in parts)
    return task_data(train, validation, Split(images["val"], labels["val"]))


def _labels(path: Path) -> dict[str, int]:
    """File name -> whether a person's box covers more than the smallest area of the image."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        person = next(one["id"] for one in content["categories"] if one["name"] == "person")
        images: dict[int, dict[str, Any]] = {one["id"]: one for one in content["images"]}
        labels = {Path(str(one["file_name"])).name: 0 for one in images.values()}
        for one in content["annotations"]:
            image = images[one["image_id"]]
            _, _, width, height = (float(v) for v in one["bbox"])
            if one["category_id"] == person and width * height > SMALLEST_AREA * image["width"] * image["height"]:
                labels[Path(image["file_name"]).name] = 1
    except (OSError, ValueError, RecursionError) as error:
        raise BrokenFileError(f"{path} cannot be read as JSON: {error}") from error
    except (KeyError, TypeError, StopIteration, AttributeError) as error:
        raise BrokenFileError(f"{path} is not an annotation file of COCO: {error!r}") from error
    if len(labels) < 2:
        raise BrokenFileError(f"{path} has {len(labels)} images")
    return labels


def _image(path: Path) -> np.ndarray:
    """``(96, 96, 3)`` uint8: the whole image, squeezed."""
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingDependencyError.of("visual-wake-words needs Pillow", "images", error) from error
    try:
        with Image.open(path) as image:
            small = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise BrokenFileError(f"{path} cannot be read as an image: {error}") from error
    return np.asarray(small)
