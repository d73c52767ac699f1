from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ohmnas.datasets.loaders.arrays import load_npz
from ohmnas.datasets.task import task
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
    load_npz.cache_clear()
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
    images = np.tile(labels[:, None, None], (1, 6, 7)).astype(np.uint8)
    test = task(str(_write(tmp_path / "mine.npz", x_test=images, y_test=labels))).load().test
    assert set(test.labels[:30].tolist()) == {0, 1, 2}
    assert np.array_equal(test.images[:, 0, 0, 0], test.labels)


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({"y_test": None}, "lacks the array 'y_test'"),
        ({"y_train": np.arange(29) % 3}, "y_train must be 30 whole numbers"),
        ({"y_train": np.zeros(30, int)}, "two classes or more"),
        ({"y_test": np.arange(9)}, "all that y_test has"),
        ({"y_train": np.arange(30) % 3 - 1}, "y_train must be"),
        ({"y_train": np.arange(30) % 3 + 1}, "labels of y_train begin with 1; they are numbers from 0 on"),
        ({"x_test": np.zeros((9, 5, 7), np.uint8)}, "x_train has images of"),
        ({"x_train": np.full((30, 6, 7), np.nan)}, "no finite numbers"),
        ({"x_train": np.zeros((30, 6, 7, 9))}, "1 to 4 channels"),
        ({"x_train": np.zeros(30)}, "which are not images"),
        ({"x_train": np.array([None] * 30)}, "not a NumPy archive of plain arrays"),
    ],
)
def test_what_is_wrong_is_said(others: dict[str, object], message: str, tmp_path: Path) -> None:
    path = _write(tmp_path / "bad.npz", **others)  # type: ignore[arg-type]
    with pytest.raises(BrokenFileError, match=message):
        load_npz(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenFileError, match="there is no file"):
        load_npz(tmp_path / "none.npz")
    path = _write(tmp_path / "cut.npz")
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(BrokenFileError, match="not a NumPy archive"):
        load_npz(path)
    path.write_bytes(b"")
    with pytest.raises(BrokenFileError, match="not a NumPy archive"):
        load_npz(path)
