"""Made rows for tests of files: plausible, not measured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ohmnas.datasets import schema
from ohmnas.datasets.card import make_card
from ohmnas.datasets.schema import Row
from ohmnas.datasets.table import write_table
from ohmnas.datasets.task import task
from ohmnas.spaces.hardware import Hardware


def made_rows(n: int, seed: int = 0) -> list[Row]:
    """n rows of different architectures; the third is a failure."""
    digits = task("digits")
    rng = np.random.default_rng(seed)
    population = digits.space.sample(n, rng, 50_000, 1_000_000)
    costs = digits.space.layer_table(population)
    rows: list[Row] = []
    for index, genome in enumerate(population):
        row: Row = dict.fromkeys(schema.COLUMNS)
        row.update(task="digits", hardware="pcm", fidelity="smoke", seed=seed, status="ok", reason="")
        row.update(zip(digits.space.gene_names, genome.tolist(), strict=True))
        row.update(params=int(costs.params()[index]), macs=int(costs.macs()[index]), **Hardware().settings())
        row.update(
            technology="pcm", protocol=schema.PROTOCOL_VERSION, epochs=1, train_images=256, validation_images=400
        )
        row.update(resolution=8, chips=2, train_seconds=0.1, drift_seconds=0.1)
        row.update(ohmnas_version="0", torch_version="0", aihwkit_version="0", precision="float32")
        if index == 2:
            row.update(status="failed", reason="DivergedError: made")
        else:
            row.update({name: float(rng.uniform(0.1, 0.9)) for name in schema.ACCURACY_COLUMNS})
            first, last = row["accuracy_1s"], row["accuracy_1mo"]
            assert isinstance(first, float)
            assert isinstance(last, float)
            row["avm"] = first - last
        rows.append(row)
    return rows


def comparable(frame: pd.DataFrame) -> pd.DataFrame:
    """What two campaigns of the same rows have in common: all but the seconds that they took."""
    return frame.drop(columns=list(schema.SECONDS_COLUMNS))


@pytest.fixture
def rows() -> list[Row]:
    return made_rows(6)


@pytest.fixture
def write_made_table(tmp_path: Path) -> Callable[[list[Row]], Path]:
    def write(rows: list[Row]) -> Path:
        path = tmp_path / "made.csv"
        frame = pd.DataFrame(rows, columns=list(schema.COLUMNS))
        write_table(path, frame, make_card(frame, task("digits")))
        return path

    return write
