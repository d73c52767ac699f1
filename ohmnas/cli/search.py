"""`ohmnas search`: find an architecture under a parameter budget and an AVM limit."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ohmnas.cli import render
from ohmnas.cli.arguments import above_zero, add_json, add_source, fraction, positive, probability, seed, size
from ohmnas.cli.output import write_json
from ohmnas.datasets.table import MeasuredTable, read_table, shipped_tables
from ohmnas.errors import InvalidValueError, StorageError, UnknownNameError
from ohmnas.lookup import look_up
from ohmnas.search import Budget, Evolution, Limits, Problem, SearchResult, search
from ohmnas.search.result import Candidate
from ohmnas.search.run import Generation
from ohmnas.surrogate import LearningSet, Surrogate
from ohmnas.surrogate.persist import load

STRATEGIES = {"evolution": Evolution}
GUESSES = 2.0
"""A network that is right less often than so many guesses is not worth finding without a word."""


def add_parser(commands: Any) -> None:
    """Add this command."""
    parser = commands.add_parser("search", help="find an architecture under limits, with a surrogate")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--task", help="search with the measured table shipped for this task")
    source.add_argument("--table", help="search with this measured table (a shipped name or a path)")
    source.add_argument("--surrogate", type=Path, help="search with this fitted surrogate (a folder)")
    add_source(parser)
    parser.add_argument("--max-params", type=size, metavar="N", help="at most N parameters, such as 50k")
    parser.add_argument(
        "--max-macs", type=size, metavar="N", help="at most N multiply-accumulates an image, such as 2M"
    )
    parser.add_argument(
        "--max-avm", type=fraction, metavar="F", help="accuracy variation over a month at most F, such as 0.02"
    )
    parser.add_argument(
        "--min-accuracy", type=fraction, metavar="F", default=0.0, help="accuracy after a day at least F, such as 0.9"
    )
    parser.add_argument(
        "--confidence",
        type=probability,
        metavar="P",
        help="limits on AVM and accuracy hold with this probability, such as 0.9 (as expected)",
    )
    parser.add_argument("--strategy", default="evolution", help="how to search (evolution)")
    parser.add_argument("--iterations", type=positive, default=200, help="generations (200)")
    parser.add_argument("--population", type=positive, default=100, help="births of a generation (100)")
    parser.add_argument("--max-seconds", type=above_zero, metavar="S", default=3600.0, help="stop after so long (3600)")
    parser.add_argument("--seed", type=seed, default=0, help="same seed, same result (0)")
    parser.add_argument("--out", type=Path, default=Path("found"), help="folder for result.json (found)")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Fit or load the surrogate, search, write and show the result."""
    strategy = look_up("strategy", STRATEGIES, arguments.strategy)
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot make the folder {arguments.out}: {error.strerror}") from error
    surrogate = _surrogate(arguments)
    problem = Problem(surrogate.space_, surrogate, _limits(arguments, surrogate))
    with render.meter("searching", arguments.iterations, show=not arguments.json) as meter:

        def report(generation: Generation) -> None:
            meter.advance(generation.iteration, f"best accuracy/std {generation.best_objective:.1f}")

        budget = Budget(arguments.population, arguments.iterations, arguments.max_seconds)
        result = search(problem, strategy(problem), arguments.seed, budget, report)
    result = replace(result, strategy=arguments.strategy)
    path = arguments.out / "result.json"
    write_json(path, result.to_dict())
    if arguments.json:
        render.machine({**result.to_dict(), "result": str(path)})
    else:
        _show(result, surrogate, path)


def _surrogate(arguments: argparse.Namespace) -> Surrogate:
    if arguments.surrogate is not None:
        if arguments.hardware or arguments.fidelity:
            raise InvalidValueError(
                "a fitted surrogate is of one hardware and fidelity: leave out --hardware and --fidelity"
            )
        return load(arguments.surrogate)
    table = _task_table(arguments.task) if arguments.task else read_table(arguments.table)
    return Surrogate.learn(LearningSet.of(table, arguments.hardware, arguments.fidelity))


def _task_table(task: str) -> MeasuredTable:
    """The shipped table of a task.

    Raises:
        UnknownNameError: none is shipped.
    """
    if task not in shipped_tables():
        raise UnknownNameError(
            f"no table is shipped for the task {task!r}; there is one for {', '.join(shipped_tables())}"
        )
    return read_table(task)


def _limits(arguments: argparse.Namespace, surrogate: Surrogate) -> Limits:
    """The user's limits within what the surrogate has seen: beyond, trees repeat their outermost leaf."""
    seen = surrogate.provenance_["seen"]
    for name, asked in (("params", arguments.max_params), ("macs", arguments.max_macs)):
        most = seen[f"max_{name}"]
        if asked is not None and asked > most:
            render.notice(
                f"note: --max-{name} {asked:,} is beyond the {most:,} that was measured; searching up to {most:,}"
            )
    return Limits(
        max_params=min(arguments.max_params or np.inf, seen["max_params"]),
        max_macs=min(arguments.max_macs or np.inf, seen["max_macs"]),
        max_avm=np.inf if arguments.max_avm is None else arguments.max_avm,
        min_params=seen["min_params"],
        min_accuracy=arguments.min_accuracy,
        confidence=arguments.confidence,
    )


def _show(result: SearchResult, surrogate: Surrogate, path: Path) -> None:
    best = result.best
    learned = surrogate.provenance_
    render.line(f"found   {best.architecture}")
    if best.predicted["accuracy_1d"] < GUESSES / result.space.classes:
        render.notice(
            "warning: the found network hardly does better than guessing; a network that guesses never varies, so that "
            "tight limits on AVM find it: ask for --min-accuracy too"
        )
    rows = [_row("found", best)] + [_row(candidate.name, candidate) for candidate in result.references[:3]]
    render.table(["predicted", "1-day accuracy", "std", "AVM", "params", "MACs"], rows)
    render.line(
        f"nine of ten networks predicted like the found one have a 1-day accuracy of {_between(best, 'accuracy_1d')} % "
        f"and an AVM of {_between(best, 'avm')} points"
    )
    render.line("AVM: accuracy variation over one month, from 1 second to 30 days after programming")
    render.line(
        f"{result.evaluations:,} architectures asked of a surrogate of {learned['rows']} measured ones "
        f"({learned['task']} on {learned['hardware']}) in {result.seconds:.2f} s; seed {result.seed}"
    )
    render.line("The best of many predictions is an optimist; a number to quote comes from")
    render.line(f"  ohmnas verify {path} --task {learned['task']}")


def _between(candidate: Candidate, name: str) -> str:
    low, high = candidate.interval[name]
    return f"{100 * low:.1f} to {100 * high:.1f}"


def _row(name: str, candidate: Candidate) -> list[str]:
    predicted = candidate.predicted
    return [
        name,
        render.percent(predicted["accuracy_1d"]),
        render.percent(predicted["accuracy_1d_std"]),
        render.points(predicted["avm"]),
        f"{candidate.params:,}",
        f"{candidate.macs:,}",
    ]
