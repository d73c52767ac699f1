"""Plans: the architectures that a campaign measures.

A plan spread evenly over the logarithm of the parameters covers the whole space, but rarely contains a network that
beats a hand-designed network of the same size. Without examples of such networks, a surrogate cannot predict them well.
Half of the default plan therefore consists of mutants of the reference networks.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ohmnas.datasets.campaign.options import PLANS
from ohmnas.datasets.tasks.task import Task
from ohmnas.errors import InfeasibleError
from ohmnas.lookup import check_name
from ohmnas.spaces import variation
from ohmnas.spaces.genes import Population

PLAN_BLOCK: Final = 96
"""Largest number of architectures from each source in a block of the plan."""
MUTATIONS: Final = 4
"""Largest number of mutations between a mutant and its reference."""
_PATIENCE: Final = 100
"""After this many successive blocks without a new architecture, the plan ends with an error."""


def plan(task: Task, n: int, seed: int = 0, kind: str = "mixed") -> Population:
    """Return the architectures of a campaign: first the references within the task's bounds, then those of a plan.

    The first architectures do not depend on n, so a campaign can be extended.

    Args:
        task: task with space and bounds.
        n: number of architectures.
        seed: random seed; a different seed gives a different plan.
        kind: one of `PLANS`.

    Returns:
        ``(n, g)``, without duplicates.

    Raises:
        InfeasibleError: fewer than n architectures were found within the bounds.
        UnknownNameError: the kind of plan is unknown.
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
    return _within(task, task.space.encode(task.space.references.values()))


def mutants(task: Task, parents: Population, n: int, rng: np.random.Generator) -> Population:
    """Draw networks 1 to `MUTATIONS` mutations away from a parent.

    Args:
        task: task with space and bounds.
        parents: ``(m, g)``.
        n: number of mutants to draw.
        rng: random generator.

    Returns:
        ``(k, g)``, k at most n: the mutants within the bounds.
    """
    space = task.space
    offspring = variation.mutants(space.mutate, space.mutation_groups, parents, n, MUTATIONS, rng)
    return _within(task, offspring)


def _spread(task: Task, seed: int, block: int) -> Population:
    rng = np.random.default_rng([seed, block])
    return task.space.sample(PLAN_BLOCK, rng, task.max_params, task.max_macs, task.min_params, at_least=1)


def _mutants(task: Task, parents: Population, seed: int, block: int) -> Population:
    return mutants(task, parents, PLAN_BLOCK, np.random.default_rng([seed, block, 1]))


def _by_turns(parts: list[Population]) -> list[Population]:
    """Interleave the rows of several populations, up to the length of the longest."""
    longest = max(map(len, parts))
    return [part[place] for place in range(longest) for part in parts if place < len(part)]


def _within(task: Task, population: Population) -> Population:
    costs = task.space.layers(population)
    params = costs.params()
    return population[(task.min_params <= params) & (params <= task.max_params) & (costs.macs() <= task.max_macs)]
