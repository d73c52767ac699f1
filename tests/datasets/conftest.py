"""Made rows for tests of files: plausible, not measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ohmnas.datasets.campaign.limits import RowLimits
from ohmnas.datasets.campaign.plan import plan
from ohmnas.datasets.campaign.protocol import Protocol
from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.card import make_card
from ohmnas.datasets.tables.schema import Row
from ohmnas.datasets.tables.table import write_table
from ohmnas.datasets.tasks.task import task
from ohmnas.hardware import Hardware
from ohmnas.hardware.chip_genes import drawn_for, to_hardware
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet.genes import GENE_NAMES
from ohmnas.spaces.space import Space

DIGITS = task("digits")


def made_rows(n: int, seed: int = 0) -> list[Row]:
    """n rows of different architectures; the third is a failure."""
    rng = np.random.default_rng(seed)
    population = DIGITS.space.sample(n, rng, 50_000, 1_000_000)
    return [made_row(genome, Hardware(), seed, rng, failed=index == 2) for index, genome in enumerate(population)]


def made_row(
    genome: Population,
    chip: Hardware,
    seed: int,
    rng: np.random.Generator,
    failed: bool = False,
    space: Space = DIGITS.space,
) -> Row:
    """The row of a genome on a chip."""
    row: Row = dict.fromkeys(schema.columns(space.gene_names))
    row.update(
        task="digits",
        hardware=chip.name,
        fidelity="smoke",
        seed=seed,
        status="ok",
        reason="",
        loss_curve="1:2.3",
        accuracy_curve="",
    )
    row.update(zip(space.gene_names, genome.tolist(), strict=True))
    costs = space.layers(genome[None])
    row.update(params=int(costs.params()[0]), macs=int(costs.macs()[0]), **chip.settings())
    row.update(
        technology=chip.technology,
        protocol=schema.PROTOCOL_VERSION,
        epochs=1,
        batch=32,
        train_images=256,
        validation_images=400,
    )
    row.update(resolution=8, chips=2, train_seconds=0.1, drift_seconds=0.1)
    row.update(ohmnas_version="0", torch_version="0", aihwkit_version="0", precision="float32")
    if failed:
        row.update(status="failed", loss_curve="", reason="DivergedError: made")
        return row
    row.update({name: float(rng.uniform(0.1, 0.9)) for name in schema.ACCURACY_COLUMNS})
    row.update({name: float(rng.uniform(0.0, 1e-3)) for name in schema.SPREAD_COLUMNS})
    first, last = row["accuracy_1s"], row["accuracy_1mo"]
    assert isinstance(first, float)
    assert isinstance(last, float)
    row["avm"] = first - last
    return row


def varied_rows(n: int, times: int, seed: int = 0) -> list[Row]:
    """Rows of the first n architectures of the plan, each on so many settings of chips in all technologies."""
    rng = np.random.default_rng(seed)
    return [
        made_row(genome, chip, seed, rng)
        for place, genome in enumerate(plan(DIGITS, n))
        for chip in to_hardware(drawn_for(place, times))
    ]


@dataclass
class MadeMeasurements:
    """Takes the place of `measure` for digits at fidelity smoke: makes rows up, and notes what would be trained."""

    trained: list[tuple[tuple[int, ...], tuple[Hardware, ...]]] = field(default_factory=list)
    """Genome of the network, and the kinds of chip that it is programmed on."""

    def __call__(
        self, protocol: Protocol, genome: Population, chips: Sequence[Hardware], seed: int, *_: RowLimits
    ) -> list[Row]:
        assert (protocol.task.name, protocol.fidelity.name) == ("digits", "smoke")
        self.trained.append((tuple(genome.tolist()), tuple(chips)))
        rng = np.random.default_rng(len(self.trained))
        return [made_row(genome, chip, seed, rng, space=protocol.task.space) for chip in chips]


@pytest.fixture
def made_measurements(monkeypatch: pytest.MonkeyPatch) -> MadeMeasurements:
    made = MadeMeasurements()
    monkeypatch.setattr("ohmnas.datasets.campaign.campaign.measure", made)
    return made


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
        frame = pd.DataFrame(rows, columns=list(schema.columns(GENE_NAMES)))
        write_table(path, frame, make_card(frame, DIGITS))
        return path

    return write
