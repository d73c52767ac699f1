"""Visual wake words (A. Chowdhery et al., arXiv:1906.05721): COCO images with or without a person."""

from __future__ import annotations

import io
import json
import math
import struct
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from ohmnas.datasets.tasks.data import Split, TaskData, task_data
from ohmnas.datasets.tasks.loaders.files import Arrays, decoded, find_folder, visible
from ohmnas.datasets.tasks.task import Task
from ohmnas.errors import BrokenFileError, MissingDependencyError, in_short, shown
from ohmnas.files import is_file, read_bytes, read_text, regular

SIDE = 96
"""Side of an image in pixels, as in the MLPerf Tiny benchmark (C. Banbury et al., 2021)."""
SMALLEST_AREA = 0.005
"""A person or crowd counts if its annotated area (of the outline, not of the box) is at least this share of the image,
as in the authors' code (build_visualwakewords_data.py in TensorFlow's models)."""
VALIDATION_DIVISOR = 20
"""One in this many training images is for validation."""
YEARS = ("2014", "2017")
LARGEST_ANNOTATIONS = 2 << 30
"""Largest size of an annotation file in bytes; the official files have up to 0.5 billion bytes."""
LARGEST_IMAGE, MOST_PIXELS = 32 << 20, 50_000_000
"""Largest size in bytes and largest number of pixels of an image; COCO images have up to 640 x 640 pixels."""


@lru_cache(maxsize=1)
def load_wake_words(data_dir: Path | None = None) -> TaskData:
    """Load COCO 2014 or 2017: its `train` images are for training and validation, its `val` images for testing.

    Raises:
        UnknownNameError: the files are missing.
        BrokenFileError: a file is invalid.
        MissingDependencyError: Pillow, which reads the images, is not installed.
    """
    folder = find_folder(data_dir, "visual-wake-words", ("coco",), "annotations")
    year = next((y for y in YEARS if is_file(folder / "annotations" / f"instances_train{y}.json")), None)
    if year is None:
        raise BrokenFileError(
            f"{folder / 'annotations'} has neither instances_train2014.json nor instances_train2017.json"
        )
    annotations = {part: folder / "annotations" / f"instances_{part}{year}.json" for part in ("train", "val")}

    def decode() -> Arrays:
        arrays: Arrays = {}
        for part, path in annotations.items():
            labels = read_labels(path)
            order = np.random.default_rng(96).permutation(len(labels))
            names = [sorted(labels)[i] for i in order]
            arrays[f"{part}_labels"] = np.array([labels[name] for name in names])
            arrays[f"{part}_images"] = np.stack([_image(folder / f"{part}{year}" / name) for name in names])
        return arrays

    for path in annotations.values():
        regular(path, LARGEST_ANNOTATIONS)
    sources = [image for part in annotations for image in visible((folder / f"{part}{year}").glob("*.*"))]
    arrays = decoded("visual-wake-words", 2, sources, decode, annotations.values())
    images = {part: arrays[f"{part}_images"].transpose(0, 3, 1, 2) for part in annotations}
    labels = {part: arrays[f"{part}_labels"].astype(np.int64) for part in annotations}
    held = max(len(labels["train"]) // VALIDATION_DIVISOR, 1)
    parts = (slice(held, None), slice(held))
    train, validation = (Split(images["train"][part], labels["train"][part]) for part in parts)
    return task_data(train, validation, Split(images["val"], labels["val"]))


def read_labels(path: Path) -> dict[str, int]:
    """Return file name -> 1 if a person covers at least `SMALLEST_AREA` of the image, else 0.

    Annotations of images that the file does not list are ignored, because subsets of COCO have them.

    Raises:
        BrokenFileError: the file is not a valid COCO annotation file.
    """
    try:
        content = json.loads(read_text(path, LARGEST_ANNOTATIONS))
    except BrokenFileError:
        raise
    except (ValueError, RecursionError, MemoryError) as error:
        raise BrokenFileError(f"{path} cannot be read as JSON: {in_short(error, 200) or 'no memory'}") from error
    try:
        person = next(one["id"] for one in content["categories"] if one["name"] == "person")
        images = {one["id"]: (Path(one["file_name"]).name, _pixels(path, one)) for one in content["images"]}
        labels = {name: 0 for name, _ in images.values()}
        annotations = list(content["annotations"])
        own = [one for one in annotations if one["image_id"] in images]
        for one in own:
            name, pixels = images[one["image_id"]]
            if one["category_id"] == person and _area(path, one) / pixels >= SMALLEST_AREA:
                labels[name] = 1
    except (KeyError, TypeError, StopIteration, AttributeError) as error:
        raise BrokenFileError(f"{path} is not a COCO annotation file: {shown(error)}") from error
    if len(labels) < 2:
        raise BrokenFileError(f"{path} has fewer than two images; a task needs two or more")
    if len(labels) < len(content["images"]):
        raise BrokenFileError(
            f"{path} lists {len(content['images'])} images, but some share an id or a file name: {len(labels)} are "
            "distinct"
        )
    if annotations and not own:
        raise BrokenFileError(f"none of the annotations in {path} ({len(annotations)}) belongs to one of its images")
    return labels


def _pixels(path: Path, image: dict[str, Any]) -> int:
    """Return the number of pixels of an image, from its annotation file."""
    width, height = image["width"], image["height"]
    if any(type(length) is not int or not 0 < length < 1_000_000 for length in (width, height)):
        raise BrokenFileError(
            f"{path}: the image {shown(image['file_name'])} has a width of {shown(width)} and a height of "
            f"{shown(height)}; both must be whole numbers from 1 to 999,999"
        )
    return int(width * height)


def _area(path: Path, annotation: dict[str, Any]) -> float:
    """Return the annotated area in pixels."""
    area = annotation["area"]
    if type(area) not in (int, float) or not 0 <= area < 1e12 or not math.isfinite(area):
        raise BrokenFileError(
            f"{path}: an annotation of the image {shown(annotation['image_id'])} has an area of {shown(area)}, which "
            "is not a number of pixels"
        )
    return float(area)


def _image(path: Path) -> np.ndarray:
    """``(96, 96, 3)`` uint8: the whole image, scaled to a square."""
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingDependencyError.of("visual-wake-words needs Pillow", "images", error) from error
    content = read_bytes(path, LARGEST_IMAGE)
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as image:
            if math.prod(image.size) > MOST_PIXELS:
                raise BrokenFileError(f"{path} has {image.width} x {image.height} pixels; at most 50 million are read")
            small = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    except BrokenFileError:
        raise
    except (
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        struct.error,
        LookupError,
        Image.DecompressionBombError,
    ) as error:
        raise BrokenFileError(f"{path} cannot be read as an image (JPEG or PNG): {in_short(error, 200)}") from error
    except (Image.DecompressionBombWarning, MemoryError) as error:
        raise BrokenFileError(f"{path} has too many pixels: at most 50 million are read") from error
    return np.asarray(small)


WAKE_WORDS: Final = Task(
    "visual-wake-words", (3, 96, 96), 2, 2_000, 1_000_000, 100_000_000, load_wake_words, (6, 6), flip=True
)
"""Photographs with or without a person, from COCO."""
