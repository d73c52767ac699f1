from __future__ import annotations

from ohmnas.search.quantities import Quantities
from ohmnas.search.quantity_names import COSTS, QUANTITIES, larger_is_better
from ohmnas.targets import DEFAULTS, TARGETS

from .conftest import CHIP, SPACE, Formula, some


def test_every_cost_and_every_estimated_target_has_values() -> None:
    population = some(3)
    quantities = Quantities(SPACE, population, CHIP, Formula().estimate(population))
    assert {*TARGETS, *COSTS} == {*QUANTITIES}
    assert all(quantities[name].shape == (3,) for name in (*COSTS, *(target.name for target in DEFAULTS)))


def test_costs_are_better_if_smaller_and_targets_as_they_say() -> None:
    assert not any(map(larger_is_better, COSTS))
    assert all(larger_is_better(name) == target.larger_is_better for name, target in TARGETS.items())
