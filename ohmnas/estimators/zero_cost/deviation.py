"""Deviation: how much a chip changes the outputs of an untrained network."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch

from ohmnas.estimators.zero_cost.measure import Proxy, Values, bounded, proxy_target
from ohmnas.estimators.zero_cost.networks import Networks
from ohmnas.estimators.zero_cost.parts import freeze_norms
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space


class Deviation(Proxy):
    """Logarithm of the signal-to-noise ratio of the outputs.

    The signal is the variance of the outputs over the images; the noise is their mean squared change on the chip.
    """

    target = proxy_target("deviation", "signal-to-noise ratio of the outputs")

    def measure(self, space: Space, population: Population, networks: Networks) -> Values:  # noqa: ARG002 - required by `Proxy`
        """``(n,)``: see `Proxy`. Without a chip, each network that passes a signal has the highest value."""
        values = np.empty(len(population))
        exactly = replace(networks, chip=None)
        for row, genome in enumerate(population):
            with exactly.of(genome) as (network, images, _), torch.no_grad():
                freeze_norms(network, images)
                exact = network(images)
            with networks.of(genome) as (network, images, _), torch.no_grad():
                if networks.chip is None:
                    freeze_norms(network, images)
                change = float((network(images) - exact).square().mean())
            signal = float(exact.var(dim=0).mean())
            if not (signal > 0.0 and math.isfinite(signal) and math.isfinite(change)):
                values[row] = math.nan
            else:
                values[row] = math.log(signal / change) if change > 0.0 else math.inf
        return bounded(values)
