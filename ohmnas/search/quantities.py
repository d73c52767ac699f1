"""What an architecture can be judged by: exact costs and predictions, by name, for whole populations."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError
from ohmnas.lookup import check_name
from ohmnas.spaces.codesign import chip_settings
from ohmnas.spaces.crossbar import crossbar_costs
from ohmnas.spaces.genes import Population
from ohmnas.spaces.memory import peak_memory
from ohmnas.spaces.resnet import ResNetSpace

Values = npt.NDArray[np.float64]


class PredictionLike(Protocol):
    """What a predictor says of n architectures, each ``(n,)``, as fractions."""

    @property
    def accuracy_1d(self) -> Values:
        """Mean accuracy one day after programming."""

    @property
    def accuracy_1d_std(self) -> Values:
        """Its standard deviation over chips, above 0."""

    @property
    def avm(self) -> Values:
        """Accuracy variation over one month."""


PREDICTIONS: Final = ("accuracy_1d", "accuracy_1d_std", "avm")
COSTS: Final = {
    "params": "parameters",
    "macs": "multiply-accumulates of one image",
    "size": "bytes: weights of 8 bits, digital parameters of 32",
    "memory": "activations alive at once",
    "tiles": "crossbar tiles",
    "cells": "cells of these tiles",
    "energy": "joules for one image (proxy)",
    "latency": "seconds for one image (proxy)",
}
"""Cost -> what it is."""
QUANTITIES: Final = (*PREDICTIONS, *COSTS)
LARGER_IS_BETTER: Final = ("accuracy_1d",)
ON_TILES: Final = ("tiles", "cells", "energy", "latency")
"""Costs that depend on the chip."""
_AT_ONCE: Final = 1000
"""Networks whose layers stay near the processor."""


class Quantities:
    """Names -> ``(n,)``, each computed when it is first asked for."""

    def __init__(
        self,
        space: ResNetSpace,
        population: Population,
        chip: Mapping[str, float] | None,
        predicted: PredictionLike | None = None,
        together: Collection[str] = (),
    ) -> None:
        """Wrap a population.

        Args:
            space: gives the costs.
            population: ``(n, g)``, canonical.
            chip: `Hardware.settings()`, for costs on tiles; in a space with chips each has its own instead.
            predicted: what a predictor said of it, for predictions.
            together: costs that will be asked for: computed in one pass over the layers.
        """
        self._space = space
        self._population = population
        self._chip = chip
        self._predicted = predicted
        self._together = {*together}
        self._known: dict[str, Values] = {}

    def __len__(self) -> int:
        return len(self._population)

    def __getitem__(self, name: str) -> Values:
        """The values of one quantity.

        Raises:
            InvalidValueError: it is a cost on tiles, and no chip is known.
            UnknownNameError: there is none of this name.
        """
        if name in COSTS and name not in self._known:
            self._count({name, *self._together} - self._known.keys())
        elif name in PREDICTIONS:
            if self._predicted is None:
                raise InvalidValueError(f"{name} is predicted, and nothing was")
            found: Values = getattr(self._predicted, name)
            return found
        check_name("quantity", QUANTITIES, name)
        return self._known[name]

    def _count(self, names: Collection[str]) -> None:
        """Compute costs, so many networks at once that their layers stay near the processor."""
        if self._chip is None and any(name in ON_TILES for name in names):
            raise InvalidValueError("tiles, cells, energy and latency are those of a chip: give the problem a chip")
        space, n = self._space, len(self._population)
        self._known |= {name: np.empty(n) for name in names}
        for start in range(0, n, _AT_ONCE):
            rows = slice(start, start + _AT_ONCE)
            some = self._population[rows]
            table, crossbar = space.layer_table(some), None
            if self._chip is not None and any(name in ON_TILES for name in names):
                chip = chip_settings(space, some, self._chip)
                crossbar = crossbar_costs(some, space.input_shape, space.classes, chip, table)
            for name in names:
                if name == "memory":
                    values = peak_memory(some, space.input_shape, space.classes, table)
                else:
                    values = getattr(crossbar, name) if name in ON_TILES else getattr(table, name)()
                self._known[name][rows] = values
