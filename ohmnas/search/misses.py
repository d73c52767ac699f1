"""What is said where nothing meets the limits on predictions: how near the nearest came, and so which to loosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ohmnas.search.evaluation import Evaluation
    from ohmnas.search.problem import Problem
    from ohmnas.spaces.genes import Population


def beyond_predictions(problem: Problem, nearest: tuple[Population, Evaluation] | None, evaluations: int) -> str:
    """None that was evaluated meets the limits on predictions; `nearest` is the one row that misses by least."""
    if nearest is None:
        return "the strategy found no architecture within the limits on costs"
    row, outcome = nearest
    limits = problem.limits
    asked = [f"a predicted AVM of at most {limits.max_avm:g}"] if limits.max_avm < np.inf else []
    asked += [f"a predicted std of at most {limits.max_std:g}"] if limits.max_std < np.inf else []
    if limits.min_accuracy:
        asked.append(f"a predicted 1-day accuracy (min_accuracy) of at least {limits.min_accuracy:g}")
    sure = "" if limits.confidence is None else f" with a probability of {limits.confidence:g}"
    params = int(problem.quantities(row)["params"][0])
    chip = problem.space.chip_names(row)[0]
    on = f", on {chip}" if chip else ""
    return (
        f"none of {evaluations:,} {problem.space.members} within the cost limits has {' and '.join(asked)}{sure}; the "
        f"nearest has {_predicted(problem, outcome)}, "
        f"with {params:,} parameters: {problem.space.decode(row)[0]}{on}; another seed or strategy may come nearer"
    )


def _predicted(problem: Problem, outcome: Evaluation) -> str:
    """What is predicted of one row; with a confidence, what its labels are said not to pass."""
    confidence = problem.limits.confidence
    highest = None if confidence is None else problem.quantile(outcome, confidence)
    lowest = None if confidence is None else problem.quantile(outcome, 1.0 - confidence)
    if highest is None or lowest is None:
        return (
            f"AVM {outcome.avm[0]:.4f}, std {outcome.accuracy_1d_std[0]:.4f} and accuracy {outcome.accuracy_1d[0]:.4f}"
        )
    return (
        f"with that probability AVM {highest.avm[0]:.4f} at most, std {highest.accuracy_1d_std[0]:.4f} at most and "
        f"accuracy {lowest.accuracy_1d[0]:.4f} at least"
    )
