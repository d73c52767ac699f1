"""Extrapolation of one learning curve: parametric families, weighted by their likelihood (Domhan et al., IJCAI 2015).

Domhan et al. sample the parameters; here, each family is fitted by bounded least squares. Some curves have only three
points and some families four parameters, so the fit includes a normal prior on the parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import least_squares

from ohmnas.errors import InvalidValueError
from ohmnas.estimators.curves.families import FAMILIES, Family, Values
from ohmnas.lookup import look_up

NOISE: Final = 0.05
"""Standard deviation of a point on a curve: the accuracy on one chip and a few hundred images, during training."""
WIDTH: Final = 0.1
"""Standard deviation of a parameter under the prior, as a share of its range. The prior is narrow, because three to six
points do not determine four parameters."""
_MOST_STEPS: Final = 60


def extrapolate(
    epochs: npt.ArrayLike,
    values: npt.ArrayLike,
    at: float,
    families: Mapping[str, Family] = FAMILIES,
    noise: float = NOISE,
) -> tuple[float, float]:
    """Predict a rising learning curve at a later epoch.

    Args:
        epochs: ``(k,)``: epochs, at least 1 and strictly increasing.
        values: ``(k,)``: values in [0, 1], such as accuracies.
        at: epoch to predict.
        families: families of the ensemble.
        noise: standard deviation of a value.

    Returns:
        Weighted mean and standard deviation over the families. A family that falls below the last value by more than
        twice the noise is ignored. If all are ignored, the last value and the noise are returned.

    Raises:
        InvalidValueError: there is no value, the numbers of epochs and values differ, the epochs are below 1 or
            not strictly increasing, or a value is outside [0, 1].
    """
    epochs, values = np.asarray(epochs, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if not len(epochs) or len(epochs) != len(values):
        raise InvalidValueError(
            f"a learning curve needs one value per epoch and at least one epoch, not {len(values)} values and "
            f"{len(epochs)} epochs"
        )
    if epochs[0] < 1 or (np.diff(epochs) <= 0).any():
        raise InvalidValueError(
            f"the epochs of a learning curve must be at least 1 and increase, not {epochs.tolist()}"
        )
    if not ((values >= 0.0) & (values <= 1.0)).all():
        raise InvalidValueError("the values of a learning curve must be from 0 to 1")
    ends, costs = [], []
    for family in families.values():
        end, cost = _fitted(family, epochs, values, at, noise)
        if np.isfinite(end) and end >= values[-1] - 2.0 * noise:
            ends.append(min(max(end, 0.0), 1.0))
            costs.append(cost)
    if not ends:
        return float(values[-1]), noise
    found, weights = np.array(ends), np.exp(min(costs) - np.array(costs))
    weights /= weights.sum()
    mean = float(weights @ found)
    return mean, float(np.sqrt(weights @ (found - mean) ** 2))


def extrapolate_each(epochs: npt.ArrayLike, curves: Values, at: float, families: Iterable[str] = FAMILIES) -> Values:
    """``(n, 2)``: means and standard deviations (`extrapolate`) for ``(n, k)`` curves; NaN marks unknown values.

    The result is NaN for a curve without any value.

    Args:
        epochs: ``(k,)``: epochs of the columns.
        curves: ``(n, k)``: values in [0, 1].
        at: epoch to predict.
        families: names of the families of the ensemble.

    Raises:
        InvalidValueError: a value is outside [0, 1], or the epochs are below 1 or not strictly increasing.
        UnknownNameError: a family is unknown.
    """
    chosen = {name: look_up("family of curves", FAMILIES, name) for name in families}
    after = np.asarray(epochs, dtype=np.float64)
    found = np.full((len(curves), 2), np.nan)
    for row, values in enumerate(curves):
        known = np.isfinite(values)
        if known.any():
            found[row] = extrapolate(after[known], values[known], at, chosen)
    return found


def _fitted(family: Family, epochs: Values, values: Values, at: float, noise: float) -> tuple[float, float]:
    """Prediction with the best parameters, and their negative log posterior plus their number (Akaike, 1974)."""
    low, start, high = (np.array(ends) for ends in (family.low, family.start, family.high))
    scale = WIDTH * (high - low)

    def residuals(parameters: Values) -> Values:
        away = (family.curve(epochs, *parameters) - values) / noise
        return np.concatenate([away, (parameters - start) / scale])

    found = least_squares(residuals, start, bounds=(low, high), x_scale=scale, max_nfev=_MOST_STEPS, ftol=1e-4)
    end = family.curve(np.array([float(at)]), *found.x)
    return float(end[0]), float(found.cost) + len(start)
