"""Defaults of a search: the lowest accuracy, the largest AVM and the initial networks.

A network that guesses has a small spread and no AVM. Tight limits on the AVM, or an objective that divides by the
spread, can therefore trap a search among networks that only guess. A lower limit on accuracy and known networks at
the start prevent this. A useful result also beats hand-designed networks. By default, it must have at least the
predicted accuracy of the best reference network within the same limits, and no larger predicted AVM.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from ohmnas.search.problem import Problem
from ohmnas.search.report import references
from ohmnas.spaces.genes import Population
from ohmnas.targets import VARIATION, variation_of

SLACK: Final = 1e-6
"""Tolerance on limits set by a reference network, as a fraction. The predictions for the same network may round
differently in a different batch."""


def default_floor(best: float, classes: int) -> float:
    """Accuracy halfway between guessing and the highest known accuracy, rounded to the nearest per cent.

    Args:
        best: highest known accuracy, for example `SurrogateModel.best_known`.
        classes: number of classes.
    """
    guessing = 1.0 / classes
    return round((guessing + max(best, guessing)) / 2, 2)


def reference_floor(problem: Problem) -> Problem:
    """Require predictions at least as good as those for the best reference network.

    Of the reference networks that meet all limits of the problem, including soft limits, the best has the highest
    predicted accuracy. Its accuracy becomes the lower limit on accuracy, and its AVM the upper limit on AVM, unless the
    problem's own limits are tighter. With a confidence, its quantiles become the limits, because limits then apply to
    quantiles.

    Returns:
        The problem with these limits and `Limits.reference`. The problem is unchanged if no reference meets its limits,
        or if the estimator does not predict both accuracy and AVM.
    """
    targets = [one.name for one in problem.estimator.targets]
    variation = variation_of(targets).name
    if not {"accuracy_1d", variation} <= {*targets}:
        return problem
    within = [candidate for candidate in references(problem) if not candidate.misses]
    population = np.array([candidate.genome for candidate in within], dtype=np.int16).reshape(-1, problem.genes)
    estimate = problem.estimator.estimate(population)
    quantities, meets = problem.quantities(population, estimate), problem.affordable(population)
    for name, most in problem.limits.soft.items():
        meets &= quantities[name] <= most
    if not meets.any():
        return problem
    row = int(np.argmax(np.where(meets, estimate["accuracy_1d"], -np.inf)))
    lowest, highest = problem.confidence_bounds(estimate)
    limits = replace(
        problem.limits,
        min_accuracy=max(problem.limits.min_accuracy, float(lowest["accuracy_1d"][row]) - SLACK),
        reference=within[row].name,
    )
    limited = [most for target, most in problem.limits.ceilings().values() if target == variation]
    most = min([*limited, float(highest[variation][row]) + SLACK])
    if variation == VARIATION.name:
        limits = replace(limits, max_avm=most)
    else:
        limits = replace(limits, most={**limits.most, variation: most})
    return replace(problem, limits=limits)


def known_networks(problem: Problem) -> Population:
    """``(k, g)``: reference networks within the limits on costs and the bounds on genes, as initial architectures.

    If chips are searched too, each network has its best chip within the bounds.
    """
    genomes = [candidate.genome for candidate in references(problem)]
    population = np.array(genomes, dtype=np.int16).reshape(-1, problem.genes)
    return population[problem.affordable(population)]
