"""Gaussian processes. They are smooth and trees are not, so a mixture of both ranks better than either alone.

If there are too many rows for a fast prediction, a subset represents all (subset of regressors: Rasmussen and Williams,
2006, section 8.3.1): the kernel uses only the subset, and its weights are fitted to all rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError
from ohmnas.surrogate.features import Features
from ohmnas.surrogate.scales import Values
from ohmnas.threads import one_blas_thread

_AT_ONCE: Final = 192
"""Rows per batch; their kernel fits into the processor's cache."""
_LARGEST: Final = 1e7
"""Largest magnitude of a centre, scale or scaled row; real features are far below."""

Single = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class GaussianProcess:
    """Posterior means of h labels; the kernel uses n training rows."""

    columns: npt.NDArray[np.int32]
    """``(v,)``: columns of the features used, increasing; the others never varied."""
    centre: Single
    """``(v,)``: mean of each feature."""
    scale: Single
    """``(v,)``: 1 / (standard deviation x length scale); above 0."""
    inputs: Single
    """``(n, v)``: training rows used by the kernel, centred and scaled."""
    weights: Single
    """``(n, h)``: weights of the kernel with each row, for each label."""
    levels: Values
    """``(h,)``: mean of each label."""
    _far: Single = field(init=False, repr=False, compare=False)
    """``(v + 2, n)``: `far` of the rows."""

    def __post_init__(self) -> None:
        """Check that the arrays fit together.

        Raises:
            InvalidValueError: the arrays do not fit together, there is no row, or a number is so large that a squared
                distance overflows in single precision.
        """
        rows, seen, several = len(self.inputs), len(self.columns), len(self.levels)
        shapes = (self.inputs.shape, self.centre.shape, self.scale.shape, self.weights.shape)
        if not rows or shapes != ((rows, seen), (seen,), (seen,), (rows, several)):
            raise InvalidValueError(
                "a Gaussian process needs rows with one feature per scale, and one weight per row and label"
            )
        if (self.columns < 0).any() or (np.diff(self.columns) <= 0).any() or not (self.scale > 0.0).all():
            raise InvalidValueError(
                "the feature columns of a Gaussian process must be 0 or more and increase, with scales above 0"
            )
        if not max(np.abs(part).max(initial=0.0) for part in (self.centre, self.scale, self.inputs)) <= _LARGEST:
            raise InvalidValueError(f"centres, scales and rows of a Gaussian process must be at most {_LARGEST:g}")
        object.__setattr__(self, "_far", far(self.inputs))

    def predict(self, features: Features) -> Values:
        """``(n, h)``: predicted labels for ``(n, f)`` features."""
        found = np.empty((len(features), len(self.levels)))
        space = np.empty((2, min(len(features), _AT_ONCE), len(self.inputs)), dtype=np.float32)
        with one_blas_thread():
            for start in range(0, len(features), _AT_ONCE):
                inputs = features[start : start + _AT_ONCE].take(self.columns, axis=1)
                inputs -= self.centre
                inputs *= self.scale
                kernel = matern(inputs, self._far, space[:, : len(inputs)])
                np.add(kernel @ self.weights, self.levels, out=found[start : start + _AT_ONCE])
        return found


def matern(one: Single, other: Single, space: Single | None = None) -> Single:
    """Matern kernel (nu = 3/2) of two sets of rows: (1 + r) exp(-r), with r = sqrt(3) times the distance.

    Each step is one pass over matrices that fit into the processor's cache; the number of passes sets the cost.

    Args:
        one: ``(n, f)``.
        other: `far` of ``(m, f)``.
        space: ``(2, n, m)``: workspace, which also holds the result.

    Returns:
        ``(n, m)``.
    """
    space = np.empty((2, len(one), other.shape[1]), dtype=np.float32) if space is None else space
    kernel: Single = space[0]
    near = np.empty((len(one), len(other)), dtype=np.float32)
    near[:, :-2], near[:, -2], near[:, -1] = one, (one * one).sum(axis=1), 1.0
    np.matmul(near, other, out=kernel)
    np.abs(kernel, out=kernel)  # rounding may make squares of small distances negative
    np.sqrt(kernel, out=kernel)
    with np.errstate(over="ignore"):  # rows this far away contribute nothing
        growth = np.exp(kernel, out=space[1])
    kernel += np.float32(1.0)
    kernel /= growth
    return kernel


def far(rows: Single) -> Single:
    """``(n, f)`` -> ``(f + 2, n)``: factor that turns distances from these rows into a matrix product.

    The features of a row, its squared length and 1, times this matrix, give 3 times its squared distances.
    """
    squares = (rows * rows).sum(axis=1)
    factor: Single = np.float32(3.0) * np.vstack([np.float32(-2.0) * rows.T, np.ones_like(squares), squares])
    return factor
