"""Quantities of whole populations: exact costs and predicted targets, by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.costs.conversion import Conversion
from ohmnas.costs.crossbar import crossbar_costs
from ohmnas.errors import InvalidValueError
from ohmnas.estimate import Estimate
from ohmnas.lookup import check_name
from ohmnas.search.quantity_names import COSTS, QUANTITIES
from ohmnas.spaces.codesign import chip_settings
from ohmnas.spaces.genes import Population
from ohmnas.spaces.schedule import LAYER_BY_LAYER, Schedule
from ohmnas.spaces.space import Space
from ohmnas.targets import TARGETS

Values = npt.NDArray[np.float64]


ON_TILES: Final = ("tiles", "cells", "energy", "latency")
"""Costs that depend on the chip."""
_AT_ONCE: Final = 1000
"""Networks per batch; their layers fit into the processor's cache."""


class Quantities:
    """Name -> ``(n,)`` values of a quantity, computed on first use."""

    def __init__(
        self,
        space: Space,
        population: Population,
        chip: Mapping[str, float] | None,
        estimate: Estimate | None = None,
        together: Collection[str] = (),
        conversion: Conversion = Conversion(),  # noqa: B008 - immutable
        schedule: Schedule = LAYER_BY_LAYER,
    ) -> None:
        """Wrap a population.

        Args:
            space: search space.
            population: ``(n, g)``, canonical.
            chip: `Hardware.settings()`, for costs on tiles; None if there is no chip. If designs have their own chips,
                the settings are ignored, but must not be None.
            estimate: predictions of the same rows, for targets.
            together: costs to compute in one pass over the layers.
            conversion: assumptions behind energy and latency.
            schedule: how a microcontroller runs the networks; it determines their memory.
        """
        self._space = space
        self._population = population
        self._chip = chip
        self._estimate = estimate
        self._together = {*together}
        self._conversion = conversion
        self._schedule = schedule
        self._known: dict[str, Values] = {}

    def __len__(self) -> int:
        return len(self._population)

    def __getitem__(self, name: str) -> Values:
        """Values of one quantity.

        Raises:
            InvalidValueError: there is no chip for a cost on tiles, or there are no predictions for a target.
            UnknownNameError: the name is unknown.
        """
        if self._estimate is not None and name in self._estimate:
            return self._estimate[name]
        if name in COSTS and name not in self._known:
            self._count({name, *self._together} - self._known.keys())
        elif name in TARGETS:
            if self._estimate is None:
                raise InvalidValueError(f"{name} is a predicted target, but there are no predictions")
            return self._estimate[name]  # raises an error
        check_name("quantity", QUANTITIES, name)
        return self._known[name]

    def _count(self, names: Collection[str]) -> None:
        """Compute costs in batches that fit into the processor's cache."""
        if self._chip is None and any(name in ON_TILES for name in names):
            raise InvalidValueError("tiles, cells, energy and latency depend on the chip: pass a chip to the problem")
        space, n = self._space, len(self._population)
        self._known |= {name: np.empty(n) for name in names}
        for start in range(0, n, _AT_ONCE):
            rows = slice(start, start + _AT_ONCE)
            some = self._population[rows]
            layers, crossbar = space.layers(some), None
            if self._chip is not None and any(name in ON_TILES for name in names):
                chip = chip_settings(space, some, self._chip)
                crossbar = crossbar_costs(layers, chip, self._conversion)
            for name in names:
                if name == "memory":
                    values = layers.scheduled_memory(self._schedule)
                else:
                    values = getattr(crossbar, name) if name in ON_TILES else getattr(layers, name)()
                self._known[name][rows] = values
