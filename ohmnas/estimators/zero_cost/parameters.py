"""Number of parameters: the baseline for all other proxies."""

from __future__ import annotations

from ohmnas.estimators.zero_cost.measure import Proxy, Values, proxy_target
from ohmnas.estimators.zero_cost.networks import Networks
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space


class Parameters(Proxy):
    """Exact number of trainable parameters, from the genes."""

    target = proxy_target("params", "parameters")

    def measure(self, space: Space, population: Population, networks: Networks) -> Values:  # noqa: ARG002 - required by `Proxy`
        """``(n,)``."""
        counts: Values = space.params(population).astype(float)
        return counts
