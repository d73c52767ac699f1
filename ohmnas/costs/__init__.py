"""Costs and noise of networks on a chip, for whole populations of any space. Imports no torch."""

from ohmnas.costs.crossbar import CrossbarCosts, crossbar_costs
from ohmnas.costs.noise import NoiseBudget, noise_budget

__all__ = ["CrossbarCosts", "NoiseBudget", "crossbar_costs", "noise_budget"]
