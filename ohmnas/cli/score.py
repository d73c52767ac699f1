"""`ohmnas score`: cross-validated quality of the surrogate on a table, beside the label noise ceiling."""

from __future__ import annotations

import argparse
from typing import Any

from ohmnas.cli import render
from ohmnas.cli.arguments import add_json, add_source, positive, seed
from ohmnas.cli.source import check_source
from ohmnas.datasets.table import read_table
from ohmnas.surrogate.score import FEWEST_REPEATS, FOLDS, HeadScore, score


def add_parser(commands: Any) -> None:
    """Add this command."""
    parser = commands.add_parser("score", help="how well a surrogate of a table ranks architectures it never saw")
    parser.add_argument("--table", required=True, help="a shipped name or a path")
    add_source(parser)
    parser.add_argument("--rounds", type=positive, default=3, help="how often the folds are drawn anew (3)")
    parser.add_argument("--seed", type=seed, default=0, help="of folds and trees (0)")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Score and show."""
    table = read_table(arguments.table)
    check_source(table, arguments)
    rows, scores = score(table, arguments.hardware, arguments.fidelity, arguments.seed, arguments.rounds)
    if arguments.json:
        heads = {head: _values(found) for head, found in scores.items()}
        render.machine({"table": arguments.table, "rows": rows, "heads": heads})
        return
    render.table(
        ["held-out", "Kendall's tau", "ceiling", "of it", "Spearman", "prec@10%"],
        [
            [
                head,
                _spread(found.kendall_tau),
                "-" if found.ceiling is None else f"{found.ceiling:.3f}",
                "-" if not found.ceiling else f"{100 * found.kendall_tau[0] / found.ceiling:.0f} %",
                _spread(found.spearman),
                _spread(found.precision_at_10),
            ]
            for head, found in scores.items()
        ],
    )
    repeats = next(iter(scores.values())).repeats
    render.line(
        f"{rows} architectures of {arguments.table}; mean ± standard deviation over {arguments.rounds} x {FOLDS} folds"
    )
    if repeats >= FEWEST_REPEATS:
        render.line(
            f"ceiling: tau of a perfect predictor on labels this noisy, from {repeats} architectures measured twice"
        )
    else:
        render.line(f"no ceiling: only {repeats} architectures were measured twice, {FEWEST_REPEATS} are needed")


def _spread(value: tuple[float, float]) -> str:
    return f"{value[0]:.3f}±{value[1]:.3f}"


def _values(found: HeadScore) -> dict[str, Any]:
    def pair(value: tuple[float, float]) -> dict[str, float]:
        return {"mean": value[0], "std": value[1]}

    return {
        "kendall_tau": pair(found.kendall_tau),
        "ceiling": found.ceiling,
        "spearman": pair(found.spearman),
        "precision_at_10": pair(found.precision_at_10),
        "repeats": found.repeats,
    }
