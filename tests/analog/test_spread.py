"""The parts of the spread against a simulation whose parts are known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from ohmnas.analog.spread import Spread

Right = npt.NDArray[np.bool_]
CHIPS, IMAGES = 25, 60


def _readings(
    rng: np.random.Generator, images: int, chip: float, read: float, chips: int = CHIPS
) -> tuple[Right, Right]:
    """Two readings: each image has a margin, shifted by the chip, by the reading and by noise of its own."""
    margin = rng.normal(0.8, 1.0, size=images)
    kept = rng.normal(0.0, chip, size=(chips, 1))
    first, second = (
        margin + kept + rng.normal(0.0, read, size=(chips, 1)) + rng.normal(0.0, 0.5, size=(chips, images)) > 0
        for _ in range(2)
    )
    return first, second


def _known(chip: float, read: float) -> tuple[float, float]:
    """Variances of the accuracy on infinitely many images: of what a chip keeps, and of the read noise."""
    rng = np.random.default_rng(1)
    first, second = _readings(rng, 20_000, chip, read, chips=2000)
    one, two = first.mean(axis=1), second.mean(axis=1)
    kept = float(np.cov(one, two)[0, 1])
    return kept, float((one.var(ddof=1) + two.var(ddof=1)) / 2 - kept)


@pytest.mark.parametrize(("chip", "read"), [(0.3, 0.2), (0.0, 0.3), (0.3, 0.0), (0.0, 0.0)])
def test_parts_are_estimated_without_bias_from_few_images_and_chips(chip: float, read: float) -> None:
    rng = np.random.default_rng(2)
    found = [Spread.of(*_readings(rng, IMAGES, chip, read)) for _ in range(3000)]
    kept, noise = _known(chip, read)
    for name, expected in (("chip", kept), ("read", noise)):
        values = np.array([getattr(spread, name) for spread in found]) / (1 - 1 / IMAGES)
        assert abs(values.mean() - expected) < 4 * values.std() / np.sqrt(len(values)) + 0.02 * expected
    flips = np.mean([spread.flips for spread in found])
    assert flips > 0
    more = np.mean([Spread.of(*_readings(rng, 4 * IMAGES, chip, read)).flips for _ in range(500)])
    assert more == pytest.approx(flips / 4, rel=0.05)


def test_the_parts_add_up_to_the_variance_of_the_accuracy() -> None:
    first, second = _readings(np.random.default_rng(3), IMAGES, 0.3, 0.2)
    expected = (first.mean(axis=1).var(ddof=1) + second.mean(axis=1).var(ddof=1)) / 2
    assert Spread.of(first, second).variance == pytest.approx(expected, rel=1e-12)


def test_chips_that_agree_have_no_spread() -> None:
    right = np.tile(np.arange(IMAGES) % 3 > 0, (CHIPS, 1))
    assert Spread.of(right, right) == Spread(0.0, 0.0, 0.0)
