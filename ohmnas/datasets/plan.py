"""Which architectures a campaign measures."""

from __future__ import annotations

import numpy as np

from ohmnas.datasets.task import Task
from ohmnas.errors import InfeasibleError
from ohmnas.spaces.genes import Population
from ohmnas.spaces.reference import REFERENCES

PLAN_BLOCK = 96
"""Architectures are planned in blocks of this size, each evenly spread over log parameters."""


def plan(task: Task, n: int, seed: int = 0) -> Population:
    """The architectures of a campaign: the reference networks that fit the task's bounds, then stratified samples.

    The first rows do not depend on n, so that a campaign can be continued with a larger one.

    Args:
        task: gives the space and the bounds.
        n: architectures.
        seed: of the plan; another seed is another plan.

    Returns:
        ``(n, g)``, all different.

    Raises:
        InfeasibleError: the bounds leave fewer than n architectures.
    """
    space = task.space
    known = space.encode(REFERENCES.values())
    costs = space.layer_table(known)
    params = costs.params()
    chosen = known[(task.min_params <= params) & (params <= task.max_params) & (costs.macs() <= task.max_macs)]
    seen = {row.tobytes() for row in chosen}
    block = 0
    while len(chosen) < n:
        rng = np.random.default_rng([seed, block])
        sample = space.sample(PLAN_BLOCK, rng, task.max_params, task.max_macs, task.min_params, at_least=1)
        fresh = [row for row in sample if row.tobytes() not in seen]
        if not fresh:
            raise InfeasibleError(f"found only {len(chosen)} of {n} architectures within the bounds of {task.name}")
        seen.update(row.tobytes() for row in fresh)
        chosen = np.concatenate([chosen, fresh])
        block += 1
    return chosen[:n]
