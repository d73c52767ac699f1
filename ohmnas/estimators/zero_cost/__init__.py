"""Zero-cost proxies: measures of an untrained network on one batch. Only modules that compute them import torch."""

from typing import TYPE_CHECKING

from ohmnas.lazy import attach

if TYPE_CHECKING:
    from ohmnas.estimators.zero_cost.batch import Batch
    from ohmnas.estimators.zero_cost.catalogue import PROXIES
    from ohmnas.estimators.zero_cost.on_chip import OnChip
    from ohmnas.estimators.zero_cost.proxies import ZeroCost
else:
    __getattr__, __dir__ = attach(
        __name__,
        {
            "PROXIES": "ohmnas.estimators.zero_cost.catalogue",
            "Batch": "ohmnas.estimators.zero_cost.batch",
            "OnChip": "ohmnas.estimators.zero_cost.on_chip",
            "ZeroCost": "ohmnas.estimators.zero_cost.proxies",
        },
    )

__all__ = ["PROXIES", "Batch", "OnChip", "ZeroCost"]
