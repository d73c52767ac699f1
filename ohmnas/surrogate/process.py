"""Gaussian processes beside the trees: smooth where those step, so that the mean of both orders better than either.

Matern kernel (nu = 3/2) on standardised features (Rasmussen and Williams, 2006, chapter 2 and equation 4.17). All heads
share its length, so that one kernel serves them all; length and noise of the labels maximise the marginal likelihood of
some hundred rows, then all rows are conditioned on.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from ohmnas.errors import InvalidValueError
from ohmnas.spaces.genes import GENES
from ohmnas.surrogate.features import Features
from ohmnas.surrogate.heads import Values
from ohmnas.threads import one_blas_thread

GENE_WEIGHT: Final = 0.3
"""Of a gene in a distance: what genes imply stands beside them and says more."""
LIKELIHOOD_ROWS: Final = 250
"""Whose marginal likelihood chooses length and noise: it costs their number cubed, several dozen times."""
MOST_ROWS: Final = 2000
"""That are conditioned on, drawn at random from more."""
_AT_ONCE: Final = 192
"""Rows whose kernel stays near the processor."""

Single = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Kernel:
    """What distance means, and how noisy labels are."""

    length: float
    """In standard deviations of the features."""
    noise: Values
    """``(h,)``: variance of each head's noise over that of the kernel."""

    @classmethod
    def fit(cls, features: Features, labels: Values, seed: int = 0) -> Self:
        """Maximise the marginal likelihood: the length by the first head, then each head's noise.

        Args:
            features: ``(n, f)``, genes first.
            labels: ``(n, h)``.
            seed: of the rows that are drawn where there are too many.
        """
        rows = _some(np.random.default_rng(seed), len(labels), LIKELIHOOD_ROWS)
        centre, scale = _standard(features)
        inputs = (features[rows] - centre) * scale
        with one_blas_thread():
            length, noise = _likely(inputs, labels[rows, 0], None)
            others = [_likely(inputs, column, length)[1] for column in labels[rows, 1:].T]
        return cls(length, np.array([noise, *others]))


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
            InvalidValueError: shapes do not belong together, or there is no row.
        """
        rows, features, several = len(self.inputs), len(self.centre), len(self.levels)
        shapes = (self.inputs.shape, self.scale.shape, self.weights.shape)
        if not rows or shapes != ((rows, features), (features,), (rows, several)):
            raise InvalidValueError(
                "a process has rows with as many features as scales, and a weight of each for each head"
            )
        varying = np.flatnonzero(self.scale)
        object.__setattr__(self, "_varying", varying)
        object.__setattr__(self, "_distant", _far(self.inputs[:, varying]))

    @classmethod
    def fit(cls, features: Features, labels: Values, kernel: Kernel, seed: int = 0) -> Self:
        """Condition on rows.

        Args:
            features: ``(n, f)``, genes first.
            labels: ``(n, h)``.
            kernel: of as many heads.
            seed: of the rows that are drawn where there are too many.
        """
        rows = _some(np.random.default_rng(seed), len(labels), MOST_ROWS)
        centre, scale = _standard(features)
        scale /= kernel.length
        inputs = ((features[rows] - centre) * scale).astype(np.float32)
        levels = labels.mean(axis=0)
        with one_blas_thread():
            covariance = _matern(inputs, _far(inputs)).astype(np.float64)
            weights = [
                cho_solve(cho_factor(covariance + noise * np.eye(len(rows)), lower=True), column)
                for noise, column in zip(kernel.noise, (labels[rows] - levels).T, strict=True)
            ]
        return cls(centre, scale, inputs, np.column_stack(weights).astype(np.float32), levels)

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


def _standard(features: Features) -> tuple[Values, Values]:
    """``(f,)`` each: the mean of each feature, and one over its standard deviation, times its weight."""
    centre, spread = features.mean(axis=0, dtype=np.float64), features.std(axis=0, dtype=np.float64)
    scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 1e-6 * (1.0 + np.abs(centre)))
    scale[:GENES] *= GENE_WEIGHT
    return centre, scale


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
    fade = np.negative(kernel, out=space[1])
    np.exp(fade, out=fade)
    kernel += np.float32(1.0)
    kernel *= fade
    return kernel


def _far(rows: Single) -> Single:
    """``(n, f)`` -> ``(f + 2, n)``: what makes distances from these rows a product of matrices.

    Features of a row, the square of its length, and 1, times this, are 3 times the squares of its distances.
    """
    squares = (rows * rows).sum(axis=1)
    far: Single = np.float32(3.0) * np.vstack([np.float32(-2.0) * rows.T, np.ones_like(squares), squares])
    return far


def _likely(inputs: Values, labels: Values, length: float | None) -> tuple[float, float]:
    """The length, unless it is given, and the noise of the largest marginal likelihood."""
    bounds = (1.0, 100.0) if length is None else "fixed"
    matern = Matern(8.0 if length is None else length, bounds, nu=1.5)
    kernel = ConstantKernel(1.0, (1e-2, 1e2)) * matern + WhiteKernel(0.2, (1e-3, 10.0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # at the end of a range: there is nothing to learn
        fitted = GaussianProcessRegressor(kernel, normalize_y=True, random_state=0).fit(inputs, labels).kernel_
    return float(fitted.k1.k2.length_scale), float(fitted.k2.noise_level / fitted.k1.k1.constant_value)


def _some(rng: np.random.Generator, n: int, most: int) -> npt.NDArray[np.intp]:
    return np.arange(n) if n <= most else np.sort(rng.choice(n, most, replace=False))
