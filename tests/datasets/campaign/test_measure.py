from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ohmnas.datasets.campaign import measure as module
from ohmnas.datasets.campaign.fidelity import Fidelity, fidelity
from ohmnas.datasets.campaign.limits import NO_LIMITS, LimitError, RowLimits, Watch
from ohmnas.datasets.campaign.measure import curve_epochs, measure, train_network
from ohmnas.datasets.campaign.protocol import Protocol, training_settings
from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.schema import Row
from ohmnas.datasets.tasks.task import task
from ohmnas.errors import DivergedError, InvalidValueError
from ohmnas.hardware import HERMES, IDEAL, RERAM, Hardware
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet.genes import GENE_NAMES
from ohmnas.spaces.resnet.references import reference

SMOKE = fidelity("smoke", "digits")
DIGITS = task("digits")
SECONDS = set(schema.SECONDS_COLUMNS)


@pytest.fixture
def genome() -> Population:
    genome: Population = DIGITS.space.encode([reference("resnet8-w8")])[0]
    return genome


def one_row(
    genome: Population,
    seed: int,
    chip: Hardware = Hardware(),  # noqa: B008 - frozen
    effort: Fidelity = SMOKE,
    limits: RowLimits = NO_LIMITS,
) -> Row:
    (row,) = measure(Protocol(DIGITS, effort), genome, [chip], seed, limits)
    return row


def test_a_row_is_complete_and_repeatable(genome: Population) -> None:
    first, second = (one_row(genome, seed=3) for _ in range(2))
    assert list(first) == list(schema.columns(GENE_NAMES))
    assert first["status"] == "ok"
    assert all(first[name] is not None for name in schema.columns(GENE_NAMES))
    assert {n: v for n, v in first.items() if n not in SECONDS} == {n: v for n, v in second.items() if n not in SECONDS}


def test_another_seed_is_another_measurement(genome: Population) -> None:
    rows = [one_row(genome, seed) for seed in (0, 1)]
    assert any(rows[0][name] != rows[1][name] for name in schema.ACCURACY_COLUMNS)


def test_on_an_ideal_chip_nothing_varies(genome: Population) -> None:
    row = one_row(genome, 0, IDEAL)
    assert row["avm"] == row["avm_std"] == row["accuracy_1d_std"] == 0.0
    assert row["accuracy_1s"] == row["accuracy_1mo"]
    # the digital accuracy has batch norm statistics of its own, over other batches
    assert abs(float(row["accuracy_1s"] or 0) - float(row["accuracy_digital"] or 0)) <= 0.03
    assert row["spread_flips"] == row["spread_read"] == row["spread_chip"] == 0.0


def test_a_training_that_diverges_is_a_row_with_its_reason(genome: Population, monkeypatch: pytest.MonkeyPatch) -> None:
    def diverging(*arguments: object, **settings: object) -> None:
        raise DivergedError("the loss was not finite in epoch 1 of 1")

    monkeypatch.setattr(module, "train_network", diverging)
    row = one_row(genome, 0)
    assert row["status"] == "failed"
    assert row["reason"] == "the loss was not finite in epoch 1 of 1"
    assert all(row[name] is None for name in schema.ACCURACY_COLUMNS)
    assert row["params"] == 19810


def test_unexpected_errors_do_not_become_rows(genome: Population, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object, **settings: object) -> None:
        raise RuntimeError("a bug, or a disk, or memory that another program holds")

    monkeypatch.setattr(module, "train_network", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        one_row(genome, 0)


def test_a_row_that_takes_too_long_is_a_failed_row(genome: Population) -> None:
    row = one_row(genome, 0, limits=RowLimits(seconds=1e-6))
    assert row["status"] == "failed"
    assert row["reason"] == "stopped after 1e-06 s, the limit for a row"


def test_limits_hold_while_chips_are_read_too(genome: Population, monkeypatch: pytest.MonkeyPatch) -> None:
    trained: list[bool] = []

    def training(*arguments: Any, **settings: Any) -> Any:
        result = train_network(*arguments, **settings)
        trained.append(True)
        return result

    class Late(Watch):
        def __call__(self) -> None:
            if trained:
                raise LimitError("late")

    monkeypatch.setattr(module, "train_network", training)
    monkeypatch.setattr(module, "Watch", Late)
    assert one_row(genome, 0)["reason"] == "late"


def test_a_chip_whose_reading_exceeds_a_limit_costs_the_others_nothing(
    genome: Population, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hasty(Watch):
        readings = 0

        def next_reading(self) -> None:
            self.readings += 1

        def __call__(self) -> None:
            if self.readings == 1:
                raise LimitError("late")

    monkeypatch.setattr(module, "Watch", Hasty)
    rows = measure(Protocol(DIGITS, SMOKE), genome, [Hardware(), RERAM], 3)
    assert [row["status"] for row in rows] == ["failed", "ok"]
    assert rows[0]["reason"] == "late"


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")
def test_a_row_that_needs_too_much_memory_is_a_failed_row(genome: Population) -> None:
    large = DIGITS.space.encode([reference("resnet34")])[0]  # 21 million parameters: 250 MB with their gradients
    row = one_row(large, 0, limits=RowLimits(gib=0.1))
    assert row["status"] == "failed"
    assert row["reason"] == "needs more than 0.1 GiB, the limit for a row"
    assert one_row(genome, 0, limits=RowLimits(gib=16.0))["status"] == "ok"


def test_chips_share_the_training_where_it_is_the_same(genome: Population) -> None:
    protocol = Protocol(DIGITS, SMOKE)
    together = measure(protocol, genome, [Hardware(), RERAM], 3)
    alone = [one_row(genome, 3, chip) for chip in (Hardware(), RERAM)]
    for first, second in zip(together, alone, strict=True):
        assert {n: v for n, v in first.items() if n not in SECONDS} == {
            n: v for n, v in second.items() if n not in SECONDS
        }
    assert together[0]["train_seconds"] == together[1]["train_seconds"]
    assert training_settings(Hardware()) == training_settings(RERAM) != training_settings(HERMES)
    with pytest.raises(InvalidValueError, match="cannot share"):
        measure(protocol, genome, [Hardware(), HERMES], 3)


def test_effort_is_what_the_row_records(genome: Population) -> None:
    row = one_row(
        genome,
        0,
        effort=Fidelity("tiny", epochs=1, batch=32, chips=2, train_images=130, validation_images=90, resolution=4),
    )
    assert (row["epochs"], row["train_images"], row["chips"], row["validation_images"]) == (1, 130, 2, 90)
    assert (row["resolution"], row["protocol"], row["technology"]) == (4, schema.PROTOCOL_VERSION, "pcm")


def test_a_row_has_its_learning_curves(genome: Population) -> None:
    effort = Fidelity("tiny", epochs=8, batch=32, chips=2, train_images=128, validation_images=50)
    row = one_row(genome, 0, effort=effort)
    losses, accuracies = schema.points(str(row["loss_curve"])), schema.points(str(row["accuracy_curve"]))
    assert list(losses) == list(range(1, 9))
    assert losses[8] < losses[1]
    assert tuple(accuracies) == curve_epochs(8) == (1, 2, 4, 6)
    assert all(round(50 * value, 6) % 1 == 0 for value in accuracies.values())


def test_validation_images_are_trained_on_for_a_verification_alone() -> None:
    few = Fidelity("few", epochs=1, batch=32, chips=2)
    data = Protocol(DIGITS, few).data()
    more = Protocol(DIGITS, replace(few, trains_on_validation=True)).data()
    assert len(more.train.labels) == len(data.train.labels) + len(data.validation.labels)
    assert len(more.test.labels) == len(data.test.labels)


def test_adaptive_batch_norm_is_measured_on_the_same_training(genome: Population) -> None:
    adaptive = replace(Hardware(), name="adaptive", batch_norm="adaptive")
    effort = Fidelity("tiny", epochs=2, batch=32, chips=3)
    fixed, found = measure(Protocol(DIGITS, effort), genome, [Hardware(), adaptive], 0)
    assert fixed["loss_curve"] == found["loss_curve"]
    assert (fixed["hw_batch_norm"], found["hw_batch_norm"]) == (0.0, 1.0)
    assert fixed["accuracy_1mo"] != found["accuracy_1mo"]
    assert fixed["accuracy_digital"] == found["accuracy_digital"]
