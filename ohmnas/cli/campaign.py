"""`ohmnas campaign`: train architectures, program them on chips, let them drift, and store the measurements."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import numpy as np

from ohmnas.cli import render
from ohmnas.datasets.campaign.backends import backend
from ohmnas.datasets.campaign.campaign import Campaign
from ohmnas.datasets.campaign.early_stopping import EarlyStopping
from ohmnas.datasets.campaign.fidelity import fidelity
from ohmnas.datasets.campaign.limits import RowLimits
from ohmnas.datasets.campaign.plan import plan
from ohmnas.datasets.campaign.protocol import VERIFICATION_SEEDS, Protocol, require_training
from ohmnas.datasets.campaign.repeats import best_measured
from ohmnas.datasets.campaign.store import Store, identity
from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.schema import Row
from ohmnas.datasets.tables.table import MeasuredTable, genomes, read_table, shipped_tables
from ohmnas.datasets.tasks.task import Task, task
from ohmnas.errors import AllFailedError, InvalidValueError, counted
from ohmnas.hardware import Hardware, hardware, has_name
from ohmnas.hardware.chip_genes import drawn_for, to_hardware
from ohmnas.search.result import SearchResult, read_result
from ohmnas.spaces.catalogue import SPACES
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space

if TYPE_CHECKING:
    from ohmnas.surrogate.chooser import Chooser

MORE = 0.1
"""The suggested next campaign is larger by this share of the plan."""
_FEW = 4
"""Largest number of kinds of chip that a progress bar lists."""


def run(arguments: argparse.Namespace) -> None:
    """Measure the rows that the store lacks."""
    if arguments.task is None or (arguments.n is None and not (arguments.found or arguments.networks)):
        raise InvalidValueError(
            "a campaign needs --task, and --n, --found or --networks; to see the rows of a store, add --status"
        )
    for flag in ("found", "networks"):
        if getattr(arguments, flag) and arguments.choose != "plan":
            raise InvalidValueError(f"--{flag} cannot be combined with --choose active or best: run two campaigns")
    campaign = planned(arguments)
    chosen = campaign.protocol.task
    table = _start_table(arguments.start_from, chosen)
    local = arguments.backend == "local"
    require_training(arguments.device if local else "cpu", load=local and arguments.jobs == 1)  # workers load their own
    chosen.load()  # once, before all workers do it at the same time
    with (
        backend(arguments.backend, arguments.scheduler, say=render.notice) as cluster,
        Store(arguments.store, kind=SPACES[arguments.space]) as store,
    ):
        campaign.check(store)
        if arguments.choose == "best":
            names = (chosen, campaign.chips[0].name, campaign.protocol.fidelity.name, campaign.seed)
            campaign = replace(campaign, population=best_measured(store, *names, arguments.n))
        if table is not None:
            campaign.check_table(table)
            taken = store.take_over(table.rows())
            render.notice(f"copied {taken} rows of {arguments.start_from} into {arguments.store}")
        chooser = _chooser(arguments, campaign, store)
        before = _there(campaign, store, chooser)
        start = time.perf_counter()
        with _progress(campaign, before, arguments.json) as tally:
            try:
                for part in [campaign] if chooser is None else chooser.campaigns():
                    part.run(store, arguments.jobs, tally, cluster)
            except KeyboardInterrupt:
                stored = _there(campaign, store, chooser)
                render.notice(f"stopped: {stored} of {campaign.size} rows are stored; run the same command to continue")
                raise
        rows = len(store.identities())
        why = _why_all_failed(campaign, store, chooser)
        stopped = _only_stopped(campaign, store)
        complete = arguments.choose != "best" and _is_complete(campaign, store, chooser)
    _show(arguments, campaign, tally, before, rows, time.perf_counter() - start, complete)
    if why is not None:
        raise AllFailedError(why)
    if stopped:
        render.notice(
            f"note: {stopped} of {campaign.size} rows were stopped early and have no accuracies; without "
            "--stop-early, the same command trains these networks to the end"
        )


def planned(arguments: argparse.Namespace) -> Campaign:
    """Return the campaign that the arguments describe.

    Raises:
        InvalidValueError: two chips have the same name, the fidelity or the seed is reserved for verification, a result
            or a table does not fit the task, or options exclude each other.
    """
    protocol = measuring(arguments)
    chosen = protocol.task
    protocol = replace(protocol, task=chosen.within(arguments.max_params, arguments.max_macs))
    if arguments.vary_chip and (arguments.hardware or arguments.found or arguments.choose != "plan"):
        raise InvalidValueError("--vary-chip determines the chips: remove --hardware, --found and --choose")
    if arguments.stop_early and (arguments.vary_chip or arguments.choose != "plan"):
        raise InvalidValueError(
            "--stop-early compares training runs for one chip and leaves rows without accuracies: remove --vary-chip "
            "and --choose"
        )
    chips = _chips(arguments.hardware or ["pcm"])
    limits = RowLimits(arguments.max_row_seconds, arguments.max_row_gib)
    if arguments.networks:
        population = _networks_of(_checked_table(arguments.networks, chosen), protocol.task, arguments.n)
    else:
        population = plan(protocol.task, arguments.n or 0, arguments.plan_seed, arguments.plan)
    own: list[tuple[Hardware, ...]] = []
    if arguments.vary_chip:
        own = [tuple(to_hardware(drawn_for(place, arguments.vary_chip))) for place in range(len(population))]
    if arguments.found:
        if arguments.hardware and arguments.n is None and all(read_result(path).best.chip for path in arguments.found):
            raise InvalidValueError("the designs in --found include their chips: remove --hardware")
        designs = _with_found(arguments.found, chosen, population, chips, bool(arguments.hardware))
        population, own = np.array([*designs], dtype=np.int16), [*designs.values()]
    stopping = EarlyStopping(protocol.fidelity.epochs) if arguments.stop_early else None
    return Campaign(
        protocol,
        population,
        chips,
        arguments.seed,
        limits,
        tuple(own),
        arguments.retry_failed,
        order=arguments.order,
        stopping=stopping,
    )


def measuring(arguments: argparse.Namespace) -> Protocol:
    """Return the protocol that the arguments describe.

    Raises:
        InvalidValueError: the fidelity is for verification, the seed is reserved for it, or options exclude each other.
    """
    chosen = task(arguments.task, arguments.data_dir).in_space(arguments.space)
    effort = fidelity(arguments.fidelity, chosen.name)
    if effort.trains_on_validation:
        raise InvalidValueError(
            f"fidelity {effort.name} trains on the validation images, which tables are measured on: use it with verify"
        )
    if arguments.seed >= VERIFICATION_SEEDS:
        raise InvalidValueError(
            f"--seed is {arguments.seed}, but seeds from {VERIFICATION_SEEDS} on are reserved for verification"
        )
    if arguments.max_row_gib and arguments.device != "cpu":
        raise InvalidValueError("--max-row-gib limits main memory, not GPU memory: remove it, or use --device cpu")
    return Protocol(chosen, effort, device=arguments.device)


def _chips(words: list[str]) -> tuple[Hardware, ...]:
    """Return the chips in `--hardware`.

    Raises:
        InvalidValueError: two of them have the same name.
    """
    of_name: dict[str, tuple[str, Hardware]] = {}
    for word in words:
        chip = hardware(word)
        if chip.name in of_name:
            before, _ = of_name[chip.name]
            called = "" if before == word == chip.name else f", both named {chip.name!r}"
            raise InvalidValueError(f"--hardware lists a chip twice: {before}, {word}{called}")
        of_name[chip.name] = word, chip
    return tuple(chip for _, chip in of_name.values())


Designs = dict[tuple[int, ...], tuple[Hardware, ...]]
"""Genome of a network -> kinds of chip to measure it on."""


def _with_found(
    paths: list[Path], chosen: Task, population: Population, chips: tuple[Hardware, ...], asked: bool
) -> Designs:
    """Return the found designs, followed by the plan's networks on `chips`.

    A design is measured on its own chip. A network is measured on the chip of its search unless `--hardware` is given.

    Raises:
        InvalidValueError: a result is for another task or space, or for a chip whose TOML file is needed.
    """
    designs: Designs = {}
    for path in paths:
        result = read_result(path)
        if (learned := result.provenance.get("task")) != chosen.name:
            raise InvalidValueError(f"{path} is for the task {learned!r}, not {chosen.name!r}")
        if (networks := result.space.networks) != chosen.space:
            raise InvalidValueError(f"{path} is for the {_described(networks)}, not the {_described(chosen.space)}")
        for candidate in (result.best, *result.top):
            genome = tuple(candidate.network.tolist())
            own = (hardware(candidate.chip),) if candidate.chip else chips if asked else (_searched_for(path, result),)
            designs[genome] = tuple(dict.fromkeys((*designs.get(genome, ()), *own)))
    for genome in map(tuple, population.tolist()):
        designs[genome] = tuple(dict.fromkeys((*designs.get(genome, ()), *chips)))
    return designs


def _searched_for(path: Path, result: SearchResult) -> Hardware:
    """Return the chip of a search.

    Raises:
        InvalidValueError: the chip is not a preset.
    """
    name = str(result.provenance.get("hardware"))
    if not has_name(name):
        raise InvalidValueError(f"{path} is for the chip {name!r}: pass its file with --hardware {quote(name)}.toml")
    return hardware(name)


def _chooser(arguments: argparse.Namespace, campaign: Campaign, store: Store) -> Chooser | None:
    if arguments.choose != "active":
        return None
    from ohmnas.surrogate.chooser import Chooser
    from ohmnas.surrogate.chooser import planned as planned_for  # slow to import

    wanted = planned_for(len(campaign.population), len(store.identities()))
    return Chooser(campaign, plan(campaign.protocol.task, wanted, arguments.plan_seed, arguments.plan), store)


def _why_all_failed(campaign: Campaign, store: Store, chooser: Chooser | None) -> str | None:
    """Return the reason if every row of a campaign failed, else None."""
    if chooser is not None:
        campaign = replace(campaign, population=chooser.chosen())
    wanted = campaign.identities()
    if wanted & store.identities(failed=False):
        return None
    reasons = Counter(
        str(row["reason"]) for row in store.rows() if identity(row) in wanted and row["status"] == schema.STATUS_FAILED
    )
    if not reasons:
        return None
    (reason, times), others = reasons.most_common(1)[0], len(reasons) - 1
    count = sum(reasons.values())
    failed = f"all {count} rows of this campaign failed" if count > 1 else "the only row of this campaign failed"
    most = f"{failed}; most common reason ({times} {'row' if times == 1 else 'rows'})" if others else failed
    return f"{most}: {reason}; to measure again after changing a limit or the images, add --retry-failed"


def _only_stopped(campaign: Campaign, store: Store) -> int:
    """Return the number of the campaign's rows that were stopped early if none was measured to the end, else 0."""
    if campaign.stopping is None:
        return 0  # a campaign without early stopping trains all rows to the end
    wanted = campaign.identities()
    if wanted & store.identities(failed=False, stopped=False):
        return 0
    return len(wanted & store.identities(failed=False))


def _is_complete(campaign: Campaign, store: Store, chooser: Chooser | None) -> bool:
    """Return True if no row of the campaign is missing or failed; a row that the campaign stopped early is complete."""
    if chooser is not None:
        campaign = replace(campaign, population=chooser.chosen())
    return campaign.identities() <= store.identities(failed=False, stopped=campaign.stopping is not None)


def _there(campaign: Campaign, store: Store, chooser: Chooser | None) -> int:
    """Return the number of the campaign's rows in the store."""
    if chooser is not None:
        campaign = replace(campaign, population=chooser.chosen())
    return campaign.size - campaign.open_rows(store)


def _start_table(name: str | None, chosen: Task) -> MeasuredTable | None:
    return None if name is None else _checked_table(name, chosen)


def _checked_table(name: str, chosen: Task) -> MeasuredTable:
    """Read a table.

    Raises:
        InvalidValueError: the table is for another task or space.
        OhmnasError: the table cannot be read.
    """
    table = read_table(name)
    if table.card["task"] != chosen.name:
        raise InvalidValueError(f"table {name} is for the task {table.card['task']!r}, not {chosen.name!r}")
    if table.space != chosen.space:
        raise InvalidValueError(
            f"table {name} is for the {_described(table.space)}, not the {_described(chosen.space)}"
        )
    return table


def _described(space: Space) -> str:
    """Return the name of a space with its images and classes."""
    return f"space {space.name} with {'x'.join(map(str, space.input_shape))} images and {space.classes} classes"


def _networks_of(table: MeasuredTable, chosen: Task, most: int | None) -> Population:
    """``(n, g)``: the architectures of a table within the bounds of a task, in the order of their first rows.

    Raises:
        InvalidValueError: the table has fewer than `most`, or none, within the bounds.
    """
    rows = genomes(table.frame)
    _, first = np.unique(rows, axis=0, return_index=True)
    population = chosen.space.check(rows[np.sort(first)])
    layers = chosen.space.layers(population)
    population = population[(layers.params() <= chosen.max_params) & (layers.macs() <= chosen.max_macs)]
    if len(population) < (most or 1):
        wanted = "no architecture" if most is None else f"only {len(population)} of {most} architectures"
        raise InvalidValueError(f"table {table.source} has {wanted} within the limits")
    return population[:most]


class _Tally:
    """Callback for each row: counts it, moves the bar, shows rows per hour and the time left."""

    def __init__(self, meter: render.Meter, before: int, size: int) -> None:
        self._meter, self._before, self._size = meter, before, size
        self._start = time.perf_counter()
        self.done = self.failed = self.stopped = 0
        meter.begin(before, f"{size - before} to measure" if before < size else "nothing left to measure")

    def __call__(self, row: Row) -> None:
        self.done += 1
        self.failed += row["status"] == schema.STATUS_FAILED
        self.stopped += row["status"] == schema.STATUS_STOPPED
        pace = (time.perf_counter() - self._start) / self.done
        left = render.duration(pace * (self._size - self._before - self.done))
        self._meter.advance(self._before + self.done, f"{3600 / pace:.0f} rows/h, {left} left, {self.failed} failed")


@contextmanager
def _progress(campaign: Campaign, before: int, quiet: bool) -> Iterator[_Tally]:
    kinds = dict.fromkeys(chip.name for chips in campaign.own_chips or [campaign.chips] for chip in chips)
    on = ", ".join(kinds) if len(kinds) <= _FEW else f"{len(kinds)} kinds of chip"
    title = f"{campaign.protocol.task.name} on {on}"
    with render.meter(title, campaign.size, show=not quiet) as meter:
        yield _Tally(meter, before, campaign.size)


def _show(
    arguments: argparse.Namespace,
    campaign: Campaign,
    tally: _Tally,
    before: int,
    rows: int,
    seconds: float,
    complete: bool,
) -> None:
    measured, failed, stopped = tally.done, tally.failed, tally.stopped
    if arguments.json:
        render.machine(
            {
                "store": str(arguments.store),
                "planned": campaign.size,
                "measured": measured,
                "failed": failed,
                "stopped": stopped,
                "rows": rows,
                "seconds": seconds,
            }
        )
        return
    early = f", {stopped} stopped early" if stopped else ""
    took = render.duration(seconds)
    render.line(
        f"measured {counted(measured, 'row')} in {took} ({failed} failed{early}; {before} were already stored); "
        f"{arguments.store} now has {rows} rows"
    )
    if measured:
        name = campaign.protocol.task.name
        npz = f" --task {quote(arguments.task)}" if arguments.task.endswith(".npz") else ""
        out = quote(f"my-{name}.csv" if name in shipped_tables() else f"{name}.csv")
        render.line(f"next: ohmnas export-table --store {quote(str(arguments.store))}{npz} --out {out}")
    if complete and arguments.n is not None and not arguments.networks:
        larger = arguments.n + max(round(MORE * arguments.n), 1)
        render.line(f"the plan of {arguments.n:,} architectures is complete; to extend it: --n {larger}")
