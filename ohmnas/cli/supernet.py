"""`ohmnas supernet`: train shared weights, compare them with a table, and search with them."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import numpy as np

from ohmnas.cli import render
from ohmnas.cli.found import how_measured
from ohmnas.cli.output import DEPENDENT, output_folder, set_aside, write_json
from ohmnas.cli.problem import ends_by_name
from ohmnas.cli.source import source_table
from ohmnas.datasets.campaign.protocol import require_training
from ohmnas.datasets.tasks.task import Task, task
from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.hardware import hardware
from ohmnas.search import Budget, Limits, Problem, SearchResult, search
from ohmnas.search.objectives import objective
from ohmnas.search.plots import PICTURES
from ohmnas.search.run import Generation
from ohmnas.search.strategies import strategy
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.genes import Genes
from ohmnas.targets import DEFAULTS

if TYPE_CHECKING:
    from ohmnas.oneshot.agreement import Agreement
    from ohmnas.oneshot.estimator import SupernetEstimator
    from ohmnas.oneshot.plan import Plan

_PREDICTORS = {"surrogate": "surrogate (other rows)", "params": "parameters", "macs": "MACs"}
"""Predictor -> its name in the output, if it differs."""


def run(arguments: argparse.Namespace) -> None:
    """Run one of the actions."""
    {"train": _train, "score": _score, "search": _search}[arguments.action](arguments)


def _train(arguments: argparse.Namespace) -> None:
    """Train the shared weights, or resume their training."""
    asked = task(arguments.task, arguments.data_dir).in_space(arguments.space)
    ranges = _ranges(asked.space.genes, arguments.fix or [], arguments.range or [])
    chip = hardware(arguments.hardware)
    require_training()
    from ohmnas.oneshot.plan import Plan
    from ohmnas.oneshot.training import train_supernet

    plan = Plan.of(
        asked,
        chip,
        ranges=ranges,
        max_params=arguments.max_params,
        max_macs=arguments.max_macs,
        rule=arguments.rule,
        seed=arguments.seed,
        epochs=arguments.epochs or Plan.epochs,
        resolution=arguments.resolution,
    )
    minutes = arguments.minutes if arguments.epochs is None else None
    with output_folder(arguments.out), render.meter("training", None, show=not arguments.json) as meter:

        def report(done: int, total: int, loss: float) -> None:
            meter.of(total)
            meter.advance(done, f"loss {loss:.3f}")

        trained = train_supernet(plan, arguments.out, minutes, report)
    values = {"out": str(arguments.out), **trained.plan.to_dict(), **trained.provenance}
    if arguments.json:
        render.machine(values)
        return
    render.line(f"supernet of {trained.plan.space.name} for {asked.name}, {chip.name}: {_contents(trained.plan)}")
    render.line(
        f"trained for {trained.provenance['steps']:,} steps ({trained.plan.epochs} epochs, rule {trained.plan.rule}) "
        f"in {trained.provenance['seconds'] / 60:.1f} core-minutes; loss {trained.provenance['loss']:.3f}"
    )
    render.line(f"saved: {arguments.out}")
    render.line("to search with it:")
    render.line(f"  ohmnas supernet search --supernet {quote(str(arguments.out))} --out found")


def _contents(plan: Plan) -> str:
    """Return the networks of a supernet as text."""
    sizes = [
        f"at most {most:,.0f} {what}"
        for what, most in (("parameters", plan.max_params), ("MACs", plan.max_macs))
        if np.isfinite(most)
    ]
    return ", ".join([*plan.within.narrowed(), *sizes]) or "all networks"


def _score(arguments: argparse.Namespace) -> None:
    """Compare readings of the supernet with measured rows."""
    table = source_table(arguments.table, arguments)
    estimator = _estimator(arguments)
    from ohmnas.oneshot.agreement import agreement

    with render.meter("reading", None, show=not arguments.json) as meter:

        def report(done: int, total: int) -> None:
            meter.of(total)
            meter.advance(done, "")

        rows, found = agreement(
            estimator,
            table,
            arguments.hardware,
            arguments.fidelity,
            arguments.networks,
            arguments.seed,
            not arguments.no_surrogate,
            report,
        )
    if arguments.json:
        render.machine(
            {"table": arguments.table, "rows": rows, "predictors": {n: _values(one) for n, one in found.items()}}
        )
        return
    heads = [*next(iter(found.values())).tau]
    render.table(
        ["tau with the table", *heads, "accuracy_1d, best third", "s per network"],
        [
            [
                _PREDICTORS.get(name, name),
                *(_pair(one.tau[head], one.error[head]) for head in heads),
                _pair(one.best_third, one.best_third_error),
                f"{one.seconds:.2g}",
            ]
            for name, one in found.items()
        ],
    )
    effort = estimator.provenance
    render.line(
        f"{rows} measured networks of {arguments.table}; supernet: {effort['chips_read']} chips, "
        f"{effort['images_read']} images each; ± standard error by bootstrap"
    )


def _values(one: Agreement) -> dict[str, Any]:
    """Return the JSON values; null for an undefined tau."""
    return {
        "tau": {name: _number(value) for name, value in one.tau.items()},
        "error": {name: _number(value) for name, value in one.error.items()},
        "best_third": _number(one.best_third),
        "best_third_error": _number(one.best_third_error),
        "seconds": one.seconds,
    }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else value


def _pair(value: float, error: float) -> str:
    return "-" if np.isnan(value) else f"{value:.2f} ± {error:.2f}"


def _search(arguments: argparse.Namespace) -> None:
    """Search with the supernet as the estimator, and write the result as `ohmnas search` does."""
    make = strategy(arguments.strategy, dict(arguments.param or []))
    estimator = _estimator(arguments)
    asked = _problem(arguments, estimator)
    generations = -(-arguments.evaluations // arguments.population)
    budget = Budget(arguments.population, generations, 60.0 * arguments.minutes, arguments.evaluations)
    start = time.perf_counter()
    with (
        output_folder(arguments.out),
        render.meter("searching", arguments.evaluations, show=not arguments.json) as meter,
    ):

        def report(generation: Generation) -> None:
            done = min((generation.iteration + 1) * arguments.population, arguments.evaluations)
            meter.advance(done, f"best objective {generation.best_objective:.4g}")

        found = search(asked, make, arguments.seed, budget, report, top=arguments.top)
        result = replace(found, strategy=arguments.strategy, command=tuple(arguments.words))
        path = arguments.out / "result.json"
        set_aside(arguments.out, path.name, (*DEPENDENT, *PICTURES))
        write_json(path, result.to_dict(), replaces=False)
    if arguments.json:
        render.machine({**result.to_dict(), "result": str(path)})
    else:
        _show(result, estimator, path, time.perf_counter() - start)
    if result.stopped == "interrupted":
        render.notice(f"note: saved the best result so far in {path}")
        raise KeyboardInterrupt


def _problem(arguments: argparse.Namespace, estimator: SupernetEstimator) -> Problem:
    """Return the problem within the supernet's networks."""
    plan = estimator.supernet.plan
    for what, asked, most in (
        ("parameters", arguments.max_params, plan.max_params),
        ("MACs", arguments.max_macs, plan.max_macs),
    ):
        if asked is not None and asked > most:
            render.notice(f"note: the supernet has networks of up to {most:,.0f} {what}; searching up to this size")
    genes = plan.within.genes
    trained = {
        gene: (low, high) for gene, low, high in zip(genes.names, plan.within.low, plan.within.high, strict=True)
    }
    bounds = Bounds.of(genes, {**trained, **_ranges(genes, arguments.fix or [], arguments.range or [], trained)})
    limits = Limits(
        max_params=min(arguments.max_params or np.inf, plan.max_params),
        max_macs=min(arguments.max_macs or np.inf, plan.max_macs),
        max_avm=np.inf if arguments.max_avm is None else arguments.max_avm,
        max_std=np.inf if arguments.max_std is None else arguments.max_std,
    )
    return Problem(plan.space, estimator, limits, objective(arguments.objective), bounds, chip=plan.chip.description())


def _ranges(
    genes: Genes,
    fixed: Iterable[tuple[str, str]],
    ranges: Iterable[tuple[str, str]],
    trained: dict[str, tuple[int, int]] | None = None,
) -> dict[str, tuple[int, int]]:
    """Return the bounds from `--fix` and `--range` for each gene, within the trained bounds.

    Raises:
        InvalidValueError, UnknownNameError: a bound is invalid, or outside the supernet.
    """
    asked = ends_by_name(genes, fixed, ranges)
    if trained is None:
        return asked
    found = {}
    families_first = sorted(asked.items(), key=lambda item: item[0] not in genes.families)  # as in `Bounds.of`
    for name, (least_asked, most_asked) in families_first:
        for column in genes.columns(name):
            gene = genes[column]
            least, most = trained[gene.name]
            if least_asked < least or most_asked > most:
                raise InvalidValueError(
                    f"the supernet has {gene.name} from {gene.text(least)} to {gene.text(most)} only"
                )
            found[gene.name] = (least_asked, most_asked)
    return found


def _estimator(arguments: argparse.Namespace) -> SupernetEstimator:
    """Return the estimator for the supernet in a folder."""
    of: Task | None = None if arguments.task is None else task(arguments.task, arguments.data_dir)
    if not (arguments.supernet / "supernet.json").is_file():
        raise UnknownNameError(
            f"{arguments.supernet} is not the folder of a trained supernet; train one with ohmnas supernet train"
        )
    require_training()
    from ohmnas.oneshot.estimator import SupernetEstimator
    from ohmnas.oneshot.supernet import Supernet

    supernet = Supernet.load(arguments.supernet, of, arguments.data_dir)
    return SupernetEstimator(supernet, arguments.chips, arguments.images, arguments.seed)


def _show(result: SearchResult, estimator: SupernetEstimator, path: Path, seconds: float) -> None:
    learned = result.provenance
    render.line(f"found   {result.best.architecture}")
    shown = [(f"#{place}", one) for place, one in enumerate(result.top, 1)] or [("found", result.best)]
    shown += [(one.name, one) for one in result.references[:3]]
    render.table(
        ["with shared weights", *(target.title for target in DEFAULTS), "params", "MACs"],
        [
            [
                name,
                render.percent(one.predicted["accuracy_1d"]),
                render.percent(one.predicted["accuracy_1d_std"]),
                render.points(one.predicted["avm"]),
                f"{one.params:,}",
                f"{one.macs:,}",
            ]
            for name, one in shown
        ],
    )
    render.line(
        f"measured {result.evaluations:,} {result.space.members} in {render.duration(seconds)} ({result.strategy}, "
        f"seed {result.seed}): {learned['chips_read']} {learned['hardware']} chips, {learned['images_read']} images"
    )
    render.line(f"maximised: {result.objective}")
    render.line("Shared weights only rank networks. Trained alone, the found network is more accurate. To measure it:")
    measured = {"task": estimator.supernet.plan.task.name, "hardware": learned["hardware"]}
    render.line(f"  ohmnas verify {quote(str(path))} {how_measured(measured, result.best)}")
