"""`ohmnas refine`: alternate search and measurement."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Any, Final

from ohmnas.cli import found, render
from ohmnas.cli.campaign import measuring
from ohmnas.cli.output import output_folder, set_aside, write_json
from ohmnas.cli.problem import Unfitted, described, is_above_reference
from ohmnas.datasets.campaign.backends import backend
from ohmnas.datasets.campaign.campaign import Campaign
from ohmnas.datasets.campaign.limits import RowLimits
from ohmnas.datasets.campaign.plan import plan
from ohmnas.datasets.campaign.protocol import require_training
from ohmnas.datasets.campaign.store import Store
from ohmnas.datasets.campaign.trained import is_trained
from ohmnas.datasets.tables.table import MeasuredTable, find_table, read_table, shipped_tables
from ohmnas.datasets.tasks.task import Task
from ohmnas.errors import InvalidValueError, OhmnasError, counted
from ohmnas.files import LARGEST_RESULT, read_json
from ohmnas.hardware import Hardware, hardware
from ohmnas.refine.journal import belongs_to
from ohmnas.refine.run import Effort, Progress, described_as, refine
from ohmnas.search import Problem, SearchResult
from ohmnas.search.candidate import Candidate
from ohmnas.search.limits import CEILINGS
from ohmnas.spaces.catalogue import SPACES
from ohmnas.spaces.space import Space
from ohmnas.surrogate.surrogate import Surrogate
from ohmnas.surrogate.training_set import TrainingSet
from ohmnas.targets import DEFAULTS, DEVICE_LATENCY, Target, target

JOURNAL: Final = "refine.json"
"""File with the rounds, next to the result."""
KEPT: Final = "networks"
"""Folder of the trained networks, next to the result; `verify` uses it too."""
_DEPENDENT: Final = ("verify.json", "verify.parts.json", "verify.toml")
"""Measurements of an earlier result."""
_DESCRIBING: Final = (
    *CEILINGS,
    "floor",
    "at_least",
    "at_most",
    "confidence",
    "soft",
    "penalty",
    "objective",
    "weight",
    "pareto",
    "fix",
    "range",
)
"""Flags that describe the problem; changing one of them starts a new refinement."""


class _Unmeasured(Unfitted):
    """A surrogate before any row is measured, to check the flags early."""

    def __init__(self, task: Task, chip: Hardware, selected: tuple[str, ...] = ()) -> None:
        """Describe a surrogate for networks within the task's bounds."""
        self._task, self._chip, self._names = task, chip, selected
        self.hardware, self.best_known = chip.description(), 0.0

    @property
    def targets(self) -> tuple[Target, ...]:
        """Default and selected targets."""
        return (*DEFAULTS, *map(target, self._names))

    def predicting(self, names: Iterable[str]) -> _Unmeasured:
        """Return a description of a surrogate that also predicts these targets."""
        known = [one.name for one in DEFAULTS]
        wanted = [name for name in dict.fromkeys((*self._names, *names)) if name not in known]
        return _Unmeasured(self._task, self._chip, tuple(wanted))

    @property
    def space(self) -> Space:
        """Space of the task."""
        return self._task.space

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Bounds of the task."""
        task = self._task
        return {
            "seen": {"min_params": task.min_params, "max_params": task.max_params, "max_macs": task.max_macs},
        }


def run(arguments: argparse.Namespace) -> None:
    """Refine, then write and print the result."""
    campaign = _campaign(arguments)
    task, chip = campaign.protocol.task, campaign.chips[0]
    described(arguments, _Unmeasured(task, chip), [])
    effort = Effort(
        arguments.rounds,
        arguments.each,
        arguments.repeats,
        arguments.references,
        arguments.max_rows or float("inf"),
        arguments.max_seconds or float("inf"),
    )
    start = _start(arguments.start_from, campaign)
    local = arguments.backend == "local"
    require_training(arguments.device if local else "cpu", load=local and arguments.jobs == 1)
    task.load()  # once, before all workers do it at the same time
    asked = {name: getattr(arguments, name) for name in _DESCRIBING}
    with (
        output_folder(arguments.out),
        backend(arguments.backend, arguments.scheduler, say=render.notice) as cluster,
        Store(arguments.store, kind=SPACES[arguments.space]) as store,
    ):
        if local:
            campaign = replace(campaign, keep=arguments.out / KEPT)
        campaign.check(store)
        _copy(start, campaign, store, arguments.store)
        journal = arguments.out / JOURNAL
        if journal.exists() and not belongs_to(journal, described_as(campaign, arguments.seed, asked)):
            set_aside(arguments.out, JOURNAL, ("result.json", KEPT, *_DEPENDENT))
            journal.unlink()
        with render.meter("refining", arguments.each, show=not arguments.json) as meter:
            try:
                result = refine(
                    campaign,
                    store,
                    lambda data: _fitted(arguments, data),
                    effort,
                    seed=arguments.seed,
                    above_reference=is_above_reference(arguments),
                    journal=journal,
                    asked=asked,
                    jobs=arguments.jobs,
                    cluster=cluster,
                    top=arguments.top,
                    report=partial(_report, meter),
                )
            except KeyboardInterrupt:
                render.notice("stopped: all finished training runs are stored; run the same command to continue")
                raise
    if start:
        tables = {table.source: table.card["sha256"] for table in start}
        result = replace(result, provenance={**result.provenance, "start_tables": tables})
    result = replace(result, command=tuple(arguments.words))
    path = arguments.out / "result.json"
    if not _is_same_result(path, result):
        if any((arguments.out / name).exists() for name in _DEPENDENT):
            set_aside(arguments.out, path.name, _DEPENDENT)
        write_json(path, result.to_dict(), replaces=False)
    if arguments.json:
        render.machine({**result.to_dict(), "result": str(path), "store": str(arguments.store)})
    else:
        _show(arguments, result, path)


def _campaign(arguments: argparse.Namespace) -> Campaign:
    """Return the campaign. Its plan has the networks to measure first, within the limits."""
    protocol = measuring(arguments)
    bounded = protocol.task.within(arguments.max_params, arguments.max_macs)
    return Campaign(
        protocol,
        plan(bounded, arguments.first, arguments.seed),
        (hardware(arguments.hardware),),
        arguments.seed,
        RowLimits(arguments.max_row_seconds, arguments.max_row_gib),
    )


def _start(name: str | None, campaign: Campaign) -> list[MeasuredTable]:
    """Return the tables to start from: the given one, or all shipped ones that were measured in the same way.

    Raises:
        InvalidValueError: the given table was measured differently.
    """
    if name == "none":
        return []
    if name is None:
        return [table for table in map(read_table, _shipped(campaign.protocol.task)) if not _mismatch(table, campaign)]
    table = read_table(name)
    if why := _mismatch(table, campaign):
        raise InvalidValueError(f"cannot start from table {name}: {why}")
    return [table]


def _shipped(task: Task) -> list[str]:
    """Return the shipped tables of a task."""
    tasks = {name: json.loads(find_table(name).with_suffix(".json").read_text("utf-8")) for name in shipped_tables()}
    return [name for name, card in tasks.items() if card["task"] == task.name]


def _mismatch(table: MeasuredTable, campaign: Campaign) -> str:
    """Return the reason why a table's rows cannot be used; empty if they can."""
    protocol, chip = campaign.protocol, campaign.chips[0]
    task, effort = protocol.task, protocol.fidelity
    if (table.card["task"], table.space) != (task.name, task.space):
        return f"it is for the task {table.card['task']} in the {table.space.name} space"
    rows = table.measured
    if rows[(rows["hardware"] == chip.name) & (rows["fidelity"] == effort.name)].empty:
        ways = rows[rows["hardware"] == chip.name][["fidelity", "protocol"]].drop_duplicates()
        others = ", ".join(f"{fidelity} (protocol {protocol})" for fidelity, protocol in ways.to_numpy().tolist())
        known = f"; its rows of {chip.name} have the fidelity {others}" if others else ""
        return f"it has no rows of {chip.name} at fidelity {effort.name}{known}"
    try:
        campaign.check_table(table)
    except InvalidValueError as error:
        return str(error)
    return ""


def _copy(tables: list[MeasuredTable], campaign: Campaign, store: Store, path: Path) -> None:
    """Copy the rows for the campaign's chip and fidelity into the store."""
    chip, fidelity = campaign.chips[0].name, campaign.protocol.fidelity.name
    for table in tables:
        rows = [row for row in table.rows() if (row["hardware"], row["fidelity"]) == (chip, fidelity)]
        if taken := store.take_over(rows):
            render.notice(f"copied {taken} rows of {table.source} into {path}")


def _fitted(arguments: argparse.Namespace, data: TrainingSet) -> Problem:
    """Fit a surrogate with the targets that the problem needs, and return the problem."""
    needed = described(arguments, Unfitted(data), []).estimator.targets
    return described(arguments, Surrogate.learn(data, [one.name for one in needed if one != DEVICE_LATENCY]).model_, [])


def _report(meter: render.Meter, progress: Progress) -> None:
    """Update the progress bar, and show the last accuracy."""
    stage, row = progress.stage, progress.row
    what = {"plan": "first networks", "repeat": "repeating the best networks"}.get(
        stage.kind, f"round {progress.number}"
    )
    meter.of(len(stage.chosen))
    if row is None:
        meter.begin(progress.done, what)
        return
    accuracy = row["accuracy_1d"]
    last = render.percent(float(accuracy)) if accuracy is not None else str(row["reason"])
    meter.advance(progress.done, f"{what}, last accuracy: {last}")


def _is_same_result(path: Path, result: SearchResult) -> bool:
    """Return True if the file holds the same result."""
    with suppress(OhmnasError, ValueError, TypeError):
        stored, new = read_json(path, LARGEST_RESULT), json.loads(json.dumps(result.to_dict()))
        return {**stored, "command": None} == {**new, "command": None}
    return False


def _show(arguments: argparse.Namespace, result: SearchResult, path: Path) -> None:
    """Print the found network, the references, the stages and the next command."""
    best = result.best
    render.line(f"found   {best.architecture}")
    shown = [("found", best), *((one.name, one) for one in result.references if one.trainings)][:4]
    rows = [line for name, one in shown for line in _lines(name, one)]
    render.table(["", "1-day accuracy", "std", "AVM", "params", "MACs"], rows)
    stages = [_stage(entry) for entry in result.history]
    if stages:
        render.table(["stage", "networks", "best: 1-day accuracy", "std", "AVM", "optimism"], stages)
    render.line(
        f"measured: {counted(result.evaluations, 'new training run')}, {result.provenance['rows']} networks in "
        "all (including earlier ones), on validation images"
    )
    render.line("held out: prediction of surrogates that were not fitted to the network")
    render.line(
        "expected: weighted mean of the measured and the held-out value (the less noisy counts more); it ranks the "
        "networks"
    )
    render.line(f"maximised: {result.objective}")
    reference = result.constraints.get("reference")
    if reference and found.beats_no_reference(result):
        render.line(
            f"No other measured network within the limits is expected to match the accuracy and AVM of {reference}, so "
            f"the result is {reference} itself."
        )
    elif reference:
        render.line(f"required: expected accuracy no lower and AVM no higher than those of {reference}")
    if result.stopped == "seconds":
        render.line("stopped: out of time; run the same command to continue")
    render.line(f"saved: {path}; rows: {arguments.store}")
    _show_weights(result, path.with_name(KEPT))
    render.line("To measure it on the test images:")
    fidelity = "" if arguments.fidelity == "table" else f" --fidelity {quote(arguments.fidelity)}"
    chip = f" --hardware {quote(arguments.hardware)}" if arguments.hardware.endswith(".toml") else ""
    render.line(f"  ohmnas verify {quote(str(path))} --task {quote(arguments.task)}{fidelity}{chip}")


def _show_weights(result: SearchResult, folder: Path) -> None:
    """Print the folder of all trained networks, and the folders with training runs of the found network."""
    if not result.best.weights:
        return
    folders = sum(is_trained(one) for one in folder.iterdir())
    found = ", ".join(str(folder / name) for name in result.best.weights)
    render.line(f"trained networks: {folder} ({folders} folders; found: {found})")


def _lines(name: str, one: Candidate) -> list[list[str]]:
    """Return the rows of one network: held out, measured, expected."""
    trainings = "1 run" if one.trainings == 1 else f"{one.trainings} runs"
    return [
        [
            f"{name} {word}",
            render.percent(values["accuracy_1d"]),
            render.percent(values["accuracy_1d_std"]),
            render.points(values["avm"]),
            f"{one.params:,}",
            f"{one.macs:,}",
        ]
        for word, values in (
            ("held out", one.held_out),
            (f"measured ({trainings})", one.measured),
            ("expected", one.predicted),
        )
    ]


def _stage(entry: dict[str, float]) -> list[str]:
    """Return the row of one stage, with dashes if no network met the limits."""
    met = entry["feasible"]
    optimism = entry.get("optimism")
    return [
        f"{entry['iteration']:g}",
        f"{entry['networks']:g}",
        render.percent(entry["accuracy_1d"]) if met else "-",
        render.percent(entry["accuracy_1d_std"]) if met else "-",
        render.points(entry["avm"]) if met else "-",
        "-" if optimism is None else render.points(optimism),
    ]
