"""Problem, strategies, result: finds architectures by asking a predictor. No torch, no surrogate."""

from ohmnas.search.limits import Limits
from ohmnas.search.problem import Problem
from ohmnas.search.result import SearchResult, read_result, write_result
from ohmnas.search.run import Budget, search
from ohmnas.search.strategies import STRATEGIES, Evolution
from ohmnas.search.usual import known_networks, usual_floor

__all__ = [
    "STRATEGIES",
    "Budget",
    "Evolution",
    "Limits",
    "Problem",
    "SearchResult",
    "known_networks",
    "read_result",
    "search",
    "usual_floor",
    "write_result",
]
