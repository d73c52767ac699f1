"""Shared weights and gradient search: one training run for many networks. Needs torch."""

from typing import TYPE_CHECKING

from ohmnas.lazy import attach

if TYPE_CHECKING:
    from ohmnas.oneshot.estimator import SupernetEstimator
    from ohmnas.oneshot.plan import Plan
    from ohmnas.oneshot.supernet import Supernet
    from ohmnas.oneshot.training import train_supernet
else:
    __getattr__, __dir__ = attach(
        __name__,
        {
            "Plan": "ohmnas.oneshot.plan",
            "Supernet": "ohmnas.oneshot.supernet",
            "SupernetEstimator": "ohmnas.oneshot.estimator",
            "train_supernet": "ohmnas.oneshot.training",
        },
    )

__all__ = ["Plan", "Supernet", "SupernetEstimator", "train_supernet"]
