from __future__ import annotations

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

from .conftest import ODD_VALUES, damaged, damaged_values


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("table") / "made.csv"
    frame = pd.DataFrame(made_rows(3), columns=list(schema.columns(GENE_NAMES)))
    write_table(path, frame, make_card(frame, DIGITS))
    return path


@pytest.mark.timeout(120)
def test_a_damaged_csv_is_read_or_refused(made: Path, tmp_path: Path, rng: np.random.Generator) -> None:
    path, content = tmp_path / "t.csv", made.read_bytes()
    path.with_suffix(".json").write_bytes(made.with_suffix(".json").read_bytes())
    for _ in range(300):
        path.write_bytes(damaged(content, rng))
        with suppress(OhmnasError):
            read_table(path)


def test_a_damaged_card_is_read_or_refused(made: Path, tmp_path: Path, rng: np.random.Generator) -> None:
    path, card = tmp_path / "t.csv", json.loads(made.with_suffix(".json").read_text("utf-8"))
    path.write_bytes(made.read_bytes())
    for _ in range(300):
        path.with_suffix(".json").write_text(json.dumps(damaged_values(card, rng)), encoding="utf-8")
        with suppress(OhmnasError):
            read_table(path)


@pytest.mark.timeout(120)
def test_a_frame_with_odd_cells_is_written_or_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    good = pd.DataFrame(made_rows(3), columns=list(schema.columns(GENE_NAMES))).astype(object)
    card = make_card(good, DIGITS)
    odd = [*ODD_VALUES, b"x", 1j, np.int8(3), pd.NaT, pd.Timestamp(0), object(), pd.NA, (1, 2), np.zeros(3)]
    for turn in range(300):
        frame, value = good.copy(), odd[rng.integers(len(odd))]
        frame.iat[int(rng.integers(len(frame))), int(rng.integers(frame.shape[1]))] = value
        with suppress(OhmnasError):
            write_table(tmp_path / "t.csv", frame, damaged_values(card, rng) if rng.random() < 0.3 else card)
        if turn % 10 == 0:
            with suppress(OhmnasError):
                make_card(frame, DIGITS)
