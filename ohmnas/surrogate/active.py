"""Active selection of promising architectures, near the predicted Pareto front. `chooser` adds others from the plan.

An architecture's optimistic accuracy is the `HOPE` quantile of its prediction. An architecture is promising if its
optimistic accuracy is close to the best optimistic accuracy of architectures with no more parameters. Of the
promising architectures, those that differ most from all measured ones are selected. Architectures from the plan keep
the table representative: a surrogate trained only on promising rows cannot recognise bad architectures.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist

from ohmnas.spaces.genes import Population, unseen
from ohmnas.surrogate.features import Values, chipless, feature_matrix, gene_feature_names
from ohmnas.surrogate.model import SurrogateModel

Rows = npt.NDArray[np.intp]

HOPE = 0.9
"""Probability that an accuracy stays below its optimistic value."""
STRICTNESS = 3.0
"""Interest decays exponentially at this rate per standard deviation of the optimistic accuracy below the front."""
CANDIDATES = 4000
"""Number of candidates drawn for each batch."""
PARENTS = 50
"""Number of measured architectures, best first, whose mutants are also candidates: random samples rarely reach the
front."""


def promising(surrogate: SurrogateModel, candidates: Population, measured: Population, k: int) -> Rows:
    """Select k candidates near the front that differ from each other and from the measured architectures.

    Args:
        surrogate: surrogate of the measured architectures.
        candidates: ``(m, g)``.
        measured: ``(n, g)``.
        k: number to select, at most m.

    Returns:
        ``(k,)``: rows of the candidates, in order of selection.
    """
    hoped = surrogate.quantile(surrogate.estimate(candidates), HOPE)["accuracy_1d"]
    order = np.argsort(surrogate.space.params(candidates), kind="stable")
    front = np.empty(len(candidates))
    front[order] = np.maximum.accumulate(hoped[order])
    interest = np.exp(-STRICTNESS * (front - hoped) / max(float(hoped.std()), 1e-9))
    features, known = (_standardised(surrogate, population, candidates) for population in (candidates, measured))
    distance = cdist(features, known).min(axis=1)
    chosen: list[int] = []
    for _ in range(min(k, len(candidates))):
        merit = interest * distance
        merit[chosen] = -1.0
        chosen.append(int(np.argmax(merit)))
        distance = np.minimum(distance, cdist(features, features[chosen[-1:]])[:, 0])
    return np.array(chosen, dtype=np.intp)


def candidates_near(
    surrogate: SurrogateModel,
    measured: Population,
    known: Population,
    max_params: float,
    max_macs: float,
    min_params: float,
    seed: int,
) -> Population:
    """Return new architectures within bounds: half spread over all sizes, half mutants of the best measured ones.

    Args:
        surrogate: surrogate that ranks the measured architectures.
        measured: ``(n, g)``: measured architectures; the best `PARENTS` of them are mutated.
        known: ``(m, g)``: architectures to exclude.
        max_params: largest number of parameters.
        max_macs: largest number of MACs.
        min_params: smallest number of parameters.
        seed: random seed.

    Returns:
        ``(k, g)``, without duplicates.
    """
    space, rng = surrogate.space, np.random.default_rng([seed, len(known)])
    spread = space.sample(CANDIDATES // 2, rng, max_params, max_macs, min_params, at_least=0)
    scores, _ = surrogate.forecast_features(surrogate.features(measured))
    best = measured[np.argsort(-scores, kind="stable")[:PARENTS]]
    mutants = space.mutate(best[rng.integers(len(best), size=CANDIDATES // 2)], rng)
    drawn = np.concatenate([spread, mutants])
    table = space.layers(drawn)
    params = table.params()
    drawn = drawn[(params <= max_params) & (params >= min_params) & (table.macs() <= max_macs)]
    return unseen(drawn, known)


def _standardised(surrogate: SurrogateModel, population: Population, scale: Population) -> Values:
    """Structure and noise features, standardised with the means and standard deviations of `scale`."""
    space = surrogate.space
    derived = slice(len(gene_feature_names(space)), chipless(space))
    features, others = (
        feature_matrix(surrogate.space, some, surrogate.hardware)[:, derived].astype(np.float64)
        for some in (population, scale)
    )
    deviation = others.std(axis=0)
    varied = deviation > 0
    standardised: Values = (features[:, varied] - others[:, varied].mean(axis=0)) / deviation[varied]
    return standardised
