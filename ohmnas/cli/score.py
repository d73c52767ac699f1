"""`ohmnas score`: cross-validated quality of a surrogate, compared with the ceiling set by label noise."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ohmnas.cli import render
from ohmnas.cli.source import source_table
from ohmnas.datasets.tables.table import MeasuredTable
from ohmnas.errors import InvalidValueError
from ohmnas.surrogate.codesign_validation import FEWEST_CHIPS_OF_ONE, FEWEST_NETWORKS, score_designs
from ohmnas.surrogate.score import FEWEST_REPEATS, FOLDS, Spread, TargetScore, score


def run(arguments: argparse.Namespace) -> None:
    """Score the surrogate and print the result."""
    table = source_table(arguments.table, arguments)
    if arguments.co_design:
        _show_designs(arguments, table)
        return
    with _progress(arguments) as report:
        rows, scores = score(table, arguments.hardware, arguments.fidelity, arguments.seed, arguments.rounds, report)
    if arguments.json:
        targets = {target: _values(found) for target, found in scores.items()}
        render.machine({"table": arguments.table, "rows": rows, "targets": targets})
        return
    render.table(
        ["held-out", "tau", "ceiling (95 %)", "reached", "prec@10%", "in 90 %"],
        [
            [
                target,
                _spread(found.kendall_tau, 3),
                _ceiling(found),
                _share(found),
                _spread(found.precision_at_10, 2),
                "-" if found.coverage is None else f"{100 * found.coverage[0]:.0f} %",
            ]
            for target, found in scores.items()
        ],
    )
    repeats = next(iter(scores.values())).repeats
    render.line(
        f"{rows} architectures of {arguments.table}; mean ± standard deviation over {arguments.rounds} x {FOLDS} folds"
    )
    render.line("tau: Kendall's tau between predictions and labels (each architecture's first seed)")
    render.line("in 90 %: share of labels inside their 90 % prediction interval")
    render.line("prec@10%: share of the predicted top 10 % that are in the measured top 10 %")
    if repeats >= FEWEST_REPEATS:
        render.line(
            f"ceiling: tau of a perfect predictor, limited by label noise (95 % interval), from {repeats} "
            "architectures measured twice"
        )
        render.line("reached: tau as a share of the ceiling")
    else:
        render.line(f"no ceiling: {repeats} architectures were measured twice, but {FEWEST_REPEATS} are needed")


@contextmanager
def _progress(arguments: argparse.Namespace) -> Iterator[Callable[[int], None]]:
    """Show a progress bar for the fits; yield the callback that takes the number of finished fits."""
    total, start = arguments.rounds * FOLDS, time.perf_counter()
    with render.meter("scoring", total, show=not arguments.json) as meter:

        def report(done: int) -> None:
            left = render.duration((time.perf_counter() - start) / done * (total - done))
            meter.advance(done, f"{left} left")

        yield report


def _show_designs(arguments: argparse.Namespace, table: MeasuredTable) -> None:
    if arguments.hardware is not None:
        raise InvalidValueError("--co-design uses all chips: remove --hardware")
    with _progress(arguments) as report:
        data, scores = score_designs(table, arguments.fidelity, arguments.seed, arguments.rounds, report)
    if arguments.json:
        targets = {
            target: {
                **{name: _pair(getattr(found, name)) for name in ("designs", "networks", "chips")},
                "coverage_90": _pair(found.coverage),
            }
            for target, found in scores.items()
        }
        render.machine({"table": arguments.table, "rows": len(data.population), "targets": targets})
        return
    render.table(
        ["held-out tau", "designs", "networks per chip", "chips per network", "in 90 %"],
        [
            [
                target,
                *(_spread(value, 3) for value in (found.designs, found.networks, found.chips)),
                "-" if found.coverage is None else f"{100 * found.coverage[0]:.0f} %",
            ]
            for target, found in scores.items()
        ],
    )
    render.line(
        f"{len(data.population)} designs (network and chip) of {arguments.table}; mean ± standard deviation over "
        f"{arguments.rounds} x {FOLDS} folds of networks"
    )
    render.line(f"networks per chip: mean over chips with at least {FEWEST_NETWORKS} held-out networks")
    render.line(f"chips per network: mean over networks measured on at least {FEWEST_CHIPS_OF_ONE} chips")
    render.line("in 90 %: share of labels inside their 90 % prediction interval")


def _spread(value: Spread | None, digits: int) -> str:
    return "-" if value is None else f"{value[0]:.{digits}f}±{value[1]:.{digits}f}"


def _ceiling(found: TargetScore) -> str:
    if found.ceiling is None or found.ceiling_interval is None:
        return "-"
    low, high = found.ceiling_interval
    return f"{found.ceiling:.2f} {low:.2f}-{high:.2f}"


def _share(found: TargetScore) -> str:
    """Format tau as a share of the ceiling, in whole per cent: the ceiling's interval is wide."""
    if not found.ceiling or found.kendall_tau is None:
        return "-"
    return f"{100 * found.kendall_tau[0] / found.ceiling:.0f} %"


def _pair(value: Spread | None) -> dict[str, float] | None:
    return None if value is None else {"mean": value[0], "std": value[1]}


def _values(found: TargetScore) -> dict[str, Any]:
    """Return the JSON values; null if the labels do not define a value."""
    return {
        "kendall_tau": _pair(found.kendall_tau),
        "ceiling": found.ceiling,
        "ceiling_interval": None if found.ceiling_interval is None else list(found.ceiling_interval),
        "spearman": _pair(found.spearman),
        "precision_at_10": _pair(found.precision_at_10),
        "coverage_90": _pair(found.coverage),
        "repeats": found.repeats,
    }
