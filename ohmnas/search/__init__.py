"""Problem, strategies, result: finds architectures by asking a predictor. No torch, no surrogate."""

from ohmnas.search.limits import Limits
from ohmnas.search.problem import Problem
from ohmnas.search.result import SearchResult, read_result, write_result
from ohmnas.search.run import Budget, search
from ohmnas.search.strategies import STRATEGIES, Evolution

__all__ = [
    "STRATEGIES",
    "Budget",
    "Evolution",
    "Limits",
    "Problem",
    "SearchResult",
    "read_result",
    "search",
    "write_result",
]
