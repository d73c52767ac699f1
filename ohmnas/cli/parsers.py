"""The parsers of all commands: their flags and what --help says. Loads nothing else, so that help comes at once.

Each command's parser names the module that runs it, in `module`; `main` imports only that one.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import ohmnas
from ohmnas.cli.arguments import (
    Parser,
    above_zero,
    add_co_design,
    add_data_dir,
    add_jobs,
    add_json,
    add_source,
    chip_name,
    count,
    one_of,
    pair,
    positive,
    seed,
    size,
)
from ohmnas.cli.choices import (
    BACKENDS,
    CHIPS,
    CHOOSERS,
    DEVICES,
    DOWNLOADS,
    ENGINES,
    FIDELITIES,
    MARGINS,
    PLANS,
    RESAMPLES,
    STRATEGIES,
    TASKS,
)
from ohmnas.cli.problem_flags import add_problem


def parser() -> Parser:
    """The parser of everything."""
    top = Parser(prog="ohmnas", description="Architecture search for analog in-memory computing chips.")
    top.add_argument("--version", action="version", version=f"ohmnas {ohmnas.__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (_search, _verify, _campaign, _export_table, _merge, _describe, _study, _fit, _score, _data):
        add(commands)
    return top


def _command(commands: Any, name: str, summary: str, module: str = "") -> argparse.ArgumentParser:
    """A command's parser, which says what module of `ohmnas.cli` runs it."""
    added: argparse.ArgumentParser = commands.add_parser(name, help=summary)
    added.set_defaults(module=module or name)
    return added


def _search(commands: Any) -> None:
    command = _command(commands, "search", "find an architecture under limits, with a surrogate")
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument("--task", help="search with the measured table shipped for this task")
    source.add_argument("--table", help="search with this measured table (a shipped name or a path)")
    source.add_argument("--surrogate", type=Path, help="search with this fitted surrogate (a folder)")
    add_source(command)
    add_co_design(command)
    add_problem(command)
    how = command.add_argument_group("how is searched")
    how.add_argument(
        "--strategy",
        type=one_of("strategy", STRATEGIES),
        default="evolution",
        help=f"one of {', '.join(STRATEGIES)} (evolution)",
    )
    how.add_argument("--param", type=pair, action="append", metavar="P=V", help="a parameter of the strategy: keep=50")
    how.add_argument("--iterations", type=positive, help="generations (200)")
    how.add_argument("--population", type=positive, help="births of a generation (100)")
    how.add_argument("--evaluations", type=size, metavar="N", help="stop after so many architectures, such as 20k")
    how.add_argument(
        "--max-seconds",
        type=above_zero,
        metavar="S",
        default=3600.0,
        help="stop once so long has passed (3600)",
    )
    how.add_argument("--patience", type=positive, metavar="N", help="stop after N generations with nothing better")
    how.add_argument(
        "--restarts", type=positive, default=1, metavar="N", help="begin N times, take the best of all (1)"
    )
    how.add_argument(
        "--start-from",
        action="append",
        metavar="X",
        help="begin with the architectures of a result.json, or with a reference network such as resnet14-w8 (all that "
        "the limits on costs leave)",
    )
    how.add_argument("--exclude", action="append", metavar="T", help="leave out what this table has measured")
    how.add_argument("--resume", type=Path, metavar="FILE", help="go on with the search of this result.json")
    how.add_argument("--seed", type=seed, default=0, help="same seed, same result (0)")
    out = command.add_argument_group("what comes out")
    out.add_argument("--top", type=positive, default=1, metavar="K", help="K architectures that differ, best first (1)")
    out.add_argument("--out", type=Path, default=Path("found"), help="folder for result.json (found)")
    out.add_argument("--plots", action="store_true", help="pictures of the run beside result.json")
    add_json(command)


def _verify(commands: Any) -> None:
    command = _command(commands, "verify", "train and drift the found network; predicted beside measured")
    command.add_argument("result", type=Path, help="the result.json of ohmnas search")
    command.add_argument("--task", required=True, help="the task it was searched for")
    command.add_argument(
        "--fidelity", help=f"effort: one of {', '.join(FIDELITIES)} (that of the surrogate's table, or table)"
    )
    command.add_argument(
        "--engine", default="native", choices=ENGINES, help="what simulates the chip (native); aihwkit is slower"
    )
    command.add_argument("--hardware", help="TOML file of the chip, if the result is for one that is no preset")
    command.add_argument(
        "--references", type=count, default=1, metavar="N", help="known networks of the same limits beside it (1)"
    )
    command.add_argument("--seeds", type=positive, default=3, help="independent trainings of each network (3)")
    command.add_argument("--chips", type=positive, help="programming events of each training (the fidelity's)")
    add_jobs(command)
    command.add_argument("--seed", type=seed, default=0, help="of the first training (0)")
    add_data_dir(command)
    add_json(command)


def _campaign(commands: Any) -> None:
    command = _command(commands, "campaign", "measure architectures; goes on where it stopped")
    command.add_argument("--task", help=f"one of {', '.join(TASKS)}, or an .npz file of images")
    command.add_argument("--n", type=positive, help="architectures; a larger n goes on from a smaller one")
    command.add_argument("--store", type=Path, required=True, help="SQLite file for the rows; made if missing")
    command.add_argument(
        "--hardware",
        nargs="+",
        metavar="CHIP",
        help=f"chips: {', '.join(CHIPS)}, varied ones such as pcm-t256-d8-a7, or TOML files (pcm); chips that are "
        "trained for alike share the training",
    )
    command.add_argument(
        "--vary-chip",
        type=positive,
        metavar="K",
        help="instead of --hardware: each architecture on K settings of tiles and converters that take turns, each in "
        "all technologies; what a search of networks and chips together learns from",
    )
    command.add_argument("--fidelity", default="table", help=f"effort: one of {', '.join(FIDELITIES)} (table)")
    command.add_argument(
        "--seed", type=seed, default=0, help="of the measurements; another one repeats them independently (0)"
    )
    command.add_argument("--plan-seed", type=seed, default=0, help="another one plans other architectures (0)")
    command.add_argument(
        "--choose",
        default="plan",
        choices=CHOOSERS,
        help="plan: those of --plan; active: a third near the front of what is measured, the rest of --plan; best: the "
        "most accurate networks that the store has of another seed, for repeats (plan)",
    )
    command.add_argument(
        "--plan",
        default="mixed",
        choices=PLANS,
        help="mixed: half evenly spread over all sizes, half mutants of the reference networks; spread: all evenly "
        "spread (mixed)",
    )
    command.add_argument(
        "--found",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="measure the best of this result.json of a search too, and what its --top gave; before the plan",
    )
    command.add_argument("--start-from", metavar="TABLE", help="take the rows of this table over first")
    add_jobs(command)
    command.add_argument("--backend", default="local", choices=BACKENDS, help="where workers run (local)")
    command.add_argument("--scheduler", metavar="ADDRESS", help="of the Dask cluster, for --backend dask")
    command.add_argument(
        "--device", default="cpu", choices=DEVICES, help="what workers compute on; several share a GPU (cpu)"
    )
    command.add_argument(
        "--max-row-seconds", type=above_zero, metavar="S", help="a row that takes longer is a failed row"
    )
    command.add_argument(
        "--max-row-gib", type=above_zero, metavar="G", help="a row that needs more memory is a failed row"
    )
    command.add_argument("--retry-failed", action="store_true", help="measure failed rows again: limits may be others")
    command.add_argument(
        "--status",
        action="store_const",
        dest="module",
        const="status",
        help="show what the store holds, and with --task and --n what is left; measure nothing",
    )
    add_data_dir(command)
    add_json(command)


def _export_table(commands: Any) -> None:
    command = _command(commands, "export-table", "write a store's rows as CSV with a card", "table")
    command.add_argument("--store", type=Path, required=True, help="what ohmnas campaign wrote")
    command.add_argument("--out", type=Path, required=True, help="the CSV; the card stands beside it as .json")
    command.add_argument("--task", help="which task, if the store has several; the file, if it is one")
    command.add_argument(
        "--hardware",
        type=chip_name,
        nargs="+",
        metavar="H",
        help="of these chips alone: pcm hermes, a TOML file, or all that were varied from a preset: varied-pcm",
    )
    command.add_argument("--fidelity", help="of this fidelity alone")
    add_json(command)


def _merge(commands: Any) -> None:
    command = _command(commands, "merge", "merge stores and tables of several machines into one store")
    command.add_argument("sources", nargs="+", metavar="SOURCE", help="stores (.sqlite) and tables (names or .csv)")
    command.add_argument("--store", type=Path, required=True, help="where all rows go; made if missing")
    command.add_argument("--salvage", action="store_true", help="take what is readable of damaged stores")
    add_json(command)


def _describe(commands: Any) -> None:
    command = _command(commands, "describe", "what a measured table shows, as numbers and pictures")
    command.add_argument("--table", required=True, help="name of a shipped table, or its .csv")
    add_source(command)
    command.add_argument("--out", type=Path, metavar="DIR", help="folder for pictures; none are drawn without it")
    add_json(command)


def _study(commands: Any) -> None:
    command = _command(commands, "study", "what a table teaches: importance, effects, a map")
    command.add_argument("--table", required=True, help="a shipped name or a path")
    add_source(command)
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for tables and pictures")
    command.add_argument(
        "--resamples", type=positive, default=RESAMPLES, help=f"resampled tables behind intervals ({RESAMPLES})"
    )
    command.add_argument("--seed", type=seed, default=0, help="of folds, shuffles and resamples (0)")
    add_json(command)


def _fit(commands: Any) -> None:
    command = _command(commands, "fit", "learn a surrogate from a measured table")
    command.add_argument("--table", required=True, help="a shipped name or a path")
    add_source(command)
    add_co_design(command)
    command.add_argument("--out", type=Path, required=True, help="folder for the surrogate")
    command.add_argument(
        "--start-from", metavar="TABLE", help="learn from few rows with what this table knows of other chips or tasks"
    )
    command.add_argument("--margin", type=float, choices=MARGINS, default=0.1, help="of the pairwise hinge loss (0.1)")
    command.add_argument("--seed", type=seed, default=0, help="same seed, same surrogate (0)")
    add_json(command)


def _score(commands: Any) -> None:
    command = _command(commands, "score", "how well a surrogate of a table ranks architectures it never saw")
    command.add_argument("--table", required=True, help="a shipped name or a path")
    add_source(command)
    add_co_design(command)
    command.add_argument("--rounds", type=positive, default=3, help="how often the folds are drawn anew (3)")
    command.add_argument("--seed", type=seed, default=0, help="of folds and trees (0)")
    add_json(command)


def _data(commands: Any) -> None:
    command = _command(commands, "data", "download a task's official files")
    command.add_argument("task", help=f"one of {', '.join(DOWNLOADS)}; for another it says where its files are")
    add_data_dir(command)
    add_json(command)
