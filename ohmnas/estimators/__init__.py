"""Estimators other than the surrogate, from zero-cost proxies to full training runs. Does not import torch."""

from typing import TYPE_CHECKING

from ohmnas.lazy import attach

if TYPE_CHECKING:
    from ohmnas.estimators.cascade import Cascade
    from ohmnas.estimators.catalogue import ESTIMATORS, estimator
else:
    __getattr__, __dir__ = attach(
        __name__,
        {
            "ESTIMATORS": "ohmnas.estimators.catalogue",
            "Cascade": "ohmnas.estimators.cascade",
            "estimator": "ohmnas.estimators.catalogue",
        },
    )

__all__ = ["ESTIMATORS", "Cascade", "estimator"]
