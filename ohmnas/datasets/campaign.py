"""A campaign: a planned set of architectures, measured by several workers, row by row into a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import joblib
import numpy as np
from joblib.externals.loky.process_executor import TerminatedWorkerError

from ohmnas.datasets.fidelity import Fidelity
from ohmnas.datasets.measure import measure, settings_of
from ohmnas.datasets.schema import Row
from ohmnas.datasets.store import Identity, Store
from ohmnas.datasets.task import Task
from ohmnas.errors import InfeasibleError, InvalidValueError, OhmnasError
from ohmnas.spaces.genes import Population
from ohmnas.spaces.hardware import Hardware
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
    chosen = known[(costs.params() <= task.max_params) & (costs.macs() <= task.max_macs)]
    seen = {row.tobytes() for row in chosen}
    block = 0
    while len(chosen) < n:
        rng = np.random.default_rng([seed, block])
        sample = space.sample(PLAN_BLOCK, rng, task.max_params, task.max_macs, task.min_params, at_least=1)
        fresh = [row for row in sample if row.tobytes() not in seen]
        if not fresh:
            raise InfeasibleError(f"found only {len(chosen)} of {n} architectures within the bounds of {task.name}")
        seen.update(row.tobytes() for row in fresh)
        chosen = np.concatenate([chosen, fresh]) if fresh else chosen
        block += 1
    return chosen[:n]


@dataclass(frozen=True, slots=True)
class Campaign:
    """What is to be measured."""

    task: Task
    population: Population
    """``(n, g)``: the architectures."""
    hardware: Hardware
    fidelity: Fidelity
    seed: int
    """Of the measurements; the same architectures with another seed are independent repeats."""

    def identity(self, genome: Population) -> Identity:
        """What the row of a genome will be stored as."""
        names = (self.task.name, self.hardware.name, self.fidelity.name, self.seed)
        return (*names, *(int(gene) for gene in genome))

    def check(self, store: Store) -> None:
        """Check that what a store holds under the campaign's names was measured as the campaign measures.

        Raises:
            InvalidValueError: its chip has other settings, or its fidelity is another effort.
        """
        stored = store.settings(self.task.name, self.hardware.name, self.fidelity.name)
        for name, value in settings_of(self.task, self.hardware, self.fidelity).items():
            if stored is not None and stored[name] != value:
                raise InvalidValueError(
                    f"{store.path} holds rows of {self.hardware.name} at fidelity {self.fidelity.name} with {name} "
                    f"{stored[name]}, but this campaign measures with {value}: use another store"
                )

    def open_rows(self, store: Store) -> Population:
        """``(m, g)``: the architectures that the store does not hold yet, in the order of the plan."""
        done = store.identities()
        todo = [genome for genome in self.population if self.identity(genome) not in done]
        return np.array(todo, dtype=np.int16).reshape(len(todo), self.population.shape[1])

    def run(self, store: Store, jobs: int, report: Callable[[Row], None]) -> None:
        """Measure what is open and commit each row the moment it is measured.

        Args:
            store: where rows go; only this process writes.
            jobs: worker processes (joblib; a `joblib.parallel_config` around the call chooses another backend).
            report: called after each commit.

        Raises:
            InvalidValueError: the store holds rows of the same names that were measured otherwise.
            StorageError: a row could not be written; all earlier ones are stored.
            OhmnasError: a worker process was killed.
        """
        self.check(store)
        for row in self._measured(self.open_rows(store), jobs):
            store.add([row])
            report(row)

    def _measured(self, population: Population, jobs: int) -> Iterator[Row]:
        work = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1, pre_dispatch=2 * jobs)
        calls = (
            joblib.delayed(measure)(self.task, genome, self.hardware, self.fidelity, self.seed) for genome in population
        )
        try:
            yield from work(calls)
        except TerminatedWorkerError as error:
            raise OhmnasError(
                "a worker process was killed, perhaps for want of memory; all finished rows are stored: start the same "
                "command again, with fewer --jobs if memory is short"
            ) from error
