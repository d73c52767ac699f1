"""Costs and noise of networks on a chip, for whole populations of any space. Does not import torch."""

from typing import TYPE_CHECKING

from ohmnas.lazy import attach

if TYPE_CHECKING:
    from ohmnas.costs.conversion import Conversion
    from ohmnas.costs.crossbar import CrossbarCosts, crossbar_costs
    from ohmnas.costs.noise import NoiseBudget, noise_budget
else:
    __getattr__, __dir__ = attach(
        __name__,
        {
            "Conversion": "ohmnas.costs.conversion",
            "CrossbarCosts": "ohmnas.costs.crossbar",
            "NoiseBudget": "ohmnas.costs.noise",
            "crossbar_costs": "ohmnas.costs.crossbar",
            "noise_budget": "ohmnas.costs.noise",
        },
    )

__all__ = ["Conversion", "CrossbarCosts", "NoiseBudget", "crossbar_costs", "noise_budget"]
