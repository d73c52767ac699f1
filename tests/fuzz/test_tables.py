from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.card import make_card
from ohmnas.datasets.tables.table import read_table, write_table
from ohmnas.errors import OhmnasError
from ohmnas.spaces.resnet.genes import GENE_NAMES
from tests.datasets.conftest import DIGITS, made_rows

from .mutate import COUNT, ODD, damaged, damaged_texts, damaged_values, survive


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("table") / "made.csv"
    frame = pd.DataFrame(made_rows(3), columns=list(schema.columns(GENE_NAMES)))
    write_table(path, frame, make_card(frame, DIGITS))
    return path


@pytest.mark.timeout(120)
def test_a_damaged_csv_is_read_or_refused(made: Path, tmp_path: Path) -> None:
    (tmp_path / "t.json").write_bytes(made.with_suffix(".json").read_bytes())
    tokens = [b",", b'"', b"\n", b"\r", b"\x00", b"1e999", b"nan", b"=1+1", b"\x1b[2J", b"\xff", "\u202e".encode()]
    survive(tmp_path / "t.csv", damaged([made.read_bytes()], COUNT, 51, tokens), read_table)


@pytest.mark.timeout(120)
def test_a_changed_csv_with_its_checksum_is_read_or_refused(made: Path, tmp_path: Path) -> None:
    """As a program would write it that knows the format, but not the rules."""
    card = json.loads(made.with_suffix(".json").read_text("utf-8"))
    tokens = [b",", b"-1", b"0.5", b"1e999", b"nan", b"=1+1", b"\x1b[2J", b"x" * 5000, b"9" * 5000]

    def read(path: Path) -> None:
        text = path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
        card["sha256"] = hashlib.sha256(text.encode()).hexdigest()
        path.with_suffix(".json").write_text(json.dumps(card), encoding="utf-8")
        path.write_text(text, encoding="utf-8", newline="")
        table = read_table(path)
        assert table.frame[list(schema.ACCURACY_COLUMNS)].isin([np.inf, -np.inf]).sum().sum() == 0

    survive(tmp_path / "t.csv", damaged([made.read_bytes()], COUNT, 52, tokens), read)


@pytest.mark.timeout(120)
def test_a_damaged_card_is_read_or_refused(made: Path, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(made.read_bytes())
    card = json.loads(made.with_suffix(".json").read_text("utf-8"))
    contents = damaged_texts(card, COUNT, 53)
    survive(tmp_path / "t.json", contents, lambda path: read_table(path.with_suffix(".csv")))


@pytest.mark.timeout(120)
def test_a_frame_with_odd_cells_is_written_or_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    good = pd.DataFrame(made_rows(3), columns=list(schema.columns(GENE_NAMES))).astype(object)
    card = make_card(good, DIGITS)
    odd = [*ODD, b"x", 1j, np.int8(3), pd.NaT, pd.Timestamp(0), object(), pd.NA, (1, 2), np.zeros(3)]
    for turn in range(COUNT):
        frame, value = good.copy(), odd[rng.integers(len(odd))]
        frame.iat[int(rng.integers(len(frame))), int(rng.integers(frame.shape[1]))] = value
        with suppress(OhmnasError):
            write_table(tmp_path / "t.csv", frame, damaged_values(card, rng) if rng.random() < 0.3 else card)
        if turn % 10 == 0:
            with suppress(OhmnasError):
                make_card(frame, DIGITS)
