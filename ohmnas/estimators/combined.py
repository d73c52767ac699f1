"""`Combined`: the targets of two estimators together, such as a surrogate and the latency on a device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError
from ohmnas.estimate import Estimate
from ohmnas.search.estimator import Estimator
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space
from ohmnas.targets import Target


class Combined(Estimator):
    """Targets of two estimators together. Quantiles come from the first estimator; the second counts as exact."""

    def __init__(self, main: Estimator, other: Estimator) -> None:
        """Combine two estimators.

        Args:
            main: predicts the first targets, sets the space and gives quantiles.
            other: adds further targets, for networks of the same space. It receives genomes without chip genes.

        Raises:
            InvalidValueError: both predict the same target, or the spaces differ.
        """
        if twice := {one.name for one in main.targets} & {one.name for one in other.targets}:
            raise InvalidValueError(f"both estimators predict {', '.join(sorted(twice))}")
        if main.space is not None and other.space not in (None, main.space.networks):
            raise InvalidValueError(f"an estimator for {other.space} cannot be added to one for {main.space.networks}")
        self.main, self.other = main, other

    @property
    def targets(self) -> tuple[Target, ...]:
        """Targets of the first, then of the second."""
        return (*self.main.targets, *self.other.targets)

    @property
    def space(self) -> Space | None:
        """Space of the first, or else of the second."""
        return self.main.space or self.other.space

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Provenance of the first, and of the second with the prefix ``other_`` before its names."""
        return {**self.main.provenance, **{f"other_{name}": value for name, value in self.other.provenance.items()}}

    @property
    def has_quantiles(self) -> bool:
        """True if the first has quantiles."""
        return self.main.has_quantiles

    def predicting(self, names: Iterable[str]) -> Combined:
        """Return estimators that also predict these targets: the first predicts all that the second does not."""
        others = {one.name for one in self.other.targets}
        return Combined(self.main.predicting(name for name in names if name not in others), self.other)

    def _networks(self, population: Population) -> Population:
        """Return the genomes without the genes of a chip."""
        return population if self.space is None else population[:, : len(self.space.networks.gene_names)]

    def accepts(self, population: Population) -> npt.NDArray[np.bool_]:
        """``(n,)``: True for architectures that both can estimate."""
        return self.main.accepts(population) & self.other.accepts(self._networks(population))

    def estimate(self, population: Population) -> Estimate:
        """See `Estimator`."""
        parts = self.main.estimate(population), self.other.estimate(self._networks(population))
        return Estimate(self.targets, np.hstack([part.values for part in parts]))

    def quantile(self, estimate: Estimate, probability: float) -> Estimate:
        """See `Estimator`."""
        several = len(self.main.targets)
        main = Estimate(self.main.targets, estimate.values[:, :several])
        found = self.main.quantile(main, probability).values
        return Estimate(self.targets, np.hstack([found, estimate.values[:, several:]]))
