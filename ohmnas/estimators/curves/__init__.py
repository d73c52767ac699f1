"""Learning curves: predict the targets of a whole training run from its first epochs. Needs no torch."""

from typing import TYPE_CHECKING

from ohmnas.lazy import attach

if TYPE_CHECKING:
    from ohmnas.estimators.curves.ensemble import extrapolate, extrapolate_each
    from ohmnas.estimators.curves.families import FAMILIES
    from ohmnas.estimators.curves.halving import Asha, hyperband, rungs, successive_halving
    from ohmnas.estimators.curves.process import CurveEstimator, CurveProcess
else:
    __getattr__, __dir__ = attach(
        __name__,
        {
            "FAMILIES": "ohmnas.estimators.curves.families",
            "Asha": "ohmnas.estimators.curves.halving",
            "CurveEstimator": "ohmnas.estimators.curves.process",
            "CurveProcess": "ohmnas.estimators.curves.process",
            "extrapolate": "ohmnas.estimators.curves.ensemble",
            "extrapolate_each": "ohmnas.estimators.curves.ensemble",
            "hyperband": "ohmnas.estimators.curves.halving",
            "rungs": "ohmnas.estimators.curves.halving",
            "successive_halving": "ohmnas.estimators.curves.halving",
        },
    )

__all__ = [
    "FAMILIES",
    "Asha",
    "CurveEstimator",
    "CurveProcess",
    "extrapolate",
    "extrapolate_each",
    "hyperband",
    "rungs",
    "successive_halving",
]
