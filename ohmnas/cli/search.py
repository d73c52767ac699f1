"""`ohmnas search`: find architectures within limits, with any strategy."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ohmnas.cli import found, render
from ohmnas.cli.output import DEPENDENT, output_folder, set_aside, write_json
from ohmnas.cli.problem import Unfitted, problem
from ohmnas.costs.conversion import Conversion
from ohmnas.errors import BrokenFileError, InfeasibleError, InvalidValueError, OhmnasError
from ohmnas.files import LARGEST_RESULT, read_json
from ohmnas.lookup import look_up
from ohmnas.search import Budget, Problem, SearchResult, read_result, search
from ohmnas.search.defaults import known_networks
from ohmnas.search.limits import CEILINGS
from ohmnas.search.plots import PICTURES, plot_search
from ohmnas.search.problem import end_of
from ohmnas.search.run import Generation, default_budget
from ohmnas.search.strategies import strategy
from ohmnas.search.strategy import Strategy
from ohmnas.search.subspace_names import CRITERIA
from ohmnas.search.subspaces import compare_subspaces
from ohmnas.spaces.genes import Population
from ohmnas.surrogate.model import SurrogateModel
from ohmnas.surrogate.shipped import load_surrogate, task_surrogate
from ohmnas.targets import DEFAULTS, DEVICE_LATENCY

if TYPE_CHECKING:
    from ohmnas.datasets.tables.table import MeasuredTable

_NOT_COMPARED = {"seconds": None, "command": None}
"""Keys that may differ between files of the same result."""
_SAME = 1e-4
"""Largest difference between predictions of one surrogate for one architecture in different batches."""


def run(arguments: argparse.Namespace) -> None:
    """Fit or load the surrogate, search, then write and print the result."""
    parameters = dict(arguments.param or [])
    make = strategy(arguments.strategy, parameters)
    budget = _budget(arguments)
    before = None if arguments.resume is None else read_result(arguments.resume)
    excluded = _tables(arguments.exclude or [])
    with output_folder(arguments.out):
        result, asked = _found(arguments, make, budget, before, excluded)
        result = replace(
            result,
            strategy=arguments.strategy,
            parameters=parameters,
            excluded=_checksums(excluded),
            command=tuple(arguments.words),
        )
        path = arguments.out / "result.json"
        same = _is_same_result(path, result)
        if not same:
            set_aside(arguments.out, path.name, (*DEPENDENT, *PICTURES))
        write_json(path, result.to_dict(), replaces=same)
    pictures = plot_search(result, arguments.out, arguments.format) if arguments.plots else []
    if arguments.json:
        render.machine({**result.to_dict(), "result": str(path), "plots": list(map(str, pictures))})
    else:
        found.show(result, path, pictures)
        if found.beats_no_reference(result) and result.stopped != "interrupted":
            _show_trade_offs(arguments, asked, excluded, tuple(result.best.predicted)[: len(DEFAULTS)])
    if 0 < len(result.top) < arguments.top:
        render.notice(f"note: found only {len(result.top)} diverse architectures, not {arguments.top}")
    if result.stopped == "interrupted":
        render.notice(f"note: saved the best result so far in {path}")
        raise KeyboardInterrupt


def _is_same_result(path: Path, result: SearchResult) -> bool:
    """Return True if the file holds the same result, so its pictures and measurements stay valid."""
    try:
        stored, new = read_json(path, LARGEST_RESULT), json.loads(json.dumps(result.to_dict()))
        return bool({**stored, **_NOT_COMPARED} == {**new, **_NOT_COMPARED})
    except (OhmnasError, ValueError, TypeError):
        return False


def _found(
    arguments: argparse.Namespace,
    make: Callable[[Problem], Strategy],
    budget: Budget,
    before: SearchResult | None,
    excluded: list[MeasuredTable],
) -> tuple[SearchResult, Problem]:
    """Run the search with a progress bar. Return its result, and the problem within the chosen sub-space."""

    def check(unfitted: Unfitted) -> Problem:
        described = problem(arguments, unfitted)
        make(described)
        for name in arguments.start_from or []:
            _start(name, described)
        _excluded(excluded, described)
        if before is not None:
            _check_space(before, described, arguments.resume)
        return described

    surrogate = _surrogate(arguments, check)
    asked = problem(arguments, surrogate)
    if arguments.choose_space is not None:
        asked = _in_best_subspace(arguments, asked)
    if before is not None:
        _check_same(before, asked, arguments, excluded)
    with render.meter("searching", budget.iterations, show=not arguments.json) as meter:

        def report(generation: Generation) -> None:
            meter.advance(generation.iteration, f"best objective {generation.best_objective:.4g}")

        try:
            result = search(
                asked,
                make,
                arguments.seed,
                budget,
                report,
                initial=_initial(arguments.start_from or [], asked),
                exclude=_excluded(excluded, asked),
                restarts=arguments.restarts,
                resume=before,
                top=arguments.top,
            )
        except InfeasibleError as error:
            hint = f"; --floor none removes the limits set by {error.reference}" if error.reference else ""
            raise InfeasibleError(f"{error}{hint}") from error
    return result, asked


def _in_best_subspace(arguments: argparse.Namespace, asked: Problem) -> Problem:
    """Return the problem within its best sub-space, and print how this sub-space was chosen."""
    rng = np.random.default_rng([arguments.seed, 2])
    ranked, predictions = compare_subspaces(asked, rng, arguments.choose_space)
    best = ranked[0]
    accuracy = "" if np.isnan(best.accuracy) else f" and a predicted accuracy of {100 * best.accuracy:.1f} %"
    render.notice(
        f"chose the best of {len(ranked)} sub-spaces by {CRITERIA[arguments.choose_space]} ({predictions:,} "
        f"predictions): {best}; {100 * best.share:.0f} % of its networks meet the limits on costs, on average with "
        f"{best.macs:,.0f} MACs{accuracy}"
    )
    return replace(asked, within=best.bounds)


def _show_trade_offs(
    arguments: argparse.Namespace,
    searched: Problem,
    excluded: list[MeasuredTable],
    targets: tuple[str, ...],
) -> None:
    """Search again by evolution, within the same bounds but with `--floor none`, and print the front of `targets`."""
    changes = {"floor": "none", "pareto": targets, "strategy": "evolution"}
    front = argparse.Namespace(**{**vars(arguments), **changes})
    asked = problem(front, _surrogate(front, lambda unfitted: problem(front, unfitted)))
    asked = replace(asked, within=searched.within)
    initial = _initial(arguments.start_from or [], asked)
    exclude = _excluded(excluded, asked)
    evolution = strategy("evolution", {})
    found.show_trade_offs(search(asked, evolution, arguments.seed, _budget(front), initial=initial, exclude=exclude))


def _budget(arguments: argparse.Namespace) -> Budget:
    defaults = default_budget(arguments.strategy)
    return Budget(
        arguments.population or defaults.population,
        arguments.iterations or defaults.iterations,
        arguments.max_seconds,
        arguments.evaluations or defaults.evaluations,
        arguments.patience or defaults.patience,
    )


def _surrogate(arguments: argparse.Namespace, check: Callable[[Unfitted], Problem]) -> SurrogateModel:
    """Load a saved or shipped surrogate, or check the flags with `check` and fit one to the table."""
    if arguments.surrogate is not None:
        if arguments.hardware or arguments.fidelity or arguments.co_design:
            raise InvalidValueError(
                "a saved surrogate has a fixed chip and fidelity: remove --hardware, --fidelity and --co-design"
            )
        return load_surrogate(arguments.surrogate)
    return _shipped(arguments) or _fitted(arguments, check)


def _shipped(arguments: argparse.Namespace) -> SurrogateModel | None:
    """Return the shipped surrogate for the task, chip and fidelity; None if it does not exist or is out of date."""
    if arguments.task is None or arguments.co_design or arguments.chip is not None:
        return None
    try:
        return task_surrogate(arguments.task, arguments.hardware, arguments.fidelity)
    except BrokenFileError as error:
        render.notice(f"note: {error}: fitting a new surrogate")
        return None


def _fitted(arguments: argparse.Namespace, check: Callable[[Unfitted], Problem]) -> SurrogateModel:
    """Fit a surrogate to a table, with the targets that the problem needs."""
    from ohmnas.cli.source import learning_set, source_table, task_table  # pandas and XGBoost are slow to import
    from ohmnas.surrogate.fit.transfer import source_of_older
    from ohmnas.surrogate.surrogate import Surrogate

    table = task_table(arguments) if arguments.task else source_table(arguments.table, arguments)
    data = learning_set(table, arguments)
    needed = check(Unfitted(data)).estimator.targets
    source = source_of_older(table, data) if arguments.task else None
    return Surrogate.learn(data, [one.name for one in needed if one != DEVICE_LATENCY], source=source).model_


def _tables(names: list[str]) -> list[MeasuredTable]:
    if not names:
        return []
    from ohmnas.datasets.tables.table import read_table  # pandas is slow to import

    return [read_table(name) for name in names]


def _initial(names: list[str], asked: Problem) -> Population:
    """Return the initial population: the architectures of `names`, or the known networks if there are no names.

    Raises:
        UnknownNameError: a name is neither a reference network nor a file.
        InvalidValueError: a result is for another space.
    """
    if not names:
        return known_networks(asked)
    initial = np.concatenate([_start(name, asked) for name in names])
    lost = int((~asked.affordable(initial)).sum())
    if lost:
        render.notice(f"note: excluded {lost} of {len(initial)} initial architectures: they violate the limits")
    return initial


def _start(name: str, asked: Problem) -> Population:
    """Return the architecture of a reference network, or all architectures in a result."""
    known = asked.space.references
    if name in known or not name.endswith(".json"):
        architecture = look_up("reference network", known, name)
        return asked.space.on_chips(asked.space.networks.encode([architecture]), asked.bounds)
    result = read_result(Path(name))
    _check_space(result, asked, Path(name))
    some = [result.best, *result.top, *result.front]
    return np.array([candidate.genome for candidate in some], dtype=np.int16)


def _excluded(tables: list[MeasuredTable], asked: Problem) -> Population:
    parts = [np.empty((0, asked.genes), dtype=np.int16)]
    if not tables:
        return parts[0]
    from ohmnas.surrogate.training_set import with_chips

    for table in tables:
        task = asked.estimator.provenance.get("task")
        if table.card["task"] != task:
            raise InvalidValueError(
                f"table {table.source} is for the task {table.card['task']!r}, but the search is for {task!r}"
            )
        if table.space.name != asked.space.networks.name:
            raise InvalidValueError(
                f"table {table.source} is for the {table.space.name} space, but the search is for "
                f"{asked.space.networks.name}"
            )
        frame = with_chips(table.measured) if asked.space.has_chips else table.measured
        parts.append(frame[list(asked.space.gene_names)].to_numpy(dtype=np.int16))
    return np.concatenate(parts)


def _checksums(tables: list[MeasuredTable]) -> tuple[str, ...]:
    return tuple(sorted(table.card["sha256"] for table in tables))


def _check_space(result: SearchResult, asked: Problem, path: Path) -> None:
    if result.space.has_chips != asked.space.has_chips:
        before, now = ("networks and chips" if of.has_chips else "networks" for of in (result.space, asked.space))
        raise InvalidValueError(f"{path} is from a search for {before}, but this search is for {now}")
    if result.space.name != asked.space.name:
        raise InvalidValueError(
            f"{path} is for the {result.space.name} space, but the search is for {asked.space.name}"
        )
    if result.space != asked.space:
        raise InvalidValueError(
            f"{path} is for images of {result.space.input_shape} in {result.space.classes} classes, but the search is "
            f"for {asked.space.input_shape} in {asked.space.classes}"
        )


def _check_same(
    result: SearchResult, asked: Problem, arguments: argparse.Namespace, excluded: list[MeasuredTable]
) -> None:
    """Check that the command has the problem, surrogate and strategy of the result that it resumes.

    Raises:
        InvalidValueError: one of them differs, or the strategy is grid, which stores no position.
    """
    path = arguments.resume
    _check_space(result, asked, path)
    instead = f"to start a new search from its architectures, use --start-from {path}"
    if arguments.strategy == "grid":
        raise InvalidValueError(f"a grid search cannot be resumed; {instead}")
    if (result.strategy, result.parameters) != (arguments.strategy, dict(arguments.param or [])):
        used, here = (
            f"{name} with {', '.join(f'{key}={value}' for key, value in given.items()) or 'default parameters'}"
            for name, given in (
                (result.strategy, result.parameters),
                (arguments.strategy, dict(arguments.param or [])),
            )
        )
        raise InvalidValueError(f"{path} used the strategy {used}; this command uses {here}; {instead}")
    now_asked = asked.constraints
    if result.excluded != _checksums(excluded):
        raise InvalidValueError(f"{path} used different --exclude tables: use the same tables to resume; {instead}")
    limits = {**dict.fromkeys([*CEILINGS, "confidence"]), **result.constraints}  # older files have fewer limits
    if "conversion" in now_asked:
        assumed = Conversion("doubling", adc_share=1.0)  # older files record no conversion
        limits.setdefault("conversion", assumed.to_dict())
    if "genes" in limits:
        limits["genes"] = _as_now(limits["genes"], asked)
    then = {**limits, "objective": result.objective, "pareto": ", ".join(result.pareto)}
    now = {**now_asked, "objective": asked.objective.name, "pareto": ", ".join(asked.pareto)}
    if then != now:
        raise InvalidValueError(
            f"{path} used different limits or a different objective ({_difference(then, now)}): use the same "
            f"ones to resume; {instead}"
        )
    best = np.array([result.best.genome], dtype=np.int16)
    predicted = asked.evaluate(best).estimate.row(0)
    if any(abs(predicted[name] - value) > _SAME for name, value in result.best.predicted.items()):
        raise InvalidValueError(f"{path} used a different surrogate; {instead}")


def _as_now(bounds: dict[str, list[Any]], asked: Problem) -> dict[str, list[Any]]:
    """Convert bounds on genes to the current format.

    Older files store numbers instead of labels, or strings instead of numbers.
    """
    genes = {name: asked.space.genes.named(name) for name in bounds}
    return {name: [end_of(genes[name], genes[name].value(str(end))) for end in ends] for name, ends in bounds.items()}


def _difference(then: dict[str, Any], now: dict[str, Any]) -> str:
    """List the differences as name, value then, value now. Limits from a reference network count as one: the floor."""
    if then.get("reference") != now.get("reference"):
        then, now = _with_floor(then), _with_floor(now)
    names = [name for name in dict.fromkeys((*then, *now)) if then.get(name) != now.get(name)]
    names.sort(key="floor".__eq__)  # the floor comes last, because it follows from the other limits
    return "; ".join(f"{name}: {_shown(then.get(name))} then, {_shown(now.get(name))} now" for name in names)


def _with_floor(asked: dict[str, Any]) -> dict[str, Any]:
    """Replace the limits of a floor with one entry: the name of the reference network, or else the lowest accuracy."""
    others = {name: value for name, value in asked.items() if name not in ("reference", "min_accuracy", "max_avm")}
    return {**others, "floor": asked.get("reference") or asked.get("min_accuracy")}


def _shown(value: Any) -> Any:
    """Return the value for a message; "none" for an empty value."""
    return "none" if value is None or value in ("", {}, 0.0) else value
