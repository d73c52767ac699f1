"""Files of surrogates: of any damage the reader makes a surrogate that predicts, or one sentence."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from ohmnas.npz import Array, read_arrays
from ohmnas.surrogate.fit.transfer import fit_source
from ohmnas.surrogate.shipped import load_surrogate
from tests.surrogate.conftest import SPACE, learned, learning_set, names

from .mutate import COUNT, damaged, damaged_texts, survive

POPULATION = SPACE.sample_uniform(3, np.random.default_rng(0))


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


def _check(path: Path) -> None:
    model = load_surrogate(path)
    predicted = model.predict(POPULATION) if model.space == SPACE else np.zeros((1, 3))
    assert np.isfinite(predicted).all()


def _archive(arrays: dict[str, Array]) -> bytes:
    content = io.BytesIO()
    np.savez(content, **arrays)  # type: ignore[arg-type]
    return content.getvalue()


@pytest.mark.timeout(120)
def test_damaged_bytes_and_arrays(content: bytes, arrays: dict[str, Array], tmp_path: Path) -> None:
    rng, parts = np.random.default_rng(24), [name for name in arrays if name != "header"]
    tokens = [b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"\x93NUMPY", b"header.npy", b"\xff" * 4, b"\x00" * 8]

    def contents() -> Iterator[bytes]:
        yield from damaged([content], COUNT // 2, 21, tokens)
        for name in rng.choice(parts, COUNT // 2):
            yield _archive({**arrays, name: _odd(arrays[name], rng)})

    read, refused = survive(tmp_path / "s.npz", contents(), _check)
    assert min(read, refused) > 20


@pytest.mark.timeout(120)
def test_damaged_headers(arrays: dict[str, Array], tmp_path: Path) -> None:
    whole = arrays["header"].tobytes()
    tokens = [b"[" * 5000, b"9" * 5000, b"NaN", b"1e999", b"-1", b"null", b'"', b"\\ud800", b"\xff", b"}]", b"1e-300"]
    headers = (
        *damaged([whole], COUNT // 2, 22, tokens),
        *damaged_texts(json.loads(whole), COUNT // 2, 23),
    )
    contents = (_archive({**arrays, "header": np.frombuffer(header, dtype=np.uint8)}) for header in headers)
    _, refused = survive(tmp_path / "s.npz", contents, _check)
    assert refused > COUNT // 3


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
