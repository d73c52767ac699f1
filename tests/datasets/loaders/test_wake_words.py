from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ohmnas.datasets.loaders.wake_words import load_wake_words
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
    for content, message in (("{", "as JSON"), ("[]", "not an annotation file"), ('{"images": []}', "not an annotat")):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(BrokenFileError, match=message):
            load_wake_words(data_dir)
    path.write_text(whole, encoding="utf-8")
    (folder / "train2017" / "000000000003.jpg").write_bytes(b"no image")
    with pytest.raises(BrokenFileError, match=r"000000000003\.jpg cannot be read as an image"):
        load_wake_words(data_dir)
    path.unlink()
    with pytest.raises(BrokenFileError, match="lacks instances_train2014"):
        load_wake_words(data_dir)


def test_names_in_annotations_do_not_lead_out_of_the_folder(data_dir: Path) -> None:
    folder = write_coco(data_dir)
    path = folder / "annotations" / "instances_train2017.json"
    path.write_text(path.read_text("utf-8").replace("000000000003.jpg", "../../000000000003.jpg"), encoding="utf-8")
    assert len(load_wake_words(data_dir).train.labels) == 38
