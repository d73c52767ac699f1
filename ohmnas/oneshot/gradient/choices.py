"""Choices of a relaxed space, as matrices: all combinations, random combinations, and the most probable one.

Symbols: `n` architectures, `c` choices (such as the six edges of a cell), `m` options of the largest choice. Needs no
torch.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InfeasibleError
from ohmnas.search.limits import COST_LIMITS
from ohmnas.search.problem import Problem
from ohmnas.search.quantities import Values
from ohmnas.spaces.genes import Population

if TYPE_CHECKING:
    from ohmnas.oneshot.gradient.network import SoftNetwork

Choices = npt.NDArray[np.intp]

ENUMERATED: Final = 200_000
"""Largest number of combinations that are listed; larger spaces are sampled."""
SAMPLED: Final = 20_000
"""Number of combinations that are sampled to find the most probable one within the limits."""
_PIECE: Final = 2000
"""Number of combinations whose costs are computed at once, beginning with the most probable ones."""


class Relaxation(ABC):
    """A relaxed space: independent choices, with a probability for each option instead of one value for each gene."""

    skip: ClassVar[int | None] = None
    """Index of the option that returns its input, the same for all choices; None if there is no skip."""

    none: ClassVar[int | None] = None
    """Index of the option that computes nothing, the same for all choices; None if there is no such option."""

    @property
    @abstractmethod
    def sizes(self) -> tuple[int, ...]:
        """``(c,)``: number of options of each choice."""

    @abstractmethod
    def genomes(self, choices: Choices) -> Population:
        """``(n, g)``: canonical genomes of ``(n, c)`` options."""

    @abstractmethod
    def choices_of(self, genomes: Population) -> Choices:
        """``(n, c)``: options of canonical ``(n, g)`` genomes; the inverse of `genomes`."""

    @abstractmethod
    def works(self, genomes: Population) -> npt.NDArray[np.bool_]:
        """``(n,)``: True for networks whose output depends on their input."""

    @abstractmethod
    def network(self) -> SoftNetwork:
        """Build the digital search network, with random weights. Needs torch."""

    @property
    def combinations(self) -> int:
        """Number of combinations of options."""
        return math.prod(self.sizes)

    @property
    def is_enumerable(self) -> bool:
        """True if all combinations can be listed."""
        return self.combinations <= ENUMERATED

    def every(self) -> Choices:
        """``(combinations, c)``: all combinations; the last choice changes fastest."""
        return np.array(np.unravel_index(np.arange(self.combinations), self.sizes)).T


def drawn(probabilities: Values, n: int, rng: np.random.Generator) -> Choices:
    """``(n, c)``: random combinations.

    Args:
        probabilities: ``(c, m)``; rows add up to 1.
        n: number of combinations.
        rng: random generator.
    """
    ends = np.cumsum(probabilities, axis=1)
    ends /= ends[:, -1:]  # exactly 1 at the last option in spite of rounding, so no larger index is drawn
    found: Choices = (rng.random((n, len(ends), 1)) > ends).sum(axis=2)
    return found


def log_probability(choices: Choices, probabilities: Values) -> Values:
    """``(n,)``: logarithm of the probability of each row of ``(n, c)`` options."""
    logs = np.log(np.maximum(probabilities, 1e-300))
    found: Values = logs[np.arange(choices.shape[1]), choices].sum(axis=1)
    return found


def most_probable(
    relaxation: Relaxation, problem: Problem, probabilities: Values, rng: np.random.Generator
) -> tuple[Population, float]:
    """Return the most probable network that meets all limits on costs, ``(1, g)``, and its log probability.

    Only networks that meet the limits are compared. If there are too many combinations to list, the result is the most
    probable network of a sample.

    Args:
        relaxation: the relaxed space.
        problem: the limits.
        probabilities: ``(c, m)``.
        rng: random generator, used if there are too many combinations to list.

    Raises:
        InfeasibleError: no network meets the limits; the message describes the nearest network.
    """
    return _best(relaxation, problem, probabilities, _candidates(relaxation, probabilities, rng))


def check_feasible(relaxation: Relaxation, problem: Problem) -> None:
    """Check before a search that at least one network meets the limits.

    If there are too many combinations to list, this function searches a fixed sample. `most_probable` always includes
    this sample, so it finds a network whenever this function does.

    Raises:
        InfeasibleError: no network meets the limits; the message describes the nearest network.
    """
    choices = relaxation.every() if relaxation.is_enumerable else _fixed_sample(relaxation)
    _best(relaxation, problem, uniform(relaxation), choices)


def _best(
    relaxation: Relaxation, problem: Problem, probabilities: Values, choices: Choices
) -> tuple[Population, float]:
    """Return the most probable of ``(n, c)`` combinations that meets the limits, and its log probability."""
    logs = log_probability(choices, probabilities)
    order = np.argsort(-logs, kind="stable")
    beyond = []
    for start in range(0, len(order), _PIECE):
        rows = order[start : start + _PIECE]
        genomes = relaxation.genomes(choices[rows])
        works = relaxation.works(genomes)
        fitting = np.flatnonzero(works & problem.affordable(genomes))
        if len(fitting):
            return genomes[fitting[:1]], float(logs[rows[fitting[0]]])
        beyond.append(genomes[works])
    raise InfeasibleError(_nearest(problem, np.concatenate(beyond)))


def uniform(relaxation: Relaxation) -> Values:
    """``(c, m)``: equal probabilities for all options of a choice."""
    sizes = np.array(relaxation.sizes)[:, None]
    equal: Values = (np.arange(sizes.max()) < sizes) / sizes
    return equal


def _candidates(relaxation: Relaxation, probabilities: Values, rng: np.random.Generator) -> Choices:
    """All combinations if they can be listed; else random ones, the most probable one and its neighbours.

    Some samples mix in equal probabilities, to reach networks within limits that the most probable networks exceed. The
    last sample is fixed.
    """
    if relaxation.is_enumerable:
        return relaxation.every()
    equal = uniform(relaxation)
    parts = [drawn((1.0 - share) * probabilities + share * equal, SAMPLED // 4, rng) for share in (0.0, 0.1, 0.4)]
    parts.append(_fixed_sample(relaxation))
    top = probabilities.argmax(axis=1)
    near = np.repeat(top[None], sum(relaxation.sizes), axis=0)
    row = 0
    for choice, size in enumerate(relaxation.sizes):
        near[row : row + size, choice] = np.arange(size)
        row += size
    return np.concatenate([top[None], near, *parts])


def _fixed_sample(relaxation: Relaxation) -> Choices:
    return drawn(uniform(relaxation), SAMPLED // 4, np.random.default_rng(0))


def _nearest(problem: Problem, genomes: Population) -> str:
    """Describe the network with the smallest violation of the limits, as a sentence."""
    limits = {cost: getattr(problem.limits, name) for name, cost in COST_LIMITS.items()}
    limits = {cost: most for cost, most in limits.items() if most < np.inf}
    allowed = problem.bounds.contain(genomes) & (problem.space.params(genomes) >= problem.limits.min_params)
    if not limits or not allowed.any():
        return f"none of {len(genomes):,} {problem.space.members} is within the bounds of the search"
    genomes = genomes[allowed]
    costs = problem.quantities(genomes, together=limits)
    excess = np.max([costs[cost] / most - 1.0 for cost, most in limits.items()], axis=0)
    row = int(np.argmin(excess))
    asked = " and ".join(f"at most {_number(most)} {cost}" for cost, most in limits.items())
    has = ", ".join(f"{_number(float(costs[cost][row]))} {cost}" for cost in limits)
    (nearest,) = problem.space.decode(genomes[row : row + 1])
    return f"none of {len(genomes):,} {problem.space.members} has {asked}; the nearest has {has}: {nearest}"


def _number(value: float) -> str:
    return f"{value:.3g}" if value < 1 else f"{value:,.0f}"
