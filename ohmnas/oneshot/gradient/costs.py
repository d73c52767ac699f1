"""Expected costs of random architectures, with gradients with respect to their probabilities.

If all combinations of choices can be listed, the expectation is the sum of probability times cost over all of them.
This works for any cost, including latency and peak memory, which are not sums over layers. Otherwise, the expectation
is a mean over random architectures, and its gradient is a likelihood ratio estimate (ProxylessNAS with REINFORCE).
Both methods use the exact costs of `ohmnas.costs`, not a model of the costs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import torch
from torch import Tensor

from ohmnas.oneshot.gradient.choices import Relaxation, drawn, uniform
from ohmnas.search.limits import COST_LIMITS
from ohmnas.search.problem import Problem

SAMPLES: Final = 512
"""Number of random architectures for each estimate."""
_REFERENCE: Final = 4096
"""Number of random architectures for the mean cost of a space that cannot be listed."""


class ExpectedCosts:
    """Expected costs, and their part of the loss."""

    def __init__(
        self,
        relaxation: Relaxation,
        problem: Problem,
        weights: Mapping[str, float],
        hinge: float,
        rng: np.random.Generator,
    ) -> None:
        """Prepare the costs that have a weight or a limit.

        Args:
            relaxation: relaxed space.
            problem: limits and chip.
            weights: cost -> weight in the loss.
            hinge: weight of each limit in the loss.
            rng: draws architectures if they cannot be listed.
        """
        self._relaxation, self._problem, self._rng = relaxation, problem, rng
        limits = {cost: float(getattr(problem.limits, name)) for name, cost in COST_LIMITS.items()}
        self.limits = {cost: most for cost, most in limits.items() if most < np.inf}
        """Cost -> limit."""
        self.weights, self._hinge = dict(weights), hinge
        self.names = tuple(dict.fromkeys([*self.weights, *self.limits]))
        """Costs that have a weight or a limit."""
        some = relaxation.every() if relaxation.is_enumerable else drawn(uniform(relaxation), _REFERENCE, rng)
        self._tables = self._costs(some)
        self.means = {name: float(table.mean()) for name, table in self._tables.items()}
        """Cost -> mean over the space if all options of a choice are equally probable: the unit of its weight."""

    def _costs(self, choices: np.ndarray) -> dict[str, Tensor]:
        """Cost -> ``(n,)`` float32."""
        costs = self._problem.quantities(self._relaxation.genomes(choices), together=self.names)
        return {name: torch.from_numpy(costs[name].astype(np.float32)) for name in self.names}

    def expected(self, probabilities: Tensor) -> dict[str, Tensor]:
        """Cost -> its expectation, a scalar.

        Args:
            probabilities: ``(c, m)``; rows add up to 1.
        """
        if not self.names:
            return {}
        if self._relaxation.is_enumerable:
            return {name: self._contracted(table, probabilities) for name, table in self._tables.items()}
        choices = drawn(probabilities.detach().double().numpy(), SAMPLES, self._rng)
        rows = torch.arange(choices.shape[1])
        logs = probabilities[rows, torch.from_numpy(choices)].clamp_min(1e-12).log().sum(dim=1)
        ratio = torch.exp(logs - logs.detach())  # 1, with the gradient of the log probability
        found = {}
        for name, costs in self._costs(choices).items():
            mean = costs.mean()
            found[name] = mean + ((costs - mean) * (ratio - 1.0)).mean()
        return found

    def _contracted(self, table: Tensor, probabilities: Tensor) -> Tensor:
        """The sum of probability times cost over all combinations."""
        for row, size in enumerate(self._relaxation.sizes):
            table = probabilities[row, :size] @ table.view(size, -1)
        return table.squeeze(-1) if table.dim() else table

    def penalty(self, expected: Mapping[str, Tensor]) -> Tensor:
        """Part of the loss: weighted costs, and the relative excess over each limit."""
        total = torch.zeros(())
        for name, weight in self.weights.items():
            total = total + weight * expected[name] / self.means[name]
        for name, most in self.limits.items():
            total = total + self._hinge * torch.relu(expected[name] / most - 1.0)
        return total
