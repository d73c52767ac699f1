from __future__ import annotations

import pytest
import torch

from ohmnas.datasets import measure as module
from ohmnas.datasets import schema
from ohmnas.datasets.fidelity import Fidelity, fidelity
from ohmnas.datasets.measure import measure, require_training, seeds_of
from ohmnas.datasets.task import task
from ohmnas.spaces.genes import Population
from ohmnas.spaces.hardware import IDEAL, Hardware
from ohmnas.spaces.reference import reference

SMOKE = fidelity("smoke")
DIGITS = task("digits")
SECONDS = set(schema.SECONDS_COLUMNS)


@pytest.fixture
def genome() -> Population:
    genome: Population = DIGITS.space.encode([reference("resnet8-w8")])[0]
    return genome


def test_a_row_is_complete_and_repeatable(genome: Population) -> None:
    first, second = (measure(DIGITS, genome, Hardware(), SMOKE, seed=3) for _ in range(2))
    assert list(first) == list(schema.COLUMNS)
    assert first["status"] == "ok"
    assert all(first[name] is not None for name in schema.COLUMNS)
    assert {n: v for n, v in first.items() if n not in SECONDS} == {n: v for n, v in second.items() if n not in SECONDS}


def test_another_seed_is_another_measurement(genome: Population) -> None:
    rows = [measure(DIGITS, genome, Hardware(), SMOKE, seed) for seed in (0, 1)]
    assert any(rows[0][name] != rows[1][name] for name in schema.ACCURACY_COLUMNS)


def test_on_an_ideal_chip_nothing_varies(genome: Population) -> None:
    row = measure(DIGITS, genome, IDEAL, SMOKE, seed=0)
    assert row["avm"] == row["avm_std"] == row["accuracy_1d_std"] == 0.0
    assert row["accuracy_1s"] == row["accuracy_1mo"] == row["accuracy_digital"]


def test_a_failed_training_is_a_row_with_its_reason(genome: Population, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise torch.OutOfMemoryError("no memory for you\nsecond line")

    monkeypatch.setattr(module, "train_network", broken)
    row = measure(DIGITS, genome, Hardware(), SMOKE, seed=0)
    assert row["status"] == "failed"
    assert row["reason"] == "OutOfMemoryError: no memory for you"
    assert all(row[name] is None for name in schema.ACCURACY_COLUMNS)
    assert row["params"] == 19810


def test_seeds_follow_from_genome_and_seed_but_not_from_the_chip() -> None:
    assert seeds_of(DIGITS, [1, 2], 0) == seeds_of(DIGITS, [1, 2], 0)
    others = [seeds_of(DIGITS, [1, 2], 1), seeds_of(DIGITS, [2, 1], 0)]
    assert seeds_of(DIGITS, [1, 2], 0) not in others
    assert len(set(seeds_of(DIGITS, [1, 2], 0))) == 2


def test_effort_is_what_the_row_records(genome: Population) -> None:
    row = measure(DIGITS, genome, Hardware(), Fidelity("tiny", epochs=1, train_images=130, chips=2), seed=0)
    assert (row["epochs"], row["train_images"], row["chips"], row["validation_images"]) == (1, 130, 2, 400)


def test_what_measuring_needs_is_installed_here() -> None:
    require_training()
