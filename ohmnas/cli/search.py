"""`ohmnas search`: find architectures under limits, with any strategy."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ohmnas.cli import found, render
from ohmnas.cli.output import output_folder, set_aside, write_json
from ohmnas.cli.problem import Unfitted, problem
from ohmnas.cli.source import learning_set, source_table
from ohmnas.datasets.table import MeasuredTable, read_table, shipped_tables
from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.lookup import suggestion
from ohmnas.search import Budget, Problem, SearchResult, read_result, search
from ohmnas.search.limits import CEILINGS
from ohmnas.search.plots import PICTURES, plot_search
from ohmnas.search.report import predictions
from ohmnas.search.run import Generation
from ohmnas.search.strategies import strategy
from ohmnas.search.strategy import Strategy
from ohmnas.search.usual import known_networks
from ohmnas.spaces.codesign import CoDesignSpace
from ohmnas.spaces.genes import Population
from ohmnas.spaces.reference import REFERENCES, reference
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.surrogate import Surrogate
from ohmnas.surrogate.learning import with_chips
from ohmnas.surrogate.persist import load

_SAME = 1e-4
"""Predictions of one surrogate differ by less, in whatever company they were made."""
_WHAT = {ResNetSpace.name: "networks", CoDesignSpace.name: "networks and chips"}
BUDGETS = {"rank": Budget(20_000, 0), "grid": Budget(10_000, 1_000_000)}
"""Strategy -> births and generations, where they are not those of AnalogNAS: 100 and 200."""


def run(arguments: argparse.Namespace) -> None:
    """Fit or load the surrogate, search, write and show the result."""
    parameters = dict(arguments.param or [])
    make = strategy(arguments.strategy, parameters)
    budget = _budget(arguments)
    before = None if arguments.resume is None else read_result(arguments.resume)
    excluded = [read_table(name) for name in arguments.exclude or []]
    with output_folder(arguments.out):
        result = replace(
            _found(arguments, make, budget, before, excluded),
            strategy=arguments.strategy,
            parameters=parameters,
            excluded=_checksums(excluded),
        )
        path = arguments.out / "result.json"
        same = _says_the_same(path, result)
        if not same:
            set_aside(arguments.out, path.name, ("verify.json", "verify.parts.json", *PICTURES))
        write_json(path, result.to_dict(), replaces=same)
    pictures = plot_search(result, arguments.out) if arguments.plots else []
    if arguments.json:
        render.machine({**result.to_dict(), "result": str(path), "plots": list(map(str, pictures))})
    else:
        found.show(result, path, pictures)
    if 0 < len(result.top) < arguments.top:
        render.notice(f"note: {len(result.top)} that differ were found, not {arguments.top}")
    if result.stopped == "interrupted":
        render.notice(f"note: what was found until then is in {path}")
        raise KeyboardInterrupt


def _says_the_same(path: Path, result: SearchResult) -> bool:
    """Whether the result that stands there is that of the same search: pictures and measurements beside it hold."""
    try:
        there = json.loads(path.read_text(encoding="utf-8"))
        return bool({**there, "seconds": None} == {**json.loads(json.dumps(result.to_dict())), "seconds": None})
    except (OSError, ValueError, TypeError, RecursionError):
        return False


def _found(
    arguments: argparse.Namespace,
    make: Callable[[Problem], Strategy],
    budget: Budget,
    before: SearchResult | None,
    excluded: list[MeasuredTable],
) -> SearchResult:
    """What the search finds, with a bar of how far it is."""

    def check(unfitted: Unfitted) -> None:
        described = problem(arguments, unfitted)
        make(described)
        for name in arguments.start_from or []:
            _start(name, described)
        _excluded(excluded, described)
        if before is not None:
            _check_space(before, described, arguments.resume)

    surrogate = _surrogate(arguments, check)
    asked = problem(arguments, surrogate)
    if before is not None:
        _check_same(before, asked, arguments, excluded)
    with render.meter("searching", budget.iterations, show=not arguments.json) as meter:

        def report(generation: Generation) -> None:
            meter.advance(generation.iteration, f"best objective {generation.best_objective:.4g}")

        return search(
            asked,
            make,
            arguments.seed,
            budget,
            report,
            given=_given(arguments.start_from or [], asked),
            exclude=_excluded(excluded, asked),
            restarts=arguments.restarts,
            resume=before,
            top=arguments.top,
        )


def _budget(arguments: argparse.Namespace) -> Budget:
    usual = BUDGETS.get(arguments.strategy, Budget())
    return Budget(
        arguments.population or usual.population,
        arguments.iterations or usual.iterations,
        arguments.max_seconds,
        arguments.evaluations or usual.evaluations,
        arguments.patience or usual.patience,
    )


def _surrogate(arguments: argparse.Namespace, check: Callable[[Unfitted], None]) -> Surrogate:
    """The surrogate; one that has to be fitted, which takes seconds, once `check` has found nothing wrong."""
    if arguments.surrogate is not None:
        if arguments.hardware or arguments.fidelity or arguments.co_design:
            raise InvalidValueError(
                "a fitted surrogate knows what it was fitted to: leave out --hardware, --fidelity and --co-design"
            )
        return load(arguments.surrogate)
    table = source_table(_shipped(arguments.task) if arguments.task else arguments.table, arguments)
    data = learning_set(table, arguments)
    check(Unfitted.of(data))
    return Surrogate.learn(data)


def _shipped(task: str) -> str:
    """The task, which is the name of its shipped table.

    Raises:
        UnknownNameError: none is shipped.
    """
    if task not in shipped_tables():
        raise UnknownNameError(
            f"no table is shipped for the task {task!r}; the shipped tables are {', '.join(shipped_tables())}"
            f"{suggestion(shipped_tables(), task)}"
        )
    return task


def _given(names: list[str], asked: Problem) -> Population:
    """The architectures to begin with: the named, or the known networks.

    Raises:
        UnknownNameError: a name is neither that of a reference nor a file.
        InvalidValueError: a result is of another task.
    """
    if not names:
        return known_networks(asked)
    given = np.concatenate([_start(name, asked) for name in names])
    lost = int((~asked.affordable(given)).sum())
    if lost:
        render.notice(f"note: of {len(given)} to start from, {lost} beyond the limits: left out")
    return given


def _start(name: str, asked: Problem) -> Population:
    """The architectures of a reference or of a result."""
    if name in REFERENCES or not name.endswith(".json"):
        return asked.space.on_chips(asked.space.networks.encode([reference(name)]), asked.within)
    result = read_result(Path(name))
    _check_space(result, asked, Path(name))
    some = [result.best, *result.top, *result.front]
    return np.array([candidate.genome for candidate in some], dtype=np.int16)


def _excluded(tables: list[MeasuredTable], asked: Problem) -> Population:
    parts = [np.empty((0, asked.genes), dtype=np.int16)]
    for table in tables:
        task = getattr(asked.predictor, "provenance_", {}).get("task")
        if table.card["task"] != task:
            raise InvalidValueError(
                f"table {table.source} is of the task {table.card['task']!r}, this search of {task!r}"
            )
        frame = with_chips(table.measured) if asked.space.has_chips else table.measured
        parts.append(frame[list(asked.space.gene_names)].to_numpy(dtype=np.int16))
    return np.concatenate(parts)


def _checksums(tables: list[MeasuredTable]) -> tuple[str, ...]:
    return tuple(sorted(table.card["sha256"] for table in tables))


def _check_space(result: SearchResult, asked: Problem, path: Path) -> None:
    if type(result.space) is not type(asked.space):
        raise InvalidValueError(
            f"{path} is of a search for {_WHAT[result.space.name]}, this one is for {_WHAT[asked.space.name]}"
        )
    if result.space != asked.space:
        raise InvalidValueError(
            f"{path} is for images of {result.space.input_shape} in {result.space.classes} classes, this search for "
            f"{asked.space.input_shape} in {asked.space.classes}"
        )


def _check_same(
    result: SearchResult, asked: Problem, arguments: argparse.Namespace, excluded: list[MeasuredTable]
) -> None:
    """A search goes on only with the same question, asked of the same surrogate in the same way.

    Raises:
        InvalidValueError: it was another, or a grid, which does not know where it was.
    """
    path = arguments.resume
    _check_space(result, asked, path)
    instead = f"--start-from {path} begins with what it found"
    if arguments.strategy == "grid":
        raise InvalidValueError(f"a grid goes through everything anew: it cannot go on; {instead}")
    if (result.strategy, result.parameters) != (arguments.strategy, dict(arguments.param or [])):
        raise InvalidValueError(f"{path} was searched with {result.strategy} and other parameters; {instead}")
    now_asked = asked.to_dict()
    if result.excluded != _checksums(excluded):
        raise InvalidValueError(f"{path} was searched with other tables to --exclude: say them again; {instead}")
    limits = {**dict.fromkeys([*CEILINGS, "confidence"]), **result.constraints}  # an older file knows fewer
    then = {**limits, "objective": result.objective, "pareto": ", ".join(result.pareto)}
    now = {**now_asked, "objective": asked.objective.name, "pareto": ", ".join(asked.pareto)}
    if then != now:
        raise InvalidValueError(
            f"{path} was searched with other limits or another objective ({_difference(then, now)}): say them again, "
            f"as they go on; {instead}"
        )
    best = np.array([result.best.genome], dtype=np.int16)
    said = predictions(asked.evaluate(best), 0)
    if any(abs(said[name] - value) > _SAME for name, value in result.best.predicted.items()):
        raise InvalidValueError(f"{path} was searched with another surrogate; {instead}")


def _difference(then: dict[str, Any], now: dict[str, Any]) -> str:
    """What differs, by name, there and here."""
    names = [name for name in dict.fromkeys((*then, *now)) if then.get(name) != now.get(name)]
    return "; ".join(f"{name}: {_said(then.get(name))} there, {_said(now.get(name))} here" for name in names)


def _said(value: Any) -> Any:
    """What a message says of a value."""
    return "none" if value is None or value in ("", {}) else value
