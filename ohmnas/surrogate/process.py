"""Gaussian processes beside the trees: smooth where those step, so that the mean of both orders better than either.

Where there are more rows than a prediction has time for, some of them stand for all (subset of regressors: Rasmussen
and Williams, 2006, section 8.3.1): the kernel reaches them alone, their weights are learned from all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve

from ohmnas.errors import InvalidValueError
from ohmnas.surrogate.features import Features, feature_groups
from ohmnas.surrogate.heads import Values
from ohmnas.surrogate.kernel import Kernel, some, standard
from ohmnas.threads import one_blas_thread

MOST_ROWS: Final = 700
"""That a kernel reaches: the time of a prediction goes by their number."""
SPREAD_ROWS: Final = 250
"""The same for standard deviation and AVM: along the score both are smooth, so that fewer do."""
LEARNED_ROWS: Final = 10_000
"""That are learned from, drawn at random from more."""
_AT_ONCE: Final = 192
"""Rows whose kernel stays near the processor."""
_LARGEST: Final = 1e7
"""Of a feature, a scale, and what lies between: what features are is far below."""
_JITTER: Final = 1e-6
"""Of a variance: rounding of single precision, which must not make a covariance indefinite."""

Single = npt.NDArray[np.float32]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Process:
    """The means of Gaussian processes that have seen some rows."""

    centre: Values
    """``(f,)``: what features are taken from."""
    scale: Values
    """``(f,)``: what they are multiplied with then, the kernel's length in it; 0 for those that never vary."""
    inputs: Single
    """``(n, f)``: the rows, centred and scaled."""
    weights: Single
    """``(n, h)``: of the kernel with each row in the mean of each head."""
    levels: Values
    """``(h,)``: means of the labels."""
    _varying: npt.NDArray[np.intp] = field(init=False, repr=False, compare=False)
    """``(v,)``: features that matter."""
    _distant: Single = field(init=False, repr=False, compare=False)
    """``(v + 2, n)``: `_far` of the rows' features that matter."""

    def __post_init__(self) -> None:
        """Check what a file may have brought.

        Raises:
            InvalidValueError: shapes do not belong together, there is no row, or a number is so large that the square
                of a distance has none in single precision.
        """
        rows, features, several = len(self.inputs), len(self.centre), len(self.levels)
        shapes = (self.inputs.shape, self.scale.shape, self.weights.shape)
        if not rows or shapes != ((rows, features), (features,), (rows, several)):
            raise InvalidValueError(
                "a process has rows with as many features as scales, and a weight of each for each head"
            )
        if max(np.abs(part).max(initial=0.0) for part in (self.centre, self.scale, self.inputs)) > _LARGEST:
            raise InvalidValueError(f"a process has centres, scales and rows of at most {_LARGEST:g}")
        varying = np.flatnonzero(self.scale)
        object.__setattr__(self, "_varying", varying)
        object.__setattr__(self, "_distant", _far(self.inputs[:, varying]))

    @classmethod
    def fit(cls, features: Features, labels: Values, kernel: Kernel, seed: int = 0, most: int = MOST_ROWS) -> Self:
        """Condition on rows.

        Args:
            features: ``(n, f)``.
            labels: ``(n, h)``.
            kernel: of as many features and heads.
            seed: of the rows that are drawn where there are too many.
            most: rows that the kernel reaches.
        """
        rng = np.random.default_rng(seed)
        learned = some(rng, len(labels), LEARNED_ROWS)
        centre, scale = standard(features)
        scale /= kernel.lengths
        inputs = ((features[learned] - centre) * scale).astype(np.float32)
        levels = labels.mean(axis=0)
        rest = labels[learned] - levels
        reached = inputs[some(rng, len(inputs), most)]
        with one_blas_thread():
            far = _far(reached)
            among = _matern(reached, far).astype(np.float64)
            if len(reached) == len(inputs):
                covariance, noisy = among, np.eye(len(reached))
            else:
                across = _matern(inputs, far).astype(np.float64)
                covariance, noisy, rest = across.T @ across, among, across.T @ rest
                covariance.flat[:: len(reached) + 1] += _JITTER * len(inputs)
            weights = [
                cho_solve(cho_factor(covariance + noise * noisy, lower=True), column)
                for noise, column in zip(kernel.noise, rest.T, strict=True)
            ]
        return cls(centre, scale, reached, np.column_stack(weights).astype(np.float32), levels)

    def predict(self, features: Features) -> Values:
        """``(n, h)``: the labels to expect of ``(n, f)`` features."""
        varying = self._varying
        centre, scale = self.centre[varying].astype(np.float32), self.scale[varying].astype(np.float32)
        found = np.empty((len(features), len(self.levels)))
        space = np.empty((2, min(len(features), _AT_ONCE), len(self.inputs)), dtype=np.float32)
        with one_blas_thread():
            for start in range(0, len(features), _AT_ONCE):
                inputs = features[start : start + _AT_ONCE].take(varying, axis=1)
                inputs -= centre
                inputs *= scale
                kernel = _matern(inputs, self._distant, space[:, : len(inputs)])
                np.add(kernel @ self.weights, self.levels, out=found[start : start + _AT_ONCE])
        return found


def fitted_on(
    parts: Sequence[tuple[Rows, Rows]],
    features: Features,
    labels: Values,
    told: int,
    most: int,
    seed: int = 0,
) -> tuple[Process, Values]:
    """Condition on all rows, and on those of each fold with the same kernel.

    Args:
        parts: rows to train on and rows to test, of each fold.
        features: ``(n, f)``.
        labels: ``(n, h)``.
        told: as in `feature_groups`.
        most: rows that a kernel reaches.
        seed: of the rows that are drawn where there are too many.

    Returns:
        The process of all rows, and ``(n, h)``: what the process of each fold expects of the rows that it did not see.
    """
    kernel = Kernel.fit(features, labels, feature_groups(features.shape[1], told), seed)
    expected = np.empty_like(labels)
    for train, test in parts:
        expected[test] = Process.fit(features[train], labels[train], kernel, seed, most).predict(features[test])
    return Process.fit(features, labels, kernel, seed, most), expected


def _matern(one: Single, far: Single, space: Single | None = None) -> Single:
    """``(n, f)`` and `_far` of ``(m, f)`` -> ``(n, m)``: (1 + r) exp(-r), where r is sqrt(3) times the distance.

    Each step is one pass over matrices that stay near the processor: passes are what it costs.

    Args:
        one: rows.
        far: of the others.
        space: ``(2, n, m)``: where to work; the result lies there.
    """
    space = np.empty((2, len(one), far.shape[1]), dtype=np.float32) if space is None else space
    kernel: Single = space[0]
    near = np.empty((len(one), len(far)), dtype=np.float32)
    near[:, :-2], near[:, -2], near[:, -1] = one, (one * one).sum(axis=1), 1.0
    np.matmul(near, far, out=kernel)
    np.abs(kernel, out=kernel)  # the squares of small distances may be rounded to below 0
    np.sqrt(kernel, out=kernel)
    with np.errstate(over="ignore"):  # what is that far away counts nothing
        growth = np.exp(kernel, out=space[1])
    kernel += np.float32(1.0)
    kernel /= growth
    return kernel


def _far(rows: Single) -> Single:
    """``(n, f)`` -> ``(f + 2, n)``: what makes distances from these rows a product of matrices.

    Features of a row, the square of its length, and 1, times this, are 3 times the squares of its distances.
    """
    squares = (rows * rows).sum(axis=1)
    far: Single = np.float32(3.0) * np.vstack([np.float32(-2.0) * rows.T, np.ones_like(squares), squares])
    return far
