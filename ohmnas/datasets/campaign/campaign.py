"""Campaigns: measure a set of architectures with several workers, and store the rows as they finish."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

import joblib
import numpy as np

from ohmnas.datasets.campaign.backends import results
from ohmnas.datasets.campaign.cluster import Cluster
from ohmnas.datasets.campaign.early_stopping import EarlyStopping, Seen
from ohmnas.datasets.campaign.limits import NO_LIMITS, RowLimits
from ohmnas.datasets.campaign.measure import measure
from ohmnas.datasets.campaign.protocol import VERIFICATION_SEEDS, Protocol, training_settings
from ohmnas.datasets.campaign.store import Identity, Store
from ohmnas.datasets.tables.schema import Row
from ohmnas.datasets.tables.table import MeasuredTable
from ohmnas.errors import InvalidValueError
from ohmnas.hardware import Hardware
from ohmnas.spaces.genes import Population


@dataclass(frozen=True, slots=True)
class Work:
    """One unit of work for a worker: a network to train and the chips to program."""

    genome: Population
    """``(g,)``."""
    chips: tuple[Hardware, ...]
    """Chips with equal `protocol.training_settings`."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """Architectures and chips to measure, and the protocol."""

    protocol: Protocol
    """Task, fidelity, engine and device."""
    population: Population
    """``(n, g)``: the architectures."""
    chips: tuple[Hardware, ...]
    """Kinds of chip with distinct names; chips with the same training settings share one trained network."""
    seed: int
    """Seed of the measurements; another seed gives independent repeats."""
    limits: RowLimits = NO_LIMITS
    """Limits for each row."""
    own_chips: tuple[tuple[Hardware, ...], ...] = ()
    """Kinds of chip for each architecture; if empty, all architectures use `chips`."""
    retry_failed: bool = False
    """True to measure failed rows again, for example after changing a limit."""
    keep: Path | None = None
    """Folder for the trained networks (`kept`); None keeps none. Only for workers on this machine."""
    order: str = "plan"
    """One of `options.ORDERS`."""
    stopping: EarlyStopping | None = None
    """Stops training runs early if they do worse than other training runs. None trains all networks to the end, and
    measures stopped rows in the store again."""

    def __post_init__(self) -> None:
        """Check the seed.

        Raises:
            InvalidValueError: the seed is reserved for verification.
        """
        if not 0 <= self.seed < VERIFICATION_SEEDS:
            raise InvalidValueError(
                f"the seed of a campaign must be from 0 to {VERIFICATION_SEEDS - 1}, not {self.seed}: verification "
                "uses larger seeds"
            )

    def identity(self, genome: Population, chip: Hardware) -> Identity:
        """Return the identity of the row for a genome on a chip."""
        names = (self.protocol.task.name, chip.name, self.protocol.fidelity.name, self.seed)
        return (*names, *(int(gene) for gene in genome))

    def identities(self) -> set[Identity]:
        """Identities of all rows of the campaign."""
        chips_of_each = zip(self.population, self._chips_of_each(), strict=True)
        return {self.identity(genome, chip) for genome, chips in chips_of_each for chip in chips}

    @property
    def size(self) -> int:
        """Number of rows of the whole campaign."""
        return sum(map(len, self.own_chips)) if self.own_chips else len(self.population) * len(self.chips)

    def check(self, store: Store) -> None:
        """Check that stored rows of the campaign's task, chips and fidelity have the campaign's settings.

        Raises:
            InvalidValueError: the settings of a chip or of the fidelity differ.
        """
        task, fidelity = self.protocol.task.name, self.protocol.fidelity.name
        for chip in self._kinds:
            stored = store.settings(task, chip.name, fidelity)
            if stored is not None:
                self._check_settings(chip, stored, f"{store.path} holds", "use another store")

    def check_table(self, table: MeasuredTable) -> None:
        """Check the rows of a table for the campaign's task as `check` does, before they are copied into the store.

        Raises:
            InvalidValueError: the settings of a chip or of the fidelity differ.
        """
        stored = {row["hardware"]: row for row in table.rows() if row["fidelity"] == self.protocol.fidelity.name}
        for chip in self._kinds:
            if chip.name in stored:
                self._check_settings(chip, stored[chip.name], f"{table.source} has", "give the chip another name")

    @property
    def _kinds(self) -> list[Hardware]:
        """Distinct kinds of chip."""
        return [*dict.fromkeys(chip for own in self.own_chips or [self.chips] for chip in own)]

    def _check_settings(self, chip: Hardware, stored: Row, subject: str, advice: str) -> None:
        for name, value in self.protocol.settings(chip).items():
            if stored[name] != value:
                raise InvalidValueError(
                    f"{subject} rows of {chip.name} at fidelity {self.protocol.fidelity.name} with {name} "
                    f"{stored[name]}, but this campaign measures with {value}: {advice}"
                )

    def open_work(self, store: Store) -> list[Work]:
        """Work for the rows that are still to be measured, in the campaign's order."""
        done = store.identities(failed=not self.retry_failed, stopped=self.stopping is not None)
        places = [*range(len(self.population))]
        if self.order == "cheap":
            activations = self.protocol.task.space.layers(self.population).activations()
            places = np.argsort(activations, kind="stable").tolist()
        chips_of_each = self._chips_of_each()
        work = []
        for place in places:
            genome, chips = self.population[place], chips_of_each[place]
            groups: dict[Hardware, list[Hardware]] = {}
            for chip in chips:
                if self.identity(genome, chip) not in done:
                    groups.setdefault(training_settings(chip), []).append(chip)
            work += [Work(genome, tuple(group)) for group in groups.values()]
        return work

    def _chips_of_each(self) -> Sequence[tuple[Hardware, ...]]:
        return self.own_chips or [self.chips] * len(self.population)

    def _is_alike(self, row: Row) -> bool:
        """Return True if a row has the campaign's task and fidelity."""
        return (row["task"], row["fidelity"]) == (self.protocol.task.name, self.protocol.fidelity.name)

    def open_rows(self, store: Store) -> int:
        """Number of rows that are still to be measured."""
        return sum(len(work.chips) for work in self.open_work(store))

    def run(
        self,
        store: Store,
        jobs: int,
        report: Callable[[Row], None],
        cluster: Cluster | None = None,
        should_continue: Callable[[], bool] = lambda: True,
    ) -> None:
        """Measure the open rows and commit the rows of each network as soon as they are measured.

        Args:
            store: store for the rows; only this process writes.
            jobs: number of local worker processes; 1 uses this process.
            report: called with each row after its commit.
            cluster: Dask cluster that measures on all its workers; None measures locally.
            should_continue: called before each network; after the first False, no further network is started.

        Raises:
            InvalidValueError: the settings of stored rows differ (see `check`), or memory is limited and this system
                does not report a process's memory.
            StorageError: a row or a trained network could not be written; all earlier rows are stored.
            OhmnasError: a worker process was killed, the scheduler is gone, or memory ran out.
        """
        self.check(store)
        seen = None if self.stopping is None else Seen(self.stopping)
        if seen is not None:
            seen.add(row for row in store.rows() if self._is_alike(row))
        calls = (
            joblib.delayed(measure)(
                self.protocol,
                one.genome,
                one.chips,
                self.seed,
                self.limits,
                self.keep,
                seen and seen.limits(one.chips[0].name),
            )
            for one in takewhile(lambda _: should_continue(), self.open_work(store))
        )
        for rows in results(calls, jobs, cluster):
            store.add(rows)
            if seen is not None:
                seen.add(rows)
            for row in rows:
                report(row)
