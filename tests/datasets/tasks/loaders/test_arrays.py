from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ohmnas.datasets.tasks.loaders.arrays import _parts, load_npz
from ohmnas.datasets.tasks.task import task
from ohmnas.errors import BrokenFileError


def _write(path: Path, shape: tuple[int, ...] = (30, 6, 7), dtype: str = "uint8", **others: object) -> Path:
    rng = np.random.default_rng(0)
    arrays: dict[str, object] = {
        "x_train": rng.integers(200, size=shape).astype(dtype),
        "y_train": np.arange(shape[0]) % 3,
        "x_test": rng.integers(200, size=(9, *shape[1:])).astype(dtype),
        "y_test": np.arange(9) % 3,
        **others,
    }
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((30, 6, 7), (1, 6, 7)), ((30, 6, 7, 3), (3, 6, 7)), ((30, 3, 6, 7), (3, 6, 7)), ((30, 4, 4, 4), (4, 4, 4))],
)
@pytest.mark.parametrize("dtype", ["uint8", "float16", "float32", "float64", "int32"])
def test_any_usual_form_of_images_is_a_task(
    shape: tuple[int, ...], expected: tuple[int, int, int], dtype: str, tmp_path: Path
) -> None:
    one = task(str(_write(tmp_path / "mine.npz", shape, dtype)))
    assert (one.name, one.input_shape, one.classes) == ("mine", expected, 3)
    data = one.load()
    assert [len(s.labels) for s in (data.train, data.validation, data.test)] == [24, 6, 9]
    assert data.train.images.dtype == (dtype if dtype in ("uint8", "float16", "float32") else "float32")


def test_test_images_of_a_file_that_is_sorted_are_mixed(tmp_path: Path) -> None:
    labels = np.arange(90) // 30
    images = np.tile(90 * labels[:, None, None], (1, 6, 7)).astype(np.uint8)
    test = task(str(_write(tmp_path / "mine.npz", x_test=images, y_test=labels))).load().test
    assert set(test.labels[:30].tolist()) == {0, 1, 2}
    assert np.array_equal(test.images[:, 0, 0, 0], 90 * test.labels)


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({"y_test": None}, "lacks the array 'y_test'"),
        ({"y_train": np.arange(29) % 3}, "y_train has 29 labels for 30 images of x_train"),
        ({"y_train": np.zeros(30, int)}, "y_train has only the label 0; a task needs at least two classes"),
        ({"y_test": np.arange(9)}, "y_test has the label 3, which is not in y_train"),
        ({"y_train": np.arange(30) % 3 - 1}, "y_train has the label -1; labels are whole numbers from 0 to"),
        ({"y_train": np.arange(30)}, "y_train has 30 different labels for 30 images"),
        ({"y_train": np.full(30, 2**63, np.uint64)}, "y_train has the label 9223372036854775808; labels are"),
        (
            {"y_train": np.arange(30) % 3 / 2},
            r"y_train has shape \(30,\) and type float64; labels must be one whole number",
        ),
        (
            {"y_train": np.eye(3, dtype=int)[np.arange(30) % 3]},
            r"y_train has shape \(30, 3\) and type int64; labels must be",
        ),
        ({"x_train": np.full((30, 6, 7), 9)}, "all pixels of x_train are 9"),
        ({"x_train": np.zeros((0, 6, 7)), "y_train": np.zeros(0, int)}, "no pixels"),
        (
            {"x_train": np.random.default_rng(1).random((30, 6, 7)) * 1e300},
            "pixels from .*e.* between -1e.09 and 1e.09",
        ),
        ({"x_test": np.zeros((9, 5, 7), np.uint8)}, "x_train has images of"),
        ({"x_train": np.full((30, 6, 7), np.nan)}, "NaN or infinite"),
        ({"x_train": np.zeros((30, 6, 7, 9)), "x_test": np.zeros((9, 6, 7, 9))}, "1 to 4 channels"),
        ({"x_train": np.zeros(30), "x_test": np.zeros(9)}, "images must be numbers of shape"),
        ({"x_train": np.array([None] * 30)}, "x_train has the type .*O; only plain arrays of numbers can be read"),
    ],
)
def test_each_fault_of_an_archive_is_named(others: dict[str, object], message: str, tmp_path: Path) -> None:
    path = _write(tmp_path / "bad.npz", **others)  # type: ignore[arg-type]
    with pytest.raises(BrokenFileError, match=message):
        load_npz(path)


@pytest.mark.parametrize("labels", [(0, 128, 255), (1, 2, 3), (7, 8, 2**31 - 1)])
def test_classes_are_the_labels_that_occur_in_order(labels: tuple[int, ...], tmp_path: Path) -> None:
    y = np.array(labels)
    one = task(str(_write(tmp_path / "mine.npz", y_train=y[np.arange(30) % 3], y_test=y[np.arange(9) % 3])))
    assert one.classes == 3
    with np.load(tmp_path / "mine.npz") as archive:
        train, test = archive["x_train"], archive["x_test"]
    data = one.load()
    for split, images in ((data.train, train), (data.validation, train), (data.test, test)):
        for image, label in zip(split.images, split.labels, strict=True):
            place = np.flatnonzero((images == image[0]).all(axis=(1, 2)))[0]
            assert label == place % 3


@given(st.lists(st.integers(1, 40), min_size=2, max_size=8), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_validation_has_a_fifth_of_each_class(counts: list[int], seed: int) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    train, validation = _parts(labels.astype(np.int64))
    assert sorted([*train, *validation]) == list(range(len(labels)))
    for label, count in enumerate(counts):
        held = int((labels[validation] == label).sum())
        assert (labels[train] == label).any()
        assert held >= (count > 1)
        assert abs(held - count / 5) <= 1


def test_a_class_of_one_image_is_a_class(tmp_path: Path) -> None:
    for place in range(10):
        labels = np.arange(30) % 2
        labels[place] = 2
        one = task(str(_write(tmp_path / f"{place}.npz", y_train=labels)))
        data = one.load()
        assert one.classes == 3
        assert np.bincount(data.train.labels)[2] == 1


@pytest.mark.parametrize(
    ("train", "test"),
    [
        (("uint8", 0, 255), ("float32", 0, 1)),
        (("float32", 0, 255), ("float32", 0, 1)),
        (("float32", 0, 1), ("uint8", 0, 255)),
        (("uint8", 0, 255), ("uint8", 0, 1)),
        (("uint16", 0, 65535), ("uint8", 0, 255)),
        (("float32", 0, 1), ("float32", -1, 1)),
        (("float32", -2, 2), ("float32", 0, 1)),
        (("uint8", 0, 255), ("float64", -2, 2)),
        (("float32", 0, 1), ("float32", 5, 6)),
        (("uint8", 0, 255), ("uint8", 7, 7)),
        (("uint8", 0, 4), ("float32", 0, 1)),
    ],
)
def test_test_images_with_another_scale_are_refused(
    train: tuple[str, int, int], test: tuple[str, int, int], tmp_path: Path
) -> None:
    def images(count: int, kind: str, low: int, high: int) -> np.ndarray:
        return np.random.default_rng(count).uniform(low, high, size=(count, 6, 7)).round(3).astype(kind)

    path = _write(tmp_path / "mine.npz", x_train=images(30, *train), x_test=images(9, *test))
    with pytest.raises(
        BrokenFileError, match=r"x_train has pixels from .*, x_test from .*; both must use the same scale"
    ):
        load_npz(path)


@pytest.mark.parametrize(
    ("train", "test"),
    [
        (("uint8", 0, 255), ("float32", 0, 255)),
        (("uint8", 0, 255), ("uint8", 20, 120)),
        (("float32", 0, 1), ("float64", 0.3, 0.6)),
        (("float32", -13, 2), ("float16", -12, 0)),
        (("float32", 0, 1), ("float32", -0.05, 1.05)),
    ],
)
def test_test_images_may_be_darker_or_flatter(
    train: tuple[str, float, float], test: tuple[str, float, float], tmp_path: Path
) -> None:
    def images(count: int, kind: str, low: float, high: float) -> np.ndarray:
        return np.random.default_rng(count).uniform(low, high, size=(count, 6, 7)).astype(kind)

    path = _write(tmp_path / "mine.npz", x_train=images(30, *train), x_test=images(9, *test))
    assert len(load_npz(path).test.labels) == 9


def test_a_constant_channel_is_accepted(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(256, size=(39, 6, 7, 4)).astype(np.uint8)
    images[..., 3] = 255
    data = load_npz(_write(tmp_path / "mine.npz", x_train=images[:30], x_test=images[30:]))
    assert data.std[3] == 1
    assert np.isfinite(data.std).all()


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    path = _write(tmp_path / "mine.npz")
    first = load_npz(path)
    assert load_npz(path) is first
    _write(path, (60, 6, 7))
    assert len(load_npz(path).train.labels) == 48


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenFileError, match="there is no file"):
        load_npz(tmp_path / "none.npz")
    path = _write(tmp_path / "cut.npz")
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(BrokenFileError, match="damaged NumPy archive"):
        load_npz(path)
    path.write_bytes(b"")
    with pytest.raises(BrokenFileError, match="not a NumPy archive"):
        load_npz(path)
