"""Versions of the packages that fit a surrogate; other versions may give another surrogate."""

from __future__ import annotations

import numpy as np
import scipy
import sklearn
import xgboost as xgb

import ohmnas


def versions() -> dict[str, str]:
    """Package -> installed version."""
    return {
        "ohmnas": ohmnas.__version__,
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
        "xgboost": xgb.__version__,
    }
