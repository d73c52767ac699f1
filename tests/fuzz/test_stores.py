from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest

from ohmnas.datasets.campaign.salvage import salvaged
from ohmnas.datasets.campaign.store import Store
from ohmnas.datasets.tables import schema
from ohmnas.errors import OhmnasError
from ohmnas.spaces.resnet.genes import GENE_NAMES
from tests.datasets.conftest import DIGITS, made_rows

from .mutate import COUNT, damaged, survive


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "made.sqlite"
    rows = made_rows(12)
    with Store(path) as store:
        store.add(rows)
        genomes = np.array([[row[name] for name in DIGITS.space.gene_names] for row in rows], dtype=np.int16)
        store.choose(("digits", "pcm", "smoke", 0), genomes, after=0)
    return path


def _read(path: Path) -> None:
    """Every way to read; raises the last refusal."""
    refused: OhmnasError | None = None
    for read in (_choices, _rows, _salvaged):
        try:
            read(path)
        except OhmnasError as error:
            refused = error
    for log in path.parent.glob(f"{path.name}-*"):
        log.unlink()
    if refused is not None:
        raise refused


def _choices(path: Path) -> None:
    with Store(path, read_only=True) as store:
        store.choices()


def _rows(path: Path) -> None:
    with Store(path, read_only=True) as store:
        store.identities()
        store.frame()


def _salvaged(path: Path) -> None:
    rows, _ = salvaged(path)
    assert all(row.keys() == set(schema.columns(GENE_NAMES)) for row in rows)


@pytest.mark.timeout(120)
def test_a_damaged_file_is_read_or_refused(made: Path, tmp_path: Path) -> None:
    tokens = [b"\x00" * 40, b"\xff" * 40, b"SQLite format 3\x00", b"CREATE TABLE", b"UNIQUE", b"1e999", b"\x1b[2J"]
    _, refused = survive(tmp_path / "s.sqlite", damaged([made.read_bytes()], COUNT, 41, tokens), _read)
    assert refused > COUNT // 3


@pytest.mark.timeout(120)
def test_damaged_cells_are_read_or_refused(made: Path, tmp_path: Path, rng: np.random.Generator) -> None:
    odd = (None, -1, 0.5, 2**62, 1e308, float("inf"), "", "x", "\x1b[2J", "=1", "a/b", "y" * 5000, b"\xff\x00", "a\0b")
    tables = {
        "rows": schema.columns(GENE_NAMES),
        "choices": ("task", "hardware", "fidelity", "seed", "position", "genome"),
    }

    def contents() -> Iterator[bytes]:
        with closing(sqlite3.connect(made)) as whole, closing(sqlite3.connect(":memory:")) as connection:
            whole.backup(connection)
            for _ in range(COUNT):
                table = "rows" if rng.random() < 0.8 else "choices"
                column = tables[table][rng.integers(len(tables[table]))]
                query = f'UPDATE {table} SET "{column}"=? WHERE rowid=?'  # noqa: S608 - our own names
                connection.execute(query, (odd[rng.integers(len(odd))], int(rng.integers(1, 13))))
                yield connection.serialize()
                connection.rollback()

    _, refused = survive(tmp_path / "s.sqlite", contents(), _read)
    assert refused > COUNT // 3


@pytest.mark.timeout(120)
def test_a_store_that_was_cut_off_anywhere_gives_whole_rows(
    made: Path, tmp_path: Path, rng: np.random.Generator
) -> None:
    path, content = tmp_path / "s.sqlite", made.read_bytes()
    with Store(made, read_only=True) as store:
        whole = {repr(row) for row in store.rows()}
    for cut in rng.integers(len(content), size=100).tolist():
        path.write_bytes(content[:cut])
        with suppress(OhmnasError):
            assert {repr(row) for row in salvaged(path)[0]} <= whole
