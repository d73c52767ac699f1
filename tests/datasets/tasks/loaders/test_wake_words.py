from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ohmnas.datasets.tasks.loaders import wake_words
from ohmnas.datasets.tasks.loaders.wake_words import load_wake_words, read_labels
from ohmnas.errors import BrokenFileError

from .conftest import write_coco


def test_a_person_counts_above_half_a_percent_of_the_image(data_dir: Path) -> None:
    write_coco(data_dir)
    data = load_wake_words(data_dir)
    assert [len(s.labels) for s in (data.train, data.validation, data.test)] == [38, 2, 40]
    assert data.test.images.shape == (40, 3, 96, 96)
    assert data.test.images.dtype == np.uint8
    assert data.test.labels.sum() == 10  # neither the small persons nor the dogs


def test_broken_files_are_named(data_dir: Path) -> None:
    folder = write_coco(data_dir)
    path = folder / "annotations" / "instances_train2017.json"
    whole = path.read_text("utf-8")
    for content, message in (("{", "as JSON"), ("[]", "not a COCO annotation file"), ('{"images": []}', "not a COCO")):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(BrokenFileError, match=message):
            load_wake_words(data_dir)
    path.write_text(whole, encoding="utf-8")
    (folder / "train2017" / "000000000003.jpg").write_bytes(b"no image")
    with pytest.raises(BrokenFileError, match=r"000000000003\.jpg cannot be read as an image"):
        load_wake_words(data_dir)
    path.unlink()
    with pytest.raises(BrokenFileError, match="has neither instances_train2014"):
        load_wake_words(data_dir)


def test_names_in_annotations_do_not_lead_out_of_the_folder(data_dir: Path) -> None:
    folder = write_coco(data_dir)
    path = folder / "annotations" / "instances_train2017.json"
    path.write_text(path.read_text("utf-8").replace("000000000003.jpg", "../../000000000003.jpg"), encoding="utf-8")
    assert len(load_wake_words(data_dir).train.labels) == 38


def _write(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Ten images of 200 x 100 pixels; the first five with a person of 200 of them."""
    people = [{"image_id": i, "category_id": 7, "iscrowd": 0, "bbox": [0, 0, 9, 9], "area": 200.0} for i in range(5)]
    content: dict[str, Any] = {
        "images": [{"id": i, "file_name": f"{i}.jpg", "width": 200, "height": 100} for i in range(10)],
        "annotations": people,
        "categories": [{"id": 1, "name": "dog"}, {"id": 7, "name": "person"}],
    }
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize(("area", "label"), [(0, 0), (80.0, 0), (99.99, 0), (100, 1), (100.0, 1), (200, 1)])
@pytest.mark.parametrize("crowd", [0, 1])
def test_labels_are_those_of_the_reference_builder(area: float, label: int, crowd: int, tmp_path: Path) -> None:
    def change(content: dict[str, Any]) -> None:
        content["annotations"][0] |= {"area": area, "bbox": [0, 0, 200, 100], "iscrowd": crowd}

    assert read_labels(_write(tmp_path / "a.json", change))["0.jpg"] == label


def test_annotations_of_images_that_a_subset_lacks_are_passed_over(tmp_path: Path) -> None:
    labels = read_labels(_write(tmp_path / "a.json", lambda content: content["images"].pop(0)))
    assert sum(labels.values()) == 4
    with pytest.raises(BrokenFileError, match=r"none of the annotations in .* \(5\) belongs to one of its images"):
        read_labels(
            _write(tmp_path / "a.json", lambda content: [one.update(id=-one["id"] - 1) for one in content["images"]])
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda c: c["images"][3].update(width=-1, height=-1),
            "the image '3.jpg' has a width of -1 and a height of -1",
        ),
        (lambda c: c["images"][3].update(width=0), "has a width of 0"),
        (lambda c: c["images"][3].update(width=2.5), "has a width of 2.5"),
        (lambda c: c["images"][3].update(height=10**400), "a height of a number of more than 18 digits"),
        (lambda c: c["images"][3].update(height=None), "a height of None"),
        (lambda c: c["images"][3].update(file_name=3), "not a COCO annotation file"),
        (
            lambda c: c["images"][3].update(file_name="4.jpg"),
            "10 images, but some share an id or a file name: 9 are distinct",
        ),
        (lambda c: c["images"][3].update(id=4), "10 images, but some share an id or a file name: 9 are distinct"),
        (lambda c: c["annotations"][3].update(area=-1), "an annotation of the image 3 has an area of -1"),
        (lambda c: c["annotations"][3].update(area=float("nan")), "has an area of nan"),
        (lambda c: c["annotations"][3].update(area=10**400), "has an area of a number of more than 18 digits"),
        (lambda c: c["annotations"][3].update(area="9" * 999), "has an area of '99.*9..., which is not"),
        (lambda c: c["annotations"][3].pop("area"), "not a COCO annotation file: .*area"),
        (lambda c: c["annotations"][3].update(image_id=[]), "not a COCO annotation file"),
        (lambda c: c.update(annotations=None), "not a COCO annotation file"),
        (lambda c: c.update(images={}), "has fewer than two images"),
        (lambda c: c["categories"].pop(), "not a COCO annotation file: StopIteration"),
    ],
)
def test_wrong_annotations_are_named(change: Callable[[dict[str, Any]], object], message: str, tmp_path: Path) -> None:
    with pytest.raises(BrokenFileError, match=message):
        read_labels(_write(tmp_path / "a.json", change))


def test_other_images_or_annotations_are_decoded_again(data_dir: Path) -> None:
    folder = write_coco(data_dir)
    first = load_wake_words(data_dir)
    for image in (folder / "train2017").iterdir():
        Image.new("RGB", (200, 100)).save(image)
    load_wake_words.cache_clear()
    assert load_wake_words(data_dir).train.images.max() == 0 < first.train.images.max()
    path = folder / "annotations" / "instances_val2017.json"
    status = path.stat()
    path.write_text(path.read_text("utf-8").replace("900.5", "  0.5"), encoding="utf-8")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    load_wake_words.cache_clear()
    assert load_wake_words(data_dir).test.labels.sum() == 0 < first.test.labels.sum()


def test_only_photographs_of_a_reasonable_size_are_opened(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_coco(data_dir)
    image = folder / "train2017" / "000000000003.jpg"
    monkeypatch.setattr(wake_words, "MOST_PIXELS", 20_000)
    Image.new("RGB", (201, 100)).save(image)
    with pytest.raises(BrokenFileError, match=r"000000000003\.jpg has 201 x 100 pixels"):
        load_wake_words(data_dir)
    Image.new("RGB", (200, 100)).save(image, format="EPS")
    with pytest.raises(BrokenFileError, match=r"cannot be read as an image \(JPEG or PNG\)"):
        load_wake_words(data_dir)
    image.unlink()
    with pytest.raises(BrokenFileError, match=r"cannot read .*000000000003\.jpg: there is no file"):
        load_wake_words(data_dir)
