from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ohmnas.estimators.zero_cost.epe_nas import SMALLEST, EpeNas

from .conftest import ProxyContract
from .test_jacov import Squares

IMAGES = torch.tensor([[1.0, 2.0, 4.0], [2.0, -1.0, 0.5], [0.0, 3.0, 1.0]]).view(3, 1, 1, 3)
LABELS = torch.tensor([0, 0, 1])


class TestEpeNas(ProxyContract):
    name = "epe_nas"


class Many(nn.Module):
    """As many outputs as a task with many classes."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.pad(x.flatten(1).square(), (0, 200))


def sums() -> tuple[float, float]:
    (first, second), one = np.corrcoef(IMAGES.view(3, 3)[:2].numpy()), np.log(1.0 + SMALLEST)
    return float(np.log(np.abs([*first, *second]) + SMALLEST).sum()), float(one)


def test_it_sums_log_correlations_within_each_class() -> None:
    first, second = sums()
    assert EpeNas().score(Squares(), IMAGES, LABELS) == pytest.approx(abs(first) + abs(second), rel=1e-3)


def test_with_many_classes_it_sums_differences_between_them() -> None:
    first, second = sums()
    assert EpeNas().score(Many(), IMAGES, LABELS) == pytest.approx(abs(first / 2 - second), rel=1e-3)
