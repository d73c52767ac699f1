"""`Cascade`: a cheap estimator for all architectures, an expensive one for the best of them."""

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
from ohmnas.targets import DEFAULTS, Target


class Cascade(Estimator):
    """A cheap estimator for all rows and an expensive one for the best rows of each population.

    The expensive estimator also corrects the cheap one: all other rows are shifted by its mean correction. This puts
    all rows on one scale.
    """

    def __init__(
        self, cheap: Estimator, expensive: Estimator, rank_by: Target = DEFAULTS[0], share: float = 0.1
    ) -> None:
        """Combine two estimators.

        Args:
            cheap: predicts every row.
            expensive: predicts the best rows; same targets and space.
            rank_by: target that ranks the rows.
            share: share of each population for `expensive`, above 0 and at most 1, rounded up.

        Raises:
            InvalidValueError: the share is out of range, the estimators differ in targets or space, or `rank_by` is not
                one of the targets.
        """
        if not 0 < share <= 1:
            raise InvalidValueError(f"share must be above 0 and at most 1, not {share}")
        if expensive.targets != cheap.targets:
            raise InvalidValueError("the estimators of a cascade must have the same targets")
        if None not in (cheap.space, expensive.space) and cheap.space != expensive.space:
            raise InvalidValueError("the estimators of a cascade must have the same space")
        if rank_by not in cheap.targets:
            raise InvalidValueError(
                f"rank_by must be a target of both estimators ({', '.join(one.name for one in cheap.targets)}), "
                f"not {rank_by.name}"
            )
        self.cheap, self.expensive, self.rank_by, self.share = cheap, expensive, rank_by, share

    @property
    def targets(self) -> tuple[Target, ...]:
        """Targets of both estimators."""
        return self.cheap.targets

    @property
    def space(self) -> Space | None:
        """Space of the estimators; None if both accept any."""
        return self.cheap.space or self.expensive.space

    def predicting(self, names: Iterable[str]) -> Cascade:
        """Return a cascade of estimators that also predict these targets."""
        names = tuple(names)
        return Cascade(self.cheap.predicting(names), self.expensive.predicting(names), self.rank_by, self.share)

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Provenance of the expensive estimator, or else of the cheap one."""
        return self.expensive.provenance or self.cheap.provenance

    def accepts(self, population: Population) -> npt.NDArray[np.bool_]:
        """``(n,)``: True for architectures that both can estimate."""
        return self.cheap.accepts(population) & self.expensive.accepts(population)

    def estimate(self, population: Population) -> Estimate:
        """See `Estimator`."""
        rough = self.cheap.estimate(population)
        if not len(rough):
            return rough
        several = max(1, int(np.ceil(self.share * len(rough) - 1e-9)))  # floating-point rounding: 0.07 * 100 is above 7
        order = np.argsort(rough[self.rank_by.name], kind="stable")
        best = order[::-1][:several] if self.rank_by.larger_is_better else order[:several]
        exact = self.expensive.estimate(population[best])
        values = rough.values + (exact.values - rough.values[best]).mean(axis=0)
        values[best] = exact.values
        low, high = (np.array([getattr(one, end) for one in self.targets]) for end in ("low", "high"))
        return Estimate(self.targets, np.clip(values, low, high))
