"""Which architectures to measure next: half of them where a surrogate hopes most, half wherever the plan goes on.

What is hoped for is the upper end of an interval. The nearer an architecture's comes to the best that is hoped for at
no more parameters, the more it promises; among the promising, those are chosen that differ most from all that was
measured. The other half keeps the table honest everywhere: from rows that were all chosen for their promise, a
surrogate no longer learns what makes the others bad.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist

from ohmnas.spaces.genes import GENES, Population
from ohmnas.surrogate.features import CHIPLESS, Values, feature_matrix
from ohmnas.surrogate.surrogate import Surrogate

Rows = npt.NDArray[np.intp]

HOPE = 0.9
"""Probability with which an accuracy stays below what is hoped for."""
STRICTNESS = 3.0
"""How fast interest fades with the distance from the front, in standard deviations of what is hoped for."""
CANDIDATES = 4000
"""Architectures that a campaign chooses from."""
PARENTS = 50
"""The best measured ones, whose mutants are candidates too: in a small budget, the front is rarely sampled."""


def promising(surrogate: Surrogate, candidates: Population, measured: Population, k: int) -> Rows:
    """Choose k candidates near the front that differ from each other and from what was measured.

    Args:
        surrogate: fitted to what was measured.
        candidates: ``(m, g)``.
        measured: ``(n, g)``.
        k: how many, at most m.

    Returns:
        ``(k,)``: rows of the candidates, first choice first.
    """
    hoped = surrogate.quantile(surrogate.forecast(candidates), HOPE).accuracy_1d
    order = np.argsort(surrogate.space_.params(candidates), kind="stable")
    front = np.empty(len(candidates))
    front[order] = np.maximum.accumulate(hoped[order])
    interest = np.exp(-STRICTNESS * (front - hoped) / max(float(hoped.std()), 1e-9))
    here, there = (_standardised(surrogate, population, candidates) for population in (candidates, measured))
    distance = cdist(here, there).min(axis=1)
    chosen: list[int] = []
    for _ in range(min(k, len(candidates))):
        merit = interest * distance
        merit[chosen] = -1.0
        chosen.append(int(np.argmax(merit)))
        distance = np.minimum(distance, cdist(here, here[chosen[-1:]])[:, 0])
    return np.array(chosen, dtype=np.intp)


def candidates_near(
    surrogate: Surrogate,
    measured: Population,
    known: Population,
    max_params: float,
    max_macs: float,
    min_params: float,
    seed: int,
) -> Population:
    """Architectures within bounds that are not known yet: spread over all sizes, and mutants of the best.

    Args:
        surrogate: says which are the best.
        measured: ``(n, g)``: among them are the parents.
        known: ``(m, g)``: none of these is a candidate.
        max_params: at most so many parameters.
        max_macs: at most so many MACs.
        min_params: at least so many parameters.
        seed: of all that is drawn.

    Returns:
        ``(m, g)``, all different.
    """
    space, rng = surrogate.space_, np.random.default_rng([seed, len(known)])
    spread = space.sample(CANDIDATES // 2, rng, max_params, max_macs, min_params, at_least=0)
    best = measured[np.argsort(-surrogate.rank_scores(measured), kind="stable")[:PARENTS]]
    mutants = space.mutate(best[rng.integers(len(best), size=CANDIDATES // 2)], rng)
    drawn = np.concatenate([spread, mutants])
    table = space.layer_table(drawn)
    params = table.params()
    drawn = drawn[(params <= max_params) & (params >= min_params) & (table.macs() <= max_macs)]
    old = {genome.tobytes() for genome in np.ascontiguousarray(known, dtype=np.int16)}
    fresh = {key: genome for genome in drawn if (key := genome.tobytes()) not in old}
    return np.array(list(fresh.values()), dtype=np.int16).reshape(-1, GENES)


def _standardised(surrogate: Surrogate, population: Population, scale: Population) -> Values:
    """What distinguishes architectures beside their genes: structure and noise, in standard deviations of `scale`."""
    features, others = (
        feature_matrix(surrogate.space_, some, surrogate.hardware_)[:, GENES:CHIPLESS].astype(np.float64)
        for some in (population, scale)
    )
    deviation = others.std(axis=0)
    varied = deviation > 0
    standardised: Values = (features[:, varied] - others[:, varied].mean(axis=0)) / deviation[varied]
    return standardised
