"""Multiply-accumulates per image."""

from __future__ import annotations

from ohmnas.estimators.zero_cost.measure import Proxy, Values, proxy_target
from ohmnas.estimators.zero_cost.networks import Networks
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space


class Macs(Proxy):
    """Exact number of multiply-accumulates of convolutions and linear layers, from the genes."""

    target = proxy_target("macs", "MACs")

    def measure(self, space: Space, population: Population, networks: Networks) -> Values:  # noqa: ARG002 - required by `Proxy`
        """``(n,)``."""
        counts: Values = space.macs(population).astype(float)
        return counts
