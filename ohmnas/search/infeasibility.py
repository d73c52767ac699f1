"""Error message if no architecture meets the limits on predictions: it shows the nearest one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ohmnas.targets import TARGETS

if TYPE_CHECKING:
    from ohmnas.search.evaluation import Evaluation
    from ohmnas.search.problem import Problem
    from ohmnas.spaces.genes import Population


def beyond_predictions(problem: Problem, nearest: tuple[Population, Evaluation] | None, evaluations: int) -> str:
    """Return the message; `nearest` is the row with the smallest violation."""
    if nearest is None:
        return "the strategy found no architecture within the cost limits"
    row, outcome = nearest
    limits = problem.limits
    asked = [f"a predicted {_title(of)} of at most {most:g}" for of, most in limits.ceilings().values()]
    asked += [
        f"a predicted {_title(of)} ({name}) of at least {least:g}" for name, (of, least) in limits.floors().items()
    ]
    sure = "" if limits.confidence is None else f" with a probability of {limits.confidence:g}"
    params = int(problem.quantities(row)["params"][0])
    chip = problem.space.chip_names(row)[0]
    on = f", on {chip}" if chip else ""
    origin = f"; the limits on accuracy and AVM are those of {limits.reference}" if limits.reference else ""
    return (
        f"none of {evaluations:,} {problem.space.members} within the cost limits has {' and '.join(asked)}{sure}; the "
        f"nearest has {_predicted(problem, outcome)}, "
        f"with {params:,} parameters: {problem.space.decode(row)[0]}{on}; another seed or strategy may come "
        f"nearer{origin}"
    )


def _title(target: str) -> str:
    return TARGETS[target].title


def _predicted(problem: Problem, outcome: Evaluation) -> str:
    """Predictions of one row that have limits, or all of them; with a confidence, the bound that it implies."""
    confidence, estimate = problem.limits.confidence, outcome.estimate
    names = [name for name in estimate.names if name in problem.limits.on_targets()] or [*estimate.names]
    highest = None if confidence is None else problem.quantile(estimate, confidence)
    lowest = None if confidence is None else problem.quantile(estimate, 1.0 - confidence)
    if highest is None or lowest is None:
        return _listed([f"{_title(name)} {estimate[name][0]:.4f}" for name in names])
    ends = [
        f"{_title(name)} of at least {lowest[name][0]:.4f}"
        if TARGETS[name].larger_is_better
        else f"{_title(name)} of at most {highest[name][0]:.4f}"
        for name in names
    ]
    return f"with that probability {_listed(ends)}"


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
