"""A small problem: digits, cells, the default chip."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from ohmnas.datasets.tasks.task import task
from ohmnas.hardware import Hardware, hardware
from ohmnas.oneshot.gradient.cells import CellRelaxation
from ohmnas.oneshot.gradient.reading import PathEstimator
from ohmnas.oneshot.gradient.search import _protocol
from ohmnas.oneshot.gradient.settings import Settings
from ohmnas.oneshot.gradient.training import Training
from ohmnas.search.limits import Limits
from ohmnas.search.objective import Accuracy
from ohmnas.search.problem import Problem
from ohmnas.spaces.cells import CellSpace

SPACE = CellSpace((1, 8, 8), 10)
SMALL: dict[str, Any] = {"epochs": 2, "images": 64, "batch": 16, "channels": 4, "settle": 0}
"""Settings of a search that takes a second."""


def settings(**others: Any) -> Settings:
    """Small settings with some of one's own."""
    return Settings(**{**SMALL, **others})


def problem(chip: Hardware | None = None, **limits: float) -> Problem:
    """A problem with limits on costs."""
    chip = chip or hardware("pcm")
    estimator = PathEstimator(_protocol(task("digits").in_space("cells"), settings()), chip, 0, 0)
    asked = Limits(**limits)  # type: ignore[arg-type]
    return Problem(SPACE, estimator, asked, Accuracy(), chip=chip.settings())


def random_probabilities(seed: int) -> npt.NDArray[np.float64]:
    """``(6, 5)``: rows add up to 1."""
    return np.random.default_rng(seed).dirichlet(np.full(5, 0.5), size=6)


@pytest.fixture
def relaxation() -> CellRelaxation:
    return CellRelaxation(SPACE, 4, 1)


@pytest.fixture(scope="session")
def training() -> Callable[..., Training]:
    """Make a small training."""

    def make(asked: Problem | None = None, **others: Any) -> Training:
        chosen = settings(**others)
        protocol = _protocol(task("digits").in_space("cells"), chosen)
        relaxed = CellRelaxation(SPACE, chosen.channels, chosen.cells)
        return Training(protocol, hardware("pcm"), relaxed, asked or problem(), chosen, 0)

    return make
