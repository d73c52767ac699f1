"""A campaign: a planned set of architectures, measured by several workers, row by row into a store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import joblib

from ohmnas.datasets.backends import results
from ohmnas.datasets.cluster import Cluster
from ohmnas.datasets.limits import NO_LIMITS, RowLimits
from ohmnas.datasets.measure import measure
from ohmnas.datasets.protocol import Protocol, training_settings
from ohmnas.datasets.schema import Row
from ohmnas.datasets.store import Identity, Store
from ohmnas.datasets.table import MeasuredTable
from ohmnas.errors import InvalidValueError
from ohmnas.spaces.genes import Population
from ohmnas.spaces.hardware import Hardware


@dataclass(frozen=True, slots=True)
class Work:
    """What one worker does at a time: a network to train, and the kinds of chip to put it on."""

    genome: Population
    """``(g,)``."""
    chips: tuple[Hardware, ...]
    """Equal in their `protocol.training_settings`."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """What is to be measured."""

    protocol: Protocol
    """Task, fidelity, engine and device."""
    population: Population
    """``(n, g)``: the architectures."""
    chips: tuple[Hardware, ...]
    """Kinds of chip, all names different; those that share the training are measured on one trained network."""
    seed: int
    """Of the measurements; the same architectures with another seed are independent repeats."""
    limits: RowLimits = NO_LIMITS
    """Of each row."""
    own_chips: tuple[tuple[Hardware, ...], ...] = ()
    """For each architecture its own kinds of chip instead; empty: `chips` for all."""
    retry_failed: bool = False
    """Whether rows that failed, perhaps of a limit that is another now, are measured again."""

    def identity(self, genome: Population, chip: Hardware) -> Identity:
        """What the row of a genome on a chip will be stored as."""
        names = (self.protocol.task.name, chip.name, self.protocol.fidelity.name, self.seed)
        return (*names, *(int(gene) for gene in genome))

    def identities(self) -> set[Identity]:
        """Of all rows of the campaign."""
        chips_of_each = zip(self.population, self._chips_of_each(), strict=True)
        return {self.identity(genome, chip) for genome, chips in chips_of_each for chip in chips}

    @property
    def size(self) -> int:
        """Rows of the whole campaign."""
        return sum(map(len, self.own_chips)) if self.own_chips else len(self.population) * len(self.chips)

    def check(self, store: Store) -> None:
        """Check that what a store holds under the campaign's names was measured as the campaign measures.

        Raises:
            InvalidValueError: its chip has other settings, or its fidelity is another effort.
        """
        task, fidelity = self.protocol.task.name, self.protocol.fidelity.name
        for chip in self._kinds:
            stored = store.settings(task, chip.name, fidelity)
            if stored is not None:
                self._check_settings(chip, stored, f"{store.path} holds", "use another store")

    def check_table(self, table: MeasuredTable) -> None:
        """The same of a table that a store is to begin with."""
        stored = {row["hardware"]: row for row in table.rows() if row["fidelity"] == self.protocol.fidelity.name}
        for chip in self._kinds:
            if chip.name in stored:
                self._check_settings(chip, stored[chip.name], f"{table.source} has", "call the chip otherwise")

    @property
    def _kinds(self) -> list[Hardware]:
        """Of chips."""
        return [*dict.fromkeys(chip for own in self.own_chips or [self.chips] for chip in own)]

    def _check_settings(self, chip: Hardware, stored: Row, who_has: str, instead: str) -> None:
        for name, value in self.protocol.settings(chip).items():
            if stored[name] != value:
                raise InvalidValueError(
                    f"{who_has} rows of {chip.name} at fidelity {self.protocol.fidelity.name} with {name} "
                    f"{stored[name]}, but this campaign measures with {value}: {instead}"
                )

    def open_work(self, store: Store) -> list[Work]:
        """What the store does not hold yet, in the order of the plan."""
        done = store.identities(failed=not self.retry_failed)
        work = []
        for genome, chips in zip(self.population, self._chips_of_each(), strict=True):
            groups: dict[Hardware, list[Hardware]] = {}
            for chip in chips:
                if self.identity(genome, chip) not in done:
                    groups.setdefault(training_settings(chip), []).append(chip)
            work += [Work(genome, tuple(group)) for group in groups.values()]
        return work

    def _chips_of_each(self) -> Sequence[tuple[Hardware, ...]]:
        return self.own_chips or [self.chips] * len(self.population)

    def open_rows(self, store: Store) -> int:
        """How many rows the store does not hold yet."""
        return sum(len(work.chips) for work in self.open_work(store))

    def run(self, store: Store, jobs: int, report: Callable[[Row], None], cluster: Cluster | None = None) -> None:
        """Measure what is open and commit the rows of a network the moment they are measured.

        Args:
            store: where rows go; only this process writes.
            jobs: worker processes of this machine; 1 is this process.
            report: called with each row after its commit.
            cluster: measures instead, with all workers that it has.

        Raises:
            InvalidValueError: the store holds rows of the same names that were measured otherwise.
            StorageError: a row could not be written; all earlier ones are stored.
            OhmnasError: a worker process was killed, a scheduler is gone, or there was not enough memory.
        """
        self.check(store)
        calls = (
            joblib.delayed(measure)(self.protocol, one.genome, one.chips, self.seed, self.limits)
            for one in self.open_work(store)
        )
        for rows in results(calls, jobs, cluster):
            store.add(rows)
            for row in rows:
                report(row)
