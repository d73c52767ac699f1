"""Search problems, strategies and results. Needs neither torch nor a surrogate.

The package can be called like its function of the same name: ``ohmnas.search(problem, "evolution", seed=0)``.
"""

from typing import TYPE_CHECKING

from ohmnas.lazy import attach, call_as_function

if TYPE_CHECKING:
    from ohmnas.search.defaults import default_floor, known_networks, reference_floor
    from ohmnas.search.estimator import Estimator
    from ohmnas.search.limits import Limits
    from ohmnas.search.objectives import OBJECTIVES
    from ohmnas.search.problem import Problem
    from ohmnas.search.result import SearchResult, read_result, write_result
    from ohmnas.search.run import Budget, search
    from ohmnas.search.strategies import STRATEGIES, Evolution
else:
    __getattr__, __dir__ = attach(
        __name__,
        {
            "OBJECTIVES": "ohmnas.search.objectives",
            "STRATEGIES": "ohmnas.search.strategies",
            "Budget": "ohmnas.search.run",
            "Estimator": "ohmnas.search.estimator",
            "Evolution": "ohmnas.search.strategies.evolution",
            "Limits": "ohmnas.search.limits",
            "Problem": "ohmnas.search.problem",
            "SearchResult": "ohmnas.search.result",
            "known_networks": "ohmnas.search.defaults",
            "read_result": "ohmnas.search.result",
            "reference_floor": "ohmnas.search.defaults",
            "search": "ohmnas.search.run",
            "default_floor": "ohmnas.search.defaults",
            "write_result": "ohmnas.search.result",
        },
    )

call_as_function(__name__)

__all__ = [
    "OBJECTIVES",
    "STRATEGIES",
    "Budget",
    "Estimator",
    "Evolution",
    "Limits",
    "Problem",
    "SearchResult",
    "default_floor",
    "known_networks",
    "read_result",
    "reference_floor",
    "search",
    "write_result",
]
