from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ohmnas.estimators.zero_cost import Batch, OnChip, ZeroCost
from ohmnas.estimators.zero_cost.deviation import Deviation
from ohmnas.estimators.zero_cost.measure import HIGHEST, LOWEST
from ohmnas.estimators.zero_cost.networks import Networks
from ohmnas.hardware import IDEAL, Hardware
from ohmnas.testing.formula import SPACE

BATCH = Batch.of_noise(SPACE, 16)
POPULATION = SPACE.sample(6, np.random.default_rng(0), max_params=5_000)


def on(chip: OnChip) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return ZeroCost(SPACE, ("deviation",), BATCH, chip=chip).estimate(POPULATION)["deviation"]


def test_drift_takes_signal_away() -> None:
    second, month = on(OnChip(Hardware(), 1.0)), on(OnChip(Hardware(), 30 * 86_400.0))
    assert (second - month).mean() > 0.1
    assert (on(OnChip(IDEAL)) > second.max() + 5.0).all()


def test_values_that_are_not_finite_are_the_worst(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: nn.Module, x: Tensor) -> Tensor:
        return torch.full_like(plain(self, x), torch.nan if self.training else torch.inf)

    networks = Networks(SPACE, BATCH, chip=OnChip(Hardware()))
    with networks.of(POPULATION[0]) as (network, _, _):
        kind = type(network)
    plain = kind.forward
    monkeypatch.setattr(kind, "forward", broken)
    assert Deviation().measure(SPACE, POPULATION[:1], networks).tolist() == [LOWEST]


def test_nothing_changes_without_a_chip() -> None:
    values = Deviation().measure(SPACE, POPULATION[:1], Networks(SPACE, BATCH))
    assert values.tolist() == [HIGHEST]
