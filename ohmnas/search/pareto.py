"""Pareto fronts: non-dominated rows, crowding and hypervolume. Losses are minimised."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

EXACT: Final = 3
"""Largest number of losses with an exact hypervolume."""
POINTS: Final = 4096
"""Number of points in the estimate for more than `EXACT` losses. The estimate has steps of 0.00024; in tests, its error
is at most 0.005."""
_AT_ONCE: Final = 512
"""Rows compared with all others at a time."""


def front(losses: Values) -> Rows:
    """Rows that no other row dominates; of equal rows, only the first.

    Args:
        losses: ``(n, k)``.

    Returns:
        ``(m,)``, ascending.
    """
    order = np.lexsort(losses.T[::-1])  # a row is dominated only by earlier rows
    standing = np.empty((0, losses.shape[1]))
    kept: list[Rows] = []
    for start in range(0, len(order), _AT_ONCE):
        rows = order[start : start + _AT_ONCE]
        rows = rows[~_beaten(losses[rows], standing)]
        rows = rows[~_beaten_before(losses[rows])]
        kept.append(rows)
        standing = np.concatenate([standing, losses[rows]])
    return np.sort(np.concatenate(kept)) if kept else np.empty(0, dtype=np.intp)


def _beaten(losses: Values, by: Values) -> npt.NDArray[np.bool_]:
    """``(n,)``: rows that a row of `by` dominates or equals."""
    nowhere_above = np.all(by[None, :, :] <= losses[:, None, :], axis=2)
    return np.asarray(np.any(nowhere_above, axis=1), dtype=bool)


def _beaten_before(losses: Values) -> npt.NDArray[np.bool_]:
    """``(n,)``: rows that an earlier row dominates or equals."""
    nowhere_above = (losses[None, :, :] <= losses[:, None, :]).all(axis=2)
    return np.asarray(np.any(np.tril(nowhere_above, -1), axis=1), dtype=bool)


def ranks(losses: Values, enough: int | None = None) -> npt.NDArray[np.intp]:
    """``(n,)``: 0 for the front, 1 for the front of the rest, and so on (Deb et al., NSGA-II, 2002).

    Args:
        losses: ``(n, k)``.
        enough: once this many rows have a rank, all others get the next rank.
    """
    rank = np.full(len(losses), -1, dtype=np.intp)
    level = 0
    while (rank < 0).any():
        left = np.flatnonzero(rank < 0)
        done = enough is not None and len(losses) - len(left) >= enough
        rank[left if done else left[front(losses[left])]] = level
        level += 1
    return rank


def crowding(losses: Values) -> Values:
    """``(n,)``: crowding distance (Deb et al., NSGA-II, 2002), infinite for the extreme rows of each loss.

    It is the distance between the two neighbours of a row, relative to the range of the loss, summed over the losses.
    """
    n, several = losses.shape
    distance = np.zeros(n)
    for column in range(several):
        order = np.argsort(losses[:, column], kind="stable")
        sorted_losses = losses[order, column]
        span = sorted_losses[-1] - sorted_losses[0]
        distance[order[[0, -1]]] = np.inf
        if span > 0 and n > 2:
            distance[order[1:-1]] += (sorted_losses[2:] - sorted_losses[:-2]) / span
    return distance


def hypervolume(losses: Values, end: float = 1.0) -> float:
    """Volume between a front and the point where each loss is `end`, relative to the unit cube.

    It is exact for up to `EXACT` losses, computed by slices along the last loss (Knowles, 2002). The number of slices
    grows exponentially with the number of losses, so with more losses the volume is estimated by the dominated share
    of `POINTS` points of a fixed Sobol sequence.

    Args:
        losses: ``(n, k)``, k at least 1; rows beyond `end` are ignored, losses below 0 count as 0.
        end: reference point, the same for each loss.
    """
    inside = np.maximum(losses[(losses < end).all(axis=1)], 0.0)
    if not len(inside):
        return 0.0
    if inside.shape[1] <= EXACT:
        return _volume(inside[front(inside)], end)
    from scipy.stats import qmc  # slow to import and rarely needed

    points = end * qmc.Sobol(inside.shape[1], scramble=False).random(POINTS)
    dominated = [_beaten(points[start : start + _AT_ONCE], inside) for start in range(0, POINTS, _AT_ONCE)]
    return float(np.concatenate(dominated).mean()) * float(end ** inside.shape[1])


def _volume(losses: Values, end: float) -> float:
    if losses.shape[1] == 1:
        return end - float(losses.min())
    losses = losses[np.argsort(losses[:, -1], kind="stable")]
    if losses.shape[1] == 2:
        lowest = np.minimum.accumulate(losses[:, 0])
        return float((np.diff(losses[:, 1], append=end) * (end - lowest)).sum())
    depths = np.diff(losses[:, -1], append=end)
    volume = 0.0
    standing = losses[:0, :-1]
    for row, depth in zip(losses[:, :-1], depths, strict=True):
        if not _beaten(row[None, :], standing)[0]:
            standing = np.concatenate([standing[~_beaten(standing, row[None, :])], row[None, :]])
        if depth > 0:
            volume += float(depth) * _volume(standing, end)
    return volume


def thinned(losses: Values, most: int) -> Rows:
    """``(m,)``: up to `most` rows of a front, ascending. Drops the most crowded rows, a few at a time."""
    rows = np.arange(len(losses))
    while len(rows) > most:
        drop = min(max((len(rows) - most) // 4, 1), len(rows) - most)
        rows = np.sort(rows[np.argsort(-crowding(losses[rows]), kind="stable")[:-drop]])
    return rows
