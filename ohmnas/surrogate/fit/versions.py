"""Versions of the packages that fit a surrogate; with other versions, the surrogate may differ."""

from __future__ import annotations

import numpy as np
import scipy
import sklearn
import xgboost as xgb

from ohmnas.version import version


def versions() -> dict[str, str]:
    """Package -> installed version."""
    return {
        "ohmnas": version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "scikit-learn": sklearn.__version__,
        "xgboost": xgb.__version__,
    }
