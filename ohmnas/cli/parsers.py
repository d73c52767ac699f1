"""Parsers for all commands, with their flags and help. Imports no heavy module, so help is fast.

Each command's parser stores the name of its module in `module`; `main` imports only this one.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ohmnas.cli.arguments import (
    Parser,
    above_zero,
    add_co_design,
    add_data_dir,
    add_format,
    add_general,
    add_jobs,
    add_json,
    add_source,
    chip_name,
    count,
    fraction,
    one_of,
    pair,
    positive,
    seed,
    size,
)
from ohmnas.cli.problem_flags import add_cost_limits, add_problem
from ohmnas.datasets.campaign.fidelity import FIDELITIES
from ohmnas.datasets.campaign.options import BACKENDS, CHOOSERS, DEVICES, ENGINE_NAMES, ORDERS, PLANS, STOPPINGS
from ohmnas.datasets.tasks.catalogue import TASKS
from ohmnas.datasets.tasks.loaders.archives import ARCHIVES
from ohmnas.export.catalogue import EXPORTERS
from ohmnas.hardware import PRESETS
from ohmnas.oneshot.gradient.settings import METHODS, REMEDIES
from ohmnas.oneshot.rules import RULES
from ohmnas.search.objectives import OBJECTIVES
from ohmnas.search.quantity_names import COSTS
from ohmnas.search.strategies import STRATEGIES
from ohmnas.search.subspace_names import CRITERIA
from ohmnas.surrogate.defaults import MARGINS, RESAMPLES
from ohmnas.version import version

SHELLS = ("bash", "zsh", "fish")
"""Shells that `ohmnas completion` supports."""
_CODES = "exit codes: 0 success; 1 every measurement failed; 2 an error that you can fix; 130 interrupted"


def parser() -> Parser:
    """Return the parser for all commands."""
    top = Parser(prog="ohmnas", description="Architecture search for analog in-memory computing chips.", epilog=_CODES)
    top.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for add in (
        _search,
        _refine,
        _gradient_search,
        _verify,
        _train,
        _export,
        _campaign,
        _export_table,
        _merge,
        _describe,
        _study,
        _fit,
        _score,
        _supernet,
        _report,
        _show,
        _compare,
        _data,
        _doctor,
        _completion,
    ):
        add(commands)
    return top


class _Version(argparse.Action):
    """Print the version. It is read only here, because reading it from the installed package takes 20 ms."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        sys.stdout.write(f"ohmnas {version()}\n")
        parser.exit()


def _command(
    commands: Any, name: str, summary: str, module: str = "", output: str | None = ""
) -> argparse.ArgumentParser:
    """Add a command's parser.

    Args:
        commands: parsers for all commands.
        name: name of the command.
        summary: description in the list of commands.
        module: module in `ohmnas.cli` that runs the command; the command's name by default.
        output: argument that names the output, where the flags are recorded: `out` or `store` by default; None to
            record no flags.
    """
    about = f"{summary[0].upper()}{summary[1:]}."
    added: argparse.ArgumentParser = commands.add_parser(name, help=summary, description=about)
    added.set_defaults(command=name, module=module or name, output=output)
    add_general(added)
    return added


def _search(commands: Any) -> None:
    command = _command(commands, "search", "find the best architecture within limits, using a surrogate")
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument("--task", help="use the shipped table for this task")
    source.add_argument("--table", help="use this measured table (a shipped name or a path)")
    source.add_argument("--surrogate", type=Path, metavar="FILE", help="use this saved surrogate (NAME.npz)")
    add_source(command)
    add_co_design(command)
    add_problem(command)
    how = command.add_argument_group("search")
    how.add_argument(
        "--strategy",
        type=one_of("strategy", STRATEGIES),
        default="evolution",
        help=f"one of {', '.join(STRATEGIES.own)}, or a strategy from an installed plugin (evolution)",
    )
    how.add_argument(
        "--param", type=pair, action="append", metavar="P=V", help="set a parameter of the strategy, such as keep=50"
    )
    how.add_argument(
        "--choose-space",
        choices=[*CRITERIA],
        help="search only the best of several parts of the space. Criterion over networks within the cost limits: mean "
        "predicted accuracy (accuracy), its 90 %% quantile (best), or mean multiply-accumulates (macs, TinyNAS)",
    )
    how.add_argument(
        "--iterations", type=positive, metavar="N", help="generations after the first (200; rank: 0; grid: 1M)"
    )
    how.add_argument(
        "--population", type=positive, metavar="N", help="offspring per generation (100; rank: 20k; grid: 10k)"
    )
    how.add_argument("--evaluations", type=size, metavar="N", help="stop after N architectures, such as 20k")
    how.add_argument(
        "--max-seconds",
        type=above_zero,
        metavar="S",
        default=3600.0,
        help="stop after S seconds (3600)",
    )
    how.add_argument("--patience", type=positive, metavar="N", help="stop after N generations without improvement")
    how.add_argument(
        "--restarts", type=positive, default=1, metavar="N", help="run the search N times and keep the best (1)"
    )
    how.add_argument(
        "--start-from",
        action="append",
        metavar="X",
        help="start from the architectures of a result.json or from a reference network such as resnet14-w8 (default: "
        "all reference networks within the cost limits)",
    )
    how.add_argument("--exclude", action="append", metavar="T", help="exclude the architectures in this table")
    how.add_argument("--resume", type=Path, metavar="FILE", help="continue the search of this result.json")
    how.add_argument("--seed", type=seed, default=0, help="random seed; the same seed gives the same result (0)")
    out = command.add_argument_group("output")
    out.add_argument("--top", type=positive, default=1, metavar="K", help="return K diverse architectures (1)")
    out.add_argument("--out", type=Path, default=Path("found"), metavar="DIR", help="folder for result.json (found)")
    out.add_argument("--plots", action="store_true", help="write pictures of the search next to result.json")
    add_format(out)
    add_json(command)


def _refine(commands: Any) -> None:
    command = _command(commands, "refine", "alternate search and measurement; if stopped, the same command continues")
    command.add_argument("--task", required=True, help=f"one of {', '.join(TASKS.own)}, or an .npz file of images")
    command.add_argument("--store", type=Path, required=True, help="SQLite file for the rows; created if missing")
    command.add_argument("--hardware", default="pcm", metavar="CHIP", help="chip, by name or TOML file (pcm)")
    command.add_argument(
        "--fidelity", default="table", help=f"training fidelity: one of {', '.join(FIDELITIES)} (table)"
    )
    command.add_argument("--space", default="resnet", help="search space, as in ohmnas campaign (resnet)")
    command.add_argument(
        "--start-from",
        metavar="TABLE",
        help="first copy the rows of this table into the store; none: copy no rows (default: shipped tables that were "
        "measured in the same way)",
    )
    add_problem(command)
    how = command.add_argument_group("refinement")
    how.add_argument(
        "--rounds",
        type=count,
        default=4,
        metavar="N",
        help="rounds of search and measurement; run again with a larger N to add rounds (4)",
    )
    how.add_argument("--each", type=positive, default=12, metavar="N", help="training runs in each round (12)")
    how.add_argument(
        "--first",
        type=positive,
        default=24,
        metavar="N",
        help="networks to measure first if the store and the table have fewer than 20; at least 13 are needed (24)",
    )
    how.add_argument(
        "--repeats", type=count, default=3, metavar="N", help="best networks to train once more at the end (3)"
    )
    how.add_argument("--references", type=count, default=1, metavar="N", help="reference networks to measure too (1)")
    how.add_argument(
        "--max-rows",
        type=positive,
        metavar="N",
        help="request at most N training runs in all, including training runs that the store already has",
    )
    how.add_argument(
        "--max-seconds",
        type=above_zero,
        metavar="S",
        help="start no training run after S seconds; run again to continue",
    )
    how.add_argument("--seed", type=seed, default=0, help="random seed for searches, batches and measurements (0)")
    work = command.add_argument_group("workers")
    add_jobs(work)
    work.add_argument("--backend", default="local", choices=BACKENDS, help="where workers run (local)")
    work.add_argument("--scheduler", metavar="ADDRESS", help="address of the Dask scheduler, for --backend dask")
    work.add_argument(
        "--device", default="cpu", choices=DEVICES, help="device for the workers; several workers share one GPU (cpu)"
    )
    work.add_argument(
        "--max-row-seconds", type=above_zero, metavar="S", help="fail a row that takes longer than S seconds"
    )
    work.add_argument(
        "--max-row-gib", type=above_zero, metavar="G", help="fail a row that needs more than G GiB of memory"
    )
    out = command.add_argument_group("output")
    out.add_argument("--top", type=positive, default=1, metavar="K", help="return K diverse measured networks (1)")
    out.add_argument("--out", type=Path, default=Path("found"), metavar="DIR", help="folder for result.json (found)")
    add_data_dir(command)
    add_json(command)


def _gradient_search(commands: Any) -> None:
    summary = "find a network by gradient descent on probabilities; if stopped, the same command continues"
    command = _command(commands, "gradient-search", summary, "gradient_search")
    command.add_argument("--task", required=True, help=f"one of {', '.join(TASKS.own)}, or an .npz file of images")
    command.add_argument("--space", default="cells", help="search space: cells or resnet (cells)")
    command.add_argument("--hardware", default="pcm", metavar="CHIP", help="chip, by name or TOML file (pcm)")
    add_cost_limits(command.add_argument_group("limits"))
    how = command.add_argument_group("search")
    how.add_argument(
        "--method",
        type=one_of("method", METHODS),
        default="gdas",
        help="; ".join(f"{name}: {meaning}" for name, meaning in METHODS.items()) + " (gdas)",
    )
    how.add_argument(
        "--remedy",
        type=one_of("remedy", REMEDIES),
        default="none",
        help="remedy for cells with only skip connections. "
        + "; ".join(f"{name}: {meaning}" for name, meaning in REMEDIES.items())
        + " (none)",
    )
    how.add_argument(
        "--weight",
        type=pair,
        action="append",
        metavar="Q=W",
        help=f"weight of an expected cost in the loss, such as energy=0.1; the costs are {', '.join(COSTS)}",
    )
    how.add_argument("--epochs", type=positive, metavar="N", help="passes over the training images (20)")
    how.add_argument(
        "--warmup",
        type=fraction,
        metavar="F",
        help="share of the epochs at the start that train only the weights (0)",
    )
    how.add_argument("--images", type=size, metavar="N", help="at most N training images (20000)")
    how.add_argument(
        "--resolution", type=positive, metavar="N", help="average larger images down to at most N pixels a side"
    )
    how.add_argument("--batch", type=positive, metavar="N", help="images per step (64)")
    how.add_argument("--channels", type=positive, metavar="N", help="channels of the search network's stem (8)")
    how.add_argument(
        "--cells",
        type=positive,
        metavar="N",
        help="cells in each stage; for --space resnet, residual blocks in each main block (1)",
    )
    how.add_argument("--blocks", type=positive, metavar="N", help="main blocks, for --space resnet (2)")
    how.add_argument(
        "--settle", type=count, metavar="N", help="train the found network for N more epochs before measuring it (4)"
    )
    how.add_argument("--max-seconds", type=above_zero, metavar="S", help="stop after S seconds; run again to continue")
    how.add_argument("--seed", type=seed, default=0, help="random seed; the same seed gives the same result (0)")
    out = command.add_argument_group("output")
    out.add_argument("--out", type=Path, default=Path("found"), metavar="DIR", help="folder for result.json (found)")
    add_data_dir(command)
    add_json(command)


def _verify(commands: Any) -> None:
    command = _command(
        commands, "verify", "measure the found network and compare it with its prediction", output="result"
    )
    command.add_argument(
        "result", type=Path, metavar="RESULT", help="output folder of ohmnas search, or its result.json"
    )
    command.add_argument("--task", required=True, help="task of the search")
    command.add_argument(
        "--fidelity",
        help=f"training fidelity: one of {', '.join(FIDELITIES)} (default: the fidelity of the surrogate's "
        "table, or table)",
    )
    command.add_argument(
        "--engine", default="native", choices=ENGINE_NAMES, help="chip simulator; aihwkit is slower (native)"
    )
    command.add_argument("--hardware", metavar="CHIP", help="TOML file of the chip, if it is not a preset")
    command.add_argument(
        "--references",
        type=count,
        default=1,
        metavar="N",
        help="also measure N reference networks within the same limits (1)",
    )
    command.add_argument(
        "--pick",
        action="append",
        metavar="X",
        help="network to measure: found, front:28, top:2, a reference network, or genes separated by commas; may be "
        "repeated (found)",
    )
    command.add_argument(
        "--top", type=positive, metavar="K", help="measure the first K networks that the search returned with --top"
    )
    command.add_argument("--seeds", type=positive, default=3, metavar="N", help="training runs per network (3)")
    command.add_argument(
        "--chips", type=positive, metavar="N", help="simulated chips per training run (default: set by the fidelity)"
    )
    add_jobs(command)
    command.add_argument("--seed", type=seed, default=0, help="random seed for the first training run (0)")
    add_data_dir(command)
    add_json(command)


def _train(commands: Any) -> None:
    command = _command(
        commands, "train", "train a found or named network and keep its weights; if stopped, the same command continues"
    )
    command.add_argument(
        "network",
        metavar="NETWORK",
        help="a result.json of ohmnas search or its folder, a reference network such as resnet14-w8, or genes "
        "separated by commas",
    )
    command.add_argument(
        "--pick",
        default="found",
        metavar="WORD",
        help="which network from a result: found, top:K, front:K, a reference network, or genes (found)",
    )
    command.add_argument("--task", required=True, help=f"one of {', '.join(TASKS.own)}, or an .npz file of images")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the trained network")
    command.add_argument(
        "--fidelity",
        help=f"training fidelity: one of {', '.join(FIDELITIES)}; full trains to convergence on all images "
        "(default: the fidelity of the surrogate's table, or table)",
    )
    command.add_argument(
        "--hardware", metavar="CHIP", help="chip, by name or TOML file (default: the chip of the search, or pcm)"
    )
    command.add_argument(
        "--engine", default="native", choices=ENGINE_NAMES, help="chip simulator; aihwkit is slower (native)"
    )
    command.add_argument(
        "--space",
        help="space of the genes (default: resnet) or of the reference network (default: the first space that has it)",
    )
    command.add_argument("--device", default="cpu", choices=DEVICES, help="device for training (cpu)")
    command.add_argument(
        "--seed", type=seed, default=0, help="random seed; ohmnas verify with this seed trains the same network (0)"
    )
    add_data_dir(command)
    add_json(command)


def _export(commands: Any) -> None:
    summary = "export a trained network to PyTorch, ONNX, aihwkit or the Hugging Face hub"
    command = _command(commands, "export", summary, output=None)  # no flags: users may publish the folder
    command.add_argument(
        "network",
        type=Path,
        metavar="NET",
        help="output folder of ohmnas train, or a folder in networks/, next to a result.json",
    )
    command.add_argument(
        "--to",
        type=one_of("exporter", EXPORTERS),
        required=True,
        help=f"one of {', '.join(EXPORTERS.own)}, or an exporter from an installed plugin",
    )
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="new folder for the files")
    add_json(command)


def _campaign(commands: Any) -> None:
    command = _command(commands, "campaign", "measure architectures; if stopped, the same command continues")
    command.add_argument("--task", help=f"one of {', '.join(TASKS.own)}, or an .npz file of images")
    command.add_argument("--n", type=positive, help="number of architectures; a larger N extends an earlier campaign")
    command.add_argument("--store", type=Path, required=True, help="SQLite file for the rows; created if missing")
    command.add_argument(
        "--hardware",
        nargs="+",
        metavar="CHIP",
        help=f"chips: {', '.join(PRESETS.own)}, variants such as pcm-t256-d8-a7, or TOML files; chips with the same "
        "training noise share one training run (pcm)",
    )
    command.add_argument(
        "--vary-chip",
        type=positive,
        metavar="K",
        help="for co-design, instead of --hardware: measure each architecture on K settings of tiles and converters, "
        "in every technology",
    )
    command.add_argument(
        "--fidelity", default="table", help=f"training fidelity: one of {', '.join(FIDELITIES)} (table)"
    )
    command.add_argument(
        "--seed", type=seed, default=0, help="seed for the measurements; a different seed gives independent repeats (0)"
    )
    command.add_argument(
        "--plan-seed",
        type=seed,
        default=0,
        help="seed for the plan; a different seed gives different architectures (0)",
    )
    command.add_argument(
        "--choose",
        default="plan",
        choices=CHOOSERS,
        help="plan: the architectures of --plan; active: one sixth near the predicted Pareto front, one sixth "
        "mutants of the best measured networks, the rest from --plan; best: measure the most accurate networks of the "
        "store again, with a different seed (plan)",
    )
    command.add_argument(
        "--space",
        default="resnet",
        help="search space: resnet (ResNet-like, as in AnalogNAS), cells (NAS-Bench-201), mobile (inverted residuals), "
        "or a registered space (resnet)",
    )
    command.add_argument(
        "--plan",
        default="mixed",
        choices=PLANS,
        help="mixed: half spread evenly over all sizes, half mutants of the reference networks; spread: all spread "
        "evenly (mixed)",
    )
    command.add_argument(
        "--order",
        default="plan",
        choices=ORDERS,
        help="plan: in the order of the plan; cheap: networks with few activations first, to get many rows early "
        "(plan)",
    )
    command.add_argument(
        "--max-params",
        type=size,
        metavar="N",
        help="networks of at most N parameters (default: the task's limit, which always holds)",
    )
    command.add_argument(
        "--max-macs",
        type=size,
        metavar="N",
        help="networks of at most N MACs (default: the task's limit, which always holds)",
    )
    command.add_argument(
        "--found",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="first measure the best architecture in this result.json, and the architectures from its --top",
    )
    command.add_argument(
        "--networks",
        metavar="TABLE",
        help="instead of the architectures of --plan, measure those in this table: all of them, or the first --n",
    )
    command.add_argument("--start-from", metavar="TABLE", help="first copy the rows of this table into the store")
    add_jobs(command)
    command.add_argument("--backend", default="local", choices=BACKENDS, help="where workers run (local)")
    command.add_argument("--scheduler", metavar="ADDRESS", help="address of the Dask scheduler, for --backend dask")
    command.add_argument(
        "--device", default="cpu", choices=DEVICES, help="device for the workers; several workers share one GPU (cpu)"
    )
    command.add_argument(
        "--max-row-seconds", type=above_zero, metavar="S", help="fail a row that takes longer than S seconds"
    )
    command.add_argument(
        "--max-row-gib", type=above_zero, metavar="G", help="fail a row that needs more than G GiB of memory"
    )
    command.add_argument(
        "--stop-early",
        choices=STOPPINGS,
        help="asha: after 1/4 and 1/2 of its epochs, stop a training run whose loss is above the median loss of all "
        "training runs so far at the same epoch; stopped rows have no accuracies (default: stop none)",
    )
    command.add_argument("--retry-failed", action="store_true", help="measure failed rows again, with the new limits")
    command.add_argument(
        "--status",
        action="store_const",
        dest="module",
        const="status",
        help="count the rows in the store and, with --task and --n, the finished part of the plan; measure nothing",
    )
    add_data_dir(command)
    add_json(command)


def _export_table(commands: Any) -> None:
    command = _command(commands, "export-table", "write a store's rows as CSV with a card", "table")
    command.add_argument("--store", type=Path, required=True, help="store from ohmnas campaign")
    command.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="CSV file; the card is a .json file next to it"
    )
    command.add_argument("--task", help="task to export, if the store has several: its name or its .npz file")
    command.add_argument(
        "--hardware",
        type=chip_name,
        nargs="+",
        metavar="H",
        help="only these chips: presets (pcm hermes), TOML files, or all variants of a preset (varied-pcm)",
    )
    command.add_argument("--fidelity", help="only this fidelity")
    add_json(command)


def _merge(commands: Any) -> None:
    command = _command(commands, "merge", "merge stores and tables from several machines into one store")
    command.add_argument("sources", nargs="+", metavar="SOURCE", help="stores (.sqlite) and tables (names or .csv)")
    command.add_argument("--store", type=Path, required=True, help="SQLite file for all rows; created if missing")
    command.add_argument("--salvage", action="store_true", help="copy all readable rows of damaged stores")
    add_json(command)


def _describe(commands: Any) -> None:
    command = _command(commands, "describe", "summarise a measured table in numbers and pictures")
    command.add_argument("--table", required=True, help="a shipped name or a path")
    add_source(command)
    command.add_argument("--out", type=Path, metavar="DIR", help="folder for pictures (default: draw none)")
    add_format(command)
    add_json(command)


def _study(commands: Any) -> None:
    command = _command(
        commands, "study", "analyse a measured table: importance of features, effects of choices, map of the space"
    )
    command.add_argument("--table", required=True, help="a shipped name or a path")
    add_source(command)
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for tables and pictures")
    add_format(command)
    command.add_argument(
        "--resamples",
        type=positive,
        default=RESAMPLES,
        metavar="N",
        help=f"bootstrap resamples for intervals ({RESAMPLES})",
    )
    command.add_argument("--seed", type=seed, default=0, help="random seed for folds, shuffles and resamples (0)")
    add_json(command)


def _fit(commands: Any) -> None:
    command = _command(commands, "fit", "train a surrogate on a measured table")
    command.add_argument("--table", required=True, help="a shipped name or a path")
    add_source(command)
    add_co_design(command)
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="file for the surrogate, NAME.npz")
    command.add_argument(
        "--start-from",
        metavar="TABLE",
        help="transfer from this table, measured on other chips or tasks; for a --table with few rows",
    )
    command.add_argument(
        "--margin", type=float, choices=MARGINS, default=0.1, help="margin of the pairwise hinge loss (0.1)"
    )
    command.add_argument("--seed", type=seed, default=0, help="random seed; the same seed gives the same surrogate (0)")
    add_json(command)


def _score(commands: Any) -> None:
    command = _command(commands, "score", "cross-validate a surrogate on a measured table")
    command.add_argument("--table", required=True, help="a shipped name or a path")
    add_source(command)
    add_co_design(command)
    command.add_argument(
        "--rounds", type=positive, default=3, metavar="N", help="repeats of the cross-validation with new folds (3)"
    )
    command.add_argument("--seed", type=seed, default=0, help="random seed for folds and trees (0)")
    add_json(command)


def _supernet(commands: Any) -> None:
    summary = "train one set of weights for many networks, and search with it"
    actions = commands.add_parser("supernet", help=summary).add_subparsers(
        title="actions", metavar="ACTION", required=True
    )
    _supernet_train(actions)
    _supernet_score(actions)
    _supernet_search(actions)


def _action(actions: Any, name: str, summary: str, output: str | None = "") -> argparse.ArgumentParser:
    """Add the parser of an action of `ohmnas supernet`."""
    added = _command(actions, name, summary, "supernet", output)
    added.set_defaults(command=f"supernet {name}", action=name)
    return added


def _supernet_train(actions: Any) -> None:
    command = _action(actions, "train", "train the shared weights; if stopped, the same command continues")
    command.add_argument("--task", required=True, help=f"one of {', '.join(TASKS.own)}, or an .npz file of images")
    command.add_argument("--space", default="resnet", choices=("resnet", "cells"), help="search space (resnet)")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for the supernet")
    command.add_argument("--hardware", default="pcm", metavar="CHIP", help="chip, by name or TOML file (pcm)")
    long = command.add_mutually_exclusive_group()
    long.add_argument(
        "--minutes",
        type=above_zero,
        default=30.0,
        metavar="M",
        help="train for about M minutes of one core; the number of epochs follows from a few timed steps (30)",
    )
    long.add_argument("--epochs", type=positive, metavar="N", help="train for N passes over the images")
    command.add_argument(
        "--rule",
        type=one_of("rule", RULES),
        default="uniform",
        help="uniform: one random network a step; sandwich: a large, a small and two random networks a step, with "
        "distillation from the large one; shrinking: one random network a step, at first only large networks (uniform)",
    )
    command.add_argument(
        "--max-params",
        type=size,
        metavar="N",
        help="networks of at most N parameters (default: the task's limit for resnet, none for cells)",
    )
    command.add_argument(
        "--max-macs",
        type=size,
        metavar="N",
        help="networks of at most N MACs (default: the task's limit for resnet, none for cells)",
    )
    _add_genes(command)
    command.add_argument(
        "--resolution", type=positive, metavar="N", help="average larger images down to at most N pixels a side"
    )
    command.add_argument("--seed", type=seed, default=0, help="random seed (0)")
    add_data_dir(command)
    add_json(command)


def _supernet_score(actions: Any) -> None:
    command = _action(actions, "score", "compare accuracies from shared weights with a measured table", output=None)
    _add_reading(command)
    command.add_argument("--table", required=True, help="a shipped name or a path")
    add_source(command)
    command.add_argument("--networks", type=positive, metavar="N", help="at most N networks, drawn at random (all)")
    command.add_argument("--no-surrogate", action="store_true", help="do not cross-validate a surrogate on the table")
    add_json(command)


def _supernet_search(actions: Any) -> None:
    command = _action(actions, "search", "find the best network of a supernet within limits; needs no table")
    _add_reading(command)
    command.add_argument("--max-params", type=size, metavar="N", help="at most N parameters, such as 50k")
    command.add_argument(
        "--max-macs", type=size, metavar="N", help="at most N multiply-accumulates per image, such as 2M"
    )
    command.add_argument(
        "--max-avm", type=fraction, metavar="F", help="accuracy variation over one month: at most F, such as 0.02"
    )
    command.add_argument(
        "--max-std", type=fraction, metavar="F", help="standard deviation of accuracy: at most F, such as 0.01"
    )
    _add_genes(command)
    command.add_argument(
        "--objective",
        type=one_of("objective", OBJECTIVES),
        default="accuracy",
        help=f"maximise one of {', '.join(OBJECTIVES.own)} (accuracy)",
    )
    command.add_argument(
        "--strategy",
        type=one_of("strategy", STRATEGIES),
        default="evolution",
        help=f"one of {', '.join(STRATEGIES.own)}, or a strategy from an installed plugin (evolution)",
    )
    command.add_argument(
        "--param", type=pair, action="append", metavar="P=V", help="set a parameter of the strategy, such as keep=50"
    )
    command.add_argument(
        "--evaluations", type=size, default=300, metavar="N", help="measure N networks with shared weights (300)"
    )
    command.add_argument("--population", type=positive, default=20, metavar="N", help="offspring per generation (20)")
    command.add_argument("--minutes", type=above_zero, default=60.0, metavar="M", help="stop after M minutes (60)")
    command.add_argument("--top", type=positive, default=1, metavar="K", help="return K diverse networks (1)")
    command.add_argument(
        "--out", type=Path, default=Path("found"), metavar="DIR", help="folder for result.json (found)"
    )
    add_json(command)


def _add_genes(command: argparse.ArgumentParser) -> None:
    """Add `--fix` and `--range`."""
    command.add_argument("--fix", type=pair, action="append", metavar="G=V", help="fix a gene, such as KS0=3 or B=1")
    command.add_argument(
        "--range", type=pair, action="append", metavar="G=A:B", help="limit a gene to a range, such as M=1:3 or R=1:4"
    )


def _add_reading(command: argparse.ArgumentParser) -> None:
    """Add the flags for measurements with a supernet."""
    command.add_argument(
        "--supernet", type=Path, required=True, metavar="DIR", help="output folder of ohmnas supernet train"
    )
    command.add_argument("--task", help="task of the supernet, if its images are in an .npz file")
    command.add_argument(
        "--chips", type=positive, default=5, metavar="N", help="simulated chips per network, at least 2 (5)"
    )
    command.add_argument(
        "--images", type=positive, default=400, metavar="N", help="validation images per measurement (400)"
    )
    command.add_argument("--seed", type=seed, default=0, help="random seed (0)")
    add_data_dir(command)


def _report(commands: Any) -> None:
    summary = "write a page about results or a table: one HTML file that works offline"
    command = _command(commands, "report", summary, output=None)
    command.add_argument(
        "results",
        nargs="*",
        type=Path,
        metavar="RESULT",
        help="output folder of ohmnas search, or its result.json; several are shown side by side",
    )
    command.add_argument(
        "--table",
        help="the measured table (a shipped name or a path); with results: the training table of their surrogate",
    )
    add_source(command)
    _add_surrogate(command)
    command.add_argument(
        "--out", type=Path, default=Path("report.html"), metavar="FILE", help="HTML file of the page (report.html)"
    )
    add_json(command)


def _show(commands: Any) -> None:
    command = _command(commands, "show", "print a stored result again, with drift, measurements and layers")
    command.add_argument(
        "result", type=Path, metavar="RESULT", help="output folder of ohmnas search, or its result.json"
    )
    _add_surrogate(command)
    add_json(command)


def _compare(commands: Any) -> None:
    command = _command(commands, "compare", "print several stored results or trained networks side by side")
    command.add_argument(
        "results",
        nargs="+",
        type=Path,
        metavar="RESULT",
        help="output folder of ohmnas search, its result.json, or the folder of a trained network",
    )
    _add_surrogate(command)
    add_json(command)


def _add_surrogate(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--surrogate",
        metavar="FILE",
        help="surrogate used for the result, for the accuracy over time (default: the shipped one)",
    )


def _data(commands: Any) -> None:
    command = _command(commands, "data", "download a task's official files")
    command.add_argument(
        "task", metavar="TASK", help=f"one of {', '.join(ARCHIVES)}; for other tasks, prints where to get the files"
    )
    add_data_dir(command)
    add_json(command)


def _doctor(commands: Any) -> None:
    command = _command(commands, "doctor", "show installed packages, whether they work together, and folders in use")
    add_json(command)


def _completion(commands: Any) -> None:
    command = _command(commands, "completion", "print a script that completes commands and flags in your shell")
    command.add_argument("shell", choices=SHELLS, help="your shell")
    add_json(command)
