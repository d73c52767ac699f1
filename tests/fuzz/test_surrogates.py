"""Files of surrogates: of any damage the reader makes a surrogate that predicts, or one sentence."""

from __future__ import annotations

import json
import random
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from ohmnas.errors import OhmnasError
from ohmnas.npz import Array, read_arrays, write_arrays
from ohmnas.surrogate.fit.transfer import fit_source
from ohmnas.surrogate.shipped import load_surrogate
from tests.surrogate.conftest import SPACE, learned, learning_set, names

from .mutate import damaged

COUNT = 100
MEMORY = 64 << 20
"""Bytes that reading a damaged file of less than a megabyte may take."""
POPULATION = SPACE.sample_uniform(3, np.random.default_rng(0))
ODD: list[Any] = [
    None, True, -1, 0, 1.5, 7, 10**30, 10**400, -1e308, float("nan"), float("inf"), "", "x" * 5000, "1", "../a", "\n",
    "\0", [], [[]], {}, [0.5, 0.5], [1] * 500,
]  # fmt: skip
"""Values that a header should not have."""


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small surrogate with all that one can have."""
    model = learned(learning_set(20, seed=8), rounds=4, source=fit_source([learning_set(30)]))
    return model.save(tmp_path_factory.mktemp("fitted") / "s").read_bytes()


@pytest.fixture(scope="module")
def arrays(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Array]:
    path = tmp_path_factory.mktemp("whole") / "s.npz"
    path.write_bytes(content)
    return dict(read_arrays(path, names(path)))


def _survive(path: Path, cases: Iterable[None]) -> tuple[int, int]:
    """How many of the files were read and how many refused, where each case has written the file."""
    values = refusals = 0
    for case, _ in enumerate(cases):
        tracemalloc.start()
        try:
            model = load_surrogate(path)
            predicted = model.predict(POPULATION) if model.space == SPACE else np.zeros((1, 3))
            assert np.isfinite(predicted).all(), case
            values += 1
        except OhmnasError as error:
            refusals += 1
            message = str(error)
            assert "\n" not in message, (case, message)
            assert len(message) < 700 + len(str(path)), (case, message)
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < MEMORY, (case, peak)
    return values, refusals


@pytest.mark.timeout(120)
def test_damaged_bytes(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "s.npz"
    tokens = [
        b"PK\x01\x02",
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"\x93NUMPY",
        b"header.npy",
        b"\xff\xff\xff\xff",
        b"\x00" * 8,
    ]

    def cases() -> Iterator[None]:
        for changed in damaged([content], COUNT, 21, tokens):
            path.write_bytes(changed)
            yield

    read, refused = _survive(path, cases())
    assert read + refused == COUNT
    assert refused > COUNT // 3


@pytest.mark.timeout(120)
def test_damaged_headers(arrays: dict[str, Array], tmp_path: Path) -> None:
    path, whole = tmp_path / "s.npz", arrays["header"].tobytes()
    tokens = [b"[" * 5000, b"9" * 5000, b"NaN", b"1e999", b"-1", b"null", b'"', b"\\ud800", b"\xff", b"}]", b"1e-300"]

    def cases() -> Iterator[None]:
        for changed in damaged([whole], COUNT, 22, tokens):
            write_arrays(path, {**arrays, "header": np.frombuffer(changed, dtype=np.uint8)})
            yield

    read, refused = _survive(path, cases())
    assert read + refused == COUNT


@pytest.mark.timeout(120)
def test_headers_with_odd_values(arrays: dict[str, Array], tmp_path: Path) -> None:
    path, rng = tmp_path / "s.npz", random.Random(23)  # noqa: S311 - no secret

    def cases() -> Iterator[None]:
        for _ in range(COUNT):
            header = json.loads(arrays["header"].tobytes())
            place = header
            while True:
                key = rng.choice(list(place) if isinstance(place, dict) else range(len(place)))
                below = place[key]
                if not isinstance(below, dict | list) or not below or rng.random() < 0.3:
                    break
                place = below
            place[key] = rng.choice(ODD)
            text = json.dumps(header).encode()
            write_arrays(path, {**arrays, "header": np.frombuffer(text, dtype=np.uint8)})
            yield

    read, refused = _survive(path, cases())
    assert read + refused == COUNT
    assert refused > COUNT // 3


@pytest.mark.timeout(120)
def test_damaged_arrays(arrays: dict[str, Array], tmp_path: Path) -> None:
    path, rng = tmp_path / "s.npz", np.random.default_rng(24)
    parts = [name for name in arrays if name != "header"]

    def cases() -> Iterator[None]:
        for _ in range(COUNT):
            name = str(rng.choice(parts))
            write_arrays(path, {**arrays, name: _odd(arrays[name], rng)})
            yield

    read, refused = _survive(path, cases())
    assert read + refused == COUNT
    assert min(read, refused) > 20


def _odd(array: npt.NDArray[Any], rng: np.random.Generator) -> npt.NDArray[Any]:
    """An array with some numbers, its order or its shape changed."""
    changed = array.copy()
    kind = rng.integers(6)
    if kind == 0 and changed.size:
        ends = [np.iinfo(array.dtype).min, np.iinfo(array.dtype).max] if array.dtype.kind == "i" else [-1e38, 1e38]
        changed.flat[rng.integers(changed.size)] = ends[rng.integers(2)]
    elif kind == 1 and changed.dtype.kind == "f":
        changed.flat[rng.integers(changed.size)] = rng.choice([np.nan, np.inf, -np.inf])
    elif kind == 2:
        changed = changed[rng.permutation(len(changed))]
    elif kind == 3:
        changed = changed[: rng.integers(len(changed) + 1)]
    elif kind == 4:
        changed = np.repeat(changed, 2, axis=0)
    else:
        places = rng.integers(changed.size, size=3)
        changed.flat[places] = rng.integers(-3, 9, size=3)
    return changed
