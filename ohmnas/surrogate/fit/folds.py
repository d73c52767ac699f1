"""Cross-validation folds, and a check of labels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import GroupKFold, KFold

from ohmnas.errors import InvalidValueError
from ohmnas.spaces.genes import Population
from ohmnas.surrogate.scales import Values
from ohmnas.targets import DEFAULT_NAMES

Rows = npt.NDArray[np.intp]


def check_labels(y: npt.ArrayLike, n: int) -> Values:
    """Check labels and return them as ``(n, 3)`` floats in the order of `DEFAULT_NAMES`.

    Raises:
        InvalidValueError: the labels have the wrong shape, are not finite or are out of range.
    """
    labels = np.asarray(y, dtype=np.float64)
    if labels.shape != (n, len(DEFAULT_NAMES)) or not np.isfinite(labels).all():
        raise InvalidValueError(f"y must be {n} x {len(DEFAULT_NAMES)} finite numbers; its shape is {labels.shape}")
    if not (np.abs(labels) <= 1.0).all() or (labels[:, :2] < 0.0).any():
        raise InvalidValueError(
            "y must be fractions: accuracies and standard deviations from 0 to 1, AVMs from -1 to 1"
        )
    return labels


def networks_of(population: Population, genes: int) -> Rows:
    """``(n,)``: index of each row's network. The first `genes` columns describe the network, the others the chip."""
    return np.unique(population[:, :genes], axis=0, return_inverse=True)[1].reshape(-1)


def folds(population: Population, genes: int, parts: int, seed: int) -> list[tuple[Rows, Rows]]:
    """Return pairs of training rows and test rows. Each row is tested once, and no network is in both parts.

    Args:
        population: ``(n, g)``.
        genes: number of network genes, the first columns; the others are chip genes.
        parts: number of folds.
        seed: seed of the folds.
    """
    networks = networks_of(population, genes)
    if networks.max() + 1 == len(population):
        return [*KFold(parts, shuffle=True, random_state=seed).split(population)]
    return [*GroupKFold(parts, shuffle=True, random_state=seed).split(population, groups=networks)]
