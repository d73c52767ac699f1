from __future__ import annotations

import pytest

from ohmnas.analog.recipe import Recipe
from ohmnas.errors import InvalidValueError


def test_weight_noise_ramps_up_and_the_learning_rate_ends_at_zero() -> None:
    recipe = Recipe(noise_from=0.25, noise_full=0.75, warmup=0.2, learning_rate=0.3)
    assert [recipe.noise(progress) for progress in (0.1, 0.25, 0.5, 0.75, 1.0)] == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert recipe.rate(0.2) == pytest.approx(0.3)
    assert recipe.rate(0.1) == pytest.approx(0.15)
    assert recipe.rate(1.0) == 0.0


@pytest.mark.parametrize("change", [{"warmup": 0.0}, {"warmup": 1.0}, {"noise_from": 0.5, "noise_full": 0.5}])
def test_a_schedule_that_divides_by_zero_is_refused(change: dict[str, float]) -> None:
    with pytest.raises(InvalidValueError, match="must"):
        Recipe(**change)  # type: ignore[arg-type]
