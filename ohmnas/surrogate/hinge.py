r"""The pairwise hinge loss, with the gradient and the curvature that gradient boosting needs.

For scores s and labels y of n rows, over all pairs with y_i > y_j,

    L = 1/n  sum_{y_i > y_j}  max(0, m - (s_i - s_j)).

Call z_ij = m - (s_i - s_j); a pair is *active* when z_ij > 0: it is in the wrong order, or in the right order by less
than the margin m.

**Gradient.** An active pair pulls its better row up and its worse row down with a slope of 1:

    dL/ds_i = 1/n ( #{active pairs in which i is the worse} - #{active pairs in which i is the better} ).

**Hessian.** The hinge is piecewise linear: its second derivative is 0 and Newton's step undefined. We take the
curvature of a quadratic that lies above the hinge and touches it at the present scores (majorisation: de Leeuw and
Lange, 2009). With max(0, z) = (z + |z|) / 2 and |z| <= z^2 / (2|z0|) + |z0| / 2, the majoriser at z0 has the second
derivative 1 / (2|z0|) in z. A step moves s_i and s_j at once, and (a - b)^2 <= 2a^2 + 2b^2 splits the pair into two
separate quadratics with twice that curvature each:

    h_i = 1/n sum_{active pairs with i} 1 / max(|z_ij|, m).

The floor m keeps a pair that is about to become inactive from freezing its rows; for pairs that lack less than m the
quadratic is therefore flatter than the majoriser, and no longer a bound. So a leaf -G/(H + lambda) is the step
that moves its rows by about as much as their pairs lack, and the margin sets the scale of the scores.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]


def pairwise_hinge(scores: Scores, labels: Scores, margin: float) -> float:
    """L, by its definition.

    Args:
        scores: ``(n,)``.
        labels: ``(n,)``; pairs with equal labels do not count.
        margin: m > 0, in units of the scores.
    """
    shortfall = margin - (scores[:, None] - scores[None, :])
    return float(np.maximum(shortfall, 0.0)[labels[:, None] > labels[None, :]].sum() / len(scores))


def gradient_and_curvature(scores: Scores, labels: Scores, margin: float) -> tuple[Scores, Scores]:
    """The gradient of L and the diagonal curvature of its majoriser, each ``(n,)``; see the module's text.

    Args:
        scores: ``(n,)``.
        labels: ``(n,)``.
        margin: m > 0.
    """
    shortfall = margin - (scores[:, None] - scores[None, :])
    active = (labels[:, None] > labels[None, :]) & (shortfall > 0.0)
    gradient = active.sum(axis=0) - active.sum(axis=1).astype(np.float64)
    weight = active / np.maximum(shortfall, margin)
    curvature = weight.sum(axis=0) + weight.sum(axis=1)
    return gradient / len(scores), curvature / len(scores)
