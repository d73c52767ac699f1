"""Which architectures a campaign measures.

A plan that is spread evenly over log parameters shows the whole space, but hardly ever proposes a network that beats a
hand-made one of its size, and a surrogate cannot learn of what it never saw. So half of the usual plan are mutants of
the reference networks.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ohmnas.datasets.task import Task
from ohmnas.errors import InfeasibleError
from ohmnas.lookup import check_name
from ohmnas.spaces.genes import Population
from ohmnas.spaces.reference import REFERENCES
from ohmnas.spaces.resnet import MUTATION_RATES

PLAN_BLOCK: Final = 96
"""Architectures are planned in blocks of at most this size."""
PLANS: Final = ("mixed", "spread")
"""`spread`: evenly over log parameters. `mixed`: by turns from `spread` and from mutants of the references."""
MUTATIONS: Final = 4
"""Of a mutant at most: it is 1 to 4 mutations away from its reference."""
_PATIENCE: Final = 100
"""Blocks without a new architecture after which the bounds are taken to hold no more."""


def plan(task: Task, n: int, seed: int = 0, kind: str = "mixed") -> Population:
    """The architectures of a campaign: first the reference networks that fit the task's bounds, then those of `PLANS`.

    The first rows do not depend on n, so that a campaign can be continued with a larger one.

    Args:
        task: gives the space and the bounds.
        n: architectures.
        seed: of the plan; another seed is another plan.
        kind: one of `PLANS`.

    Returns:
        ``(n, g)``, all different.

    Raises:
        InfeasibleError: the bounds leave fewer than n architectures.
        UnknownNameError: there is no such kind of plan.
    """
    check_name("plan", PLANS, kind)
    known = fitting_references(task)
    chosen = list(known)
    seen = {row.tobytes() for row in chosen}
    block = idle = 0
    while len(chosen) < n:
        parts = [_spread(task, seed, block)]
        if kind == "mixed" and len(known):
            parts.append(_mutants(task, known, seed, block))
        before = len(chosen)
        for row in _by_turns(parts):
            if row.tobytes() not in seen:
                seen.add(row.tobytes())
                chosen.append(row)
        idle = idle + 1 if len(chosen) == before else 0
        if not len(parts[0]) or idle == _PATIENCE:
            raise InfeasibleError(f"found only {len(chosen)} of {n} architectures within the bounds of {task.name}")
        block += 1
    return np.array(chosen[:n], dtype=np.int16).reshape(-1, known.shape[1])


def fitting_references(task: Task) -> Population:
    """``(n, g)``: the reference networks within the task's bounds."""
    return _within(task, task.space.encode(REFERENCES.values()))


def mutants(task: Task, parents: Population, n: int, rng: np.random.Generator) -> Population:
    """Draw networks 1 to `MUTATIONS` mutations away from a parent, one at a time.

    Args:
        task: gives the space and the bounds.
        parents: ``(m, g)``.
        n: how many are drawn.
        rng: the generator to draw from.

    Returns:
        ``(k, g)``, k at most n: those within the bounds.
    """
    offspring = parents[rng.integers(len(parents), size=n)]
    steps = rng.integers(1, MUTATIONS, endpoint=True, size=n)
    for step in range(MUTATIONS):
        group = rng.integers(len(MUTATION_RATES), size=n)
        for index, name in enumerate(MUTATION_RATES):
            rows = np.flatnonzero((steps > step) & (group == index))
            offspring[rows] = task.space.mutate(offspring[rows], rng, dict.fromkeys(MUTATION_RATES, 0.0) | {name: 1.0})
    return _within(task, offspring)


def _spread(task: Task, seed: int, block: int) -> Population:
    rng = np.random.default_rng([seed, block])
    return task.space.sample(PLAN_BLOCK, rng, task.max_params, task.max_macs, task.min_params, at_least=1)


def _mutants(task: Task, parents: Population, seed: int, block: int) -> Population:
    return mutants(task, parents, PLAN_BLOCK, np.random.default_rng([seed, block, 1]))


def _by_turns(parts: list[Population]) -> list[Population]:
    """The rows of several populations: the first of each, the second of each, and so on, as far as the longest goes."""
    longest = max(map(len, parts))
    return [part[place] for place in range(longest) for part in parts if place < len(part)]


def _within(task: Task, population: Population) -> Population:
    costs = task.space.layer_table(population)
    params = costs.params()
    return population[(task.min_params <= params) & (params <= task.max_params) & (costs.macs() <= task.max_macs)]
