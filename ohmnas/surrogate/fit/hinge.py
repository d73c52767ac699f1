r"""Pairwise hinge loss, with gradient and curvature for gradient boosting.

For scores s and labels y of n rows, over all pairs with y_i > y_j,

    L = 1/n  sum_{y_i > y_j}  max(0, m - (s_i - s_j)).

Call z_ij = m - (s_i - s_j); a pair is *active* when z_ij > 0: it is in the wrong order, or in the right order by less
than the margin m.

With an emphasis e > 0, each pair has the weight r^e, divided by the mean of r^e over all pairs. Here, r is the share of
rows that are not better than the better row of the pair, so mistakes among the best rows count more.

**Gradient.** An active pair pulls its better row up and its worse row down with a slope of 1:

    dL/ds_i = 1/n ( #{active pairs in which i is the worse} - #{active pairs in which i is the better} ).

**Hessian.** The hinge is piecewise linear: its second derivative is 0 and Newton's step undefined. We use the
curvature of a quadratic that lies above the hinge and touches it at the current scores (majorisation: de Leeuw and
Lange, 2009). With max(0, z) = (z + |z|) / 2 and |z| <= z^2 / (2|z0|) + |z0| / 2, the majoriser at z0 has the second
derivative 1 / (2|z0|) in z. A step moves s_i and s_j at once, and (a - b)^2 <= 2a^2 + 2b^2 splits the pair into two
separate quadratics with twice that curvature each:

    h_i = 1/n sum_{active pairs with i} 1 / max(|z_ij|, m).

The lower limit m keeps a pair that is about to become inactive from freezing its rows. For pairs with z_ij < m, the
quadratic is therefore flatter than the majoriser and no longer a bound. A leaf -G/(H + lambda) thus moves its rows by
about the z_ij of their pairs, and the margin sets the scale of the scores.

**Many rows.** There are O(n^2) pairs of n rows. Above `MOST_ROWS` rows, each call uses a random sample: it pairs each
row with `PARTNERS` log2(n) others. Gradient and curvature are scaled up to all pairs and stay unbiased estimates.
Boosting averages their sampling error over its rounds, as it does for the rows sampled for each tree.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]

BLOCK = 64
"""Rows per block; a block is compared with all rows below it at once."""
MOST_ROWS = 3000
"""Largest number of rows for which all pairs are used."""
PARTNERS = 20
"""Above `MOST_ROWS` rows, each row gets this number times log2(n) partners per call."""
SHIFTS = 16
"""Partners of each row that are compared at once."""


def pairwise_hinge(scores: Scores, labels: Scores, margin: float) -> float:
    """L, computed from its definition.

    Args:
        scores: ``(n,)``.
        labels: ``(n,)``; pairs with equal labels are ignored.
        margin: m > 0, in units of the scores.
    """
    shortfall = margin - (scores[:, None] - scores[None, :])
    return float(np.maximum(shortfall, 0.0)[labels[:, None] > labels[None, :]].sum() / len(scores))


class HingeObjective:
    """Gradient of L and diagonal curvature of its majoriser, for fixed labels and any scores.

    Rows are sorted by label once, so each block of rows is compared only with rows below it: half of all pairs, in
    blocks that fit into the processor's cache.
    """

    def __init__(
        self,
        labels: Scores,
        margin: float,
        precision: type[np.floating[Any]] = np.float32,
        seed: int = 0,
        emphasis: float = 0.0,
    ) -> None:
        """Sort the labels.

        Args:
            labels: ``(n,)``.
            margin: m > 0.
            precision: type for differences of scores; XGBoost uses float32.
            seed: seed of the sampled pairs.
            emphasis: extra weight of pairs with a good row; 0 is none.
        """
        self._precision = precision
        self._margin = precision(margin)
        self._labels = labels
        self._rng = np.random.default_rng(seed)
        self._weights = _weights(labels, emphasis).astype(precision) if emphasis else None
        if len(labels) > MOST_ROWS:
            return
        self._order = np.argsort(labels, kind="stable")
        ordered = labels[self._order]
        self._blocks = [
            (start, stop := min(start + BLOCK, len(labels)), ordered[start:stop, None] > ordered[None, :stop])
            for start in range(0, len(labels), BLOCK)
        ]

    def __call__(self, scores: Scores) -> tuple[Scores, Scores]:
        """``(n,)`` scores -> gradient and curvature, each ``(n,)``; see the module docstring."""
        return self._all_pairs(scores) if len(scores) <= MOST_ROWS else self._some_pairs(scores)

    def _some_pairs(self, scores: Scores) -> tuple[Scores, Scores]:
        """Pair row i with row i + shift (cyclic) for random shifts: rows and pairs are sampled evenly."""
        n = len(scores)
        partners = math.ceil(PARTNERS * math.log2(n))
        shifts = self._rng.choice(n - 1, size=partners, replace=False) + 1
        here, labels = scores.astype(self._precision), self._labels
        rows = np.arange(n)
        gradient, curvature = np.zeros(n), np.zeros(n)
        for start in range(0, partners, SHIFTS):
            there = (rows + shifts[start : start + SHIFTS, None]) % n
            sign = np.sign(labels - labels[there]).astype(self._precision)  # 1: this row is better
            shortfall = self._margin - sign * (here - here[there])
            active = (shortfall > 0.0) & (sign != 0.0)
            pull = np.where(active, sign, 0.0)
            weight = active / np.maximum(shortfall, self._margin)
            if self._weights is not None:
                counts = np.where(sign > 0.0, self._weights, self._weights[there])
                pull *= counts
                weight *= counts
            gradient -= pull.sum(axis=0)
            gradient += np.bincount(there.ravel(), pull.ravel(), n)
            curvature += weight.sum(axis=0)
            curvature += np.bincount(there.ravel(), weight.ravel(), n)
        scale = (n - 1) / (2.0 * partners)
        return scale * gradient / n, scale * curvature / n

    def _all_pairs(self, scores: Scores) -> tuple[Scores, Scores]:
        n = len(scores)
        ordered = scores[self._order].astype(self._precision)
        gradient, curvature = np.zeros(n), np.zeros(n)
        for start, stop, better in self._blocks:
            shortfall = (self._margin - ordered[start:stop, None]) + ordered[None, :stop]
            active = (shortfall > 0.0) & better
            np.maximum(shortfall, self._margin, out=shortfall)
            if self._weights is None:
                gradient[:stop] += active.sum(axis=0, dtype=np.int32)
                gradient[start:stop] -= active.sum(axis=1, dtype=np.int32)
                weight = np.divide(active, shortfall, out=shortfall)
            else:
                counts = self._weights[self._order[start:stop], None]
                pull = active * counts
                gradient[:stop] += pull.sum(axis=0)
                gradient[start:stop] -= pull.sum(axis=1)
                weight = np.divide(pull, shortfall, out=shortfall)
            curvature[:stop] += weight.sum(axis=0)
            curvature[start:stop] += weight.sum(axis=1)
        result = np.empty((2, n))
        result[:, self._order] = gradient / n, curvature / n
        return result[0], result[1]


def _weights(labels: Scores, emphasis: float) -> Scores:
    """``(n,)``: weight of pairs whose better row is this one; 1 on average over all pairs."""
    ordered = np.sort(labels)
    not_better = np.searchsorted(ordered, labels, side="right") / len(labels)
    worse = np.searchsorted(ordered, labels, side="left")
    weights = not_better**emphasis
    pairs = worse.sum()
    return weights * (pairs / (weights @ worse)) if pairs else weights
