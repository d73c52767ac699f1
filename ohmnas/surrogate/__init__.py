"""Surrogates of measured tables: fit, predict, score.

Predicting with a `SurrogateModel` needs only NumPy; `Surrogate`, which fits one, needs scikit-learn and XGBoost. Names
are imported on first use, so predicting does not import these packages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ohmnas.lazy import attach

if TYPE_CHECKING:
    from ohmnas.surrogate.model import SurrogateModel
    from ohmnas.surrogate.shipped import load_surrogate
    from ohmnas.surrogate.surrogate import Surrogate
    from ohmnas.surrogate.training_set import TrainingSet
    from ohmnas.surrogate.transfer import SourceModel
else:
    __getattr__, __dir__ = attach(
        __name__,
        {
            "TrainingSet": "ohmnas.surrogate.training_set",
            "SourceModel": "ohmnas.surrogate.transfer",
            "Surrogate": "ohmnas.surrogate.surrogate",
            "SurrogateModel": "ohmnas.surrogate.model",
            "load_surrogate": "ohmnas.surrogate.shipped",
        },
    )

__all__ = ["SourceModel", "Surrogate", "SurrogateModel", "TrainingSet", "load_surrogate"]
