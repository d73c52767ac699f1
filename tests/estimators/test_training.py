from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from ohmnas.datasets.campaign.fidelity import Fidelity, fidelity
from ohmnas.datasets.campaign.measure import measure
from ohmnas.datasets.campaign.protocol import Protocol
from ohmnas.datasets.tasks.task import task
from ohmnas.estimators import estimator
from ohmnas.estimators import training as module
from ohmnas.estimators.training import Trained
from ohmnas.hardware import Hardware
from ohmnas.search.estimator import Estimator
from ohmnas.testing import EstimatorContract

DIGITS = task("digits")
TINY = Fidelity("tiny", epochs=1, batch=32, chips=2, train_images=64, validation_images=50, resolution=4)
POPULATION = DIGITS.space.sample(2, np.random.default_rng(0), max_params=2_000)


class TestTrained(EstimatorContract):
    rows = 2
    max_params = 2_000

    def make(self, seed: int) -> Estimator:
        return Trained(Protocol(DIGITS, TINY), seed)


def test_it_gives_the_values_of_a_campaign() -> None:
    one = Trained(Protocol(DIGITS, TINY), 3)
    (row,) = measure(Protocol(DIGITS, TINY), POPULATION[0], (Hardware(),), 3)
    assert one.estimate(POPULATION[:1]).row(0) == {
        name: row[name] for name in ("accuracy_1d", "accuracy_1d_std", "avm")
    }
    assert one.seconds > 0.0


def test_a_network_is_trained_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []

    def counted(protocol: Protocol, genome: Any, chips: Sequence[Hardware], seed: int) -> Any:
        asked.append(genome.tobytes())
        return measure(protocol, genome, chips, seed)

    monkeypatch.setattr(module, "measure", counted)
    one = Trained(Protocol(DIGITS, TINY))
    one.estimate(POPULATION[[0, 0]])
    one.estimate(POPULATION[:1])
    assert len(asked) == 1


def test_a_failed_training_is_worst(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "measure", lambda *_: [{"status": "failed"}])
    assert Trained(Protocol(DIGITS, TINY)).estimate(POPULATION[:1]).values.tolist() == [[0.0, 1.0, 1.0]]


def test_its_name_identifies_a_training_of_the_table() -> None:
    assert estimator("training", DIGITS, 2).provenance["epochs"] == fidelity("table", "digits").epochs
