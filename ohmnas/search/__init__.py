"""Problem, strategies, result: finds architectures by asking a predictor. No torch, no surrogate."""

from ohmnas.search.evolution import Evolution
from ohmnas.search.problem import Limits, Problem
from ohmnas.search.result import SearchResult, read_result, write_result
from ohmnas.search.run import Budget, search

__all__ = ["Budget", "Evolution", "Limits", "Problem", "SearchResult", "read_result", "search", "write_result"]
