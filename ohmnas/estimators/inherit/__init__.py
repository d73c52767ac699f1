"""Weight inheritance: a network starts from the trained weights of a smaller one. Imports torch when it trains."""

from typing import TYPE_CHECKING

from ohmnas.lazy import attach

if TYPE_CHECKING:
    from ohmnas.estimators.inherit.growth import growth_fault
    from ohmnas.estimators.inherit.inherited import Inherited
    from ohmnas.estimators.inherit.net2net import inherit
else:
    __getattr__, __dir__ = attach(
        __name__,
        {
            "Inherited": "ohmnas.estimators.inherit.inherited",
            "growth_fault": "ohmnas.estimators.inherit.growth",
            "inherit": "ohmnas.estimators.inherit.net2net",
        },
    )

__all__ = ["Inherited", "growth_fault", "inherit"]
