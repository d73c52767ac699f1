"""`ohmnas export-table`: a store's rows as a table and its card."""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from shlex import quote

import pandas as pd

from ohmnas.cli import render
from ohmnas.datasets.card import make_card
from ohmnas.datasets.schema import ACCURACY_COLUMNS, KEY_COLUMNS
from ohmnas.datasets.store import Store
from ohmnas.datasets.table import MeasuredTable, read_table, write_table
from ohmnas.datasets.task import task
from ohmnas.errors import InvalidValueError, StorageError
from ohmnas.spaces.genes import GENE_NAMES
from ohmnas.spaces.hardware import is_varied, kind_of
from ohmnas.surrogate.learning import FEWEST_ROWS, learnable_chips


def run(arguments: argparse.Namespace) -> None:
    """Export, and read the result back to check it."""
    if arguments.out.suffix != ".csv":
        raise InvalidValueError(f"--out {arguments.out} must end in .csv; the card will stand beside it")
    if not arguments.out.parent.is_dir():
        raise StorageError(f"cannot write {arguments.out}: the folder {arguments.out.parent} does not exist")
    with Store(arguments.store, read_only=True) as store:
        frame = store.frame()
    tasks = sorted(set(frame["task"]))
    if not tasks:
        raise InvalidValueError(f"the store {arguments.store} has no rows yet")
    if arguments.task is None and len(tasks) > 1:
        raise InvalidValueError(f"the store has rows of {', '.join(tasks)}: choose one with --task")
    chosen = task(arguments.task or tasks[0])
    everything = frame[frame["task"] == chosen.name]
    if everything.empty:
        raise InvalidValueError(f"the store has no rows of {chosen.name}, only of {', '.join(tasks)}")
    frame = _asked(everything, arguments.hardware or [], arguments.fidelity)
    _check_nothing_is_lost(arguments.out, frame, everything, arguments.store)
    write_table(arguments.out, frame, make_card(frame, chosen))
    table = read_table(str(arguments.out))
    if arguments.json:
        render.machine({"out": str(arguments.out), "card": table.card})
    else:
        out, card, which = arguments.out, table.card, _learnable(table)
        render.line(
            f"{len(frame):,} rows of {card['architectures']:,} architectures written to {out}, their card to "
            f"{out.with_suffix('.json')}"
            + ("" if which is None else f"; next: ohmnas fit --table {quote(str(out))}{which} --out surrogate")
        )


def _asked(frame: pd.DataFrame, chips: list[str], fidelity: str | None) -> pd.DataFrame:
    """The rows of these chips, or kinds of chips, and of this fidelity; of all where none is named.

    Raises:
        InvalidValueError: there are none of one of them.
    """
    kinds = frame["hardware"].map(kind_of)
    for name in chips:
        if not (kinds.eq(name) | frame["hardware"].eq(name)).any():
            raise InvalidValueError(f"the store has no rows of {name}, only of {', '.join(sorted(set(kinds)))}")
    if chips:
        frame = frame[kinds.isin(chips) | frame["hardware"].isin(chips)]
    fidelities = sorted(set(frame["fidelity"]))
    if fidelity not in {None, *fidelities}:
        raise InvalidValueError(f"the store has no such rows of fidelity {fidelity}, only of {', '.join(fidelities)}")
    return frame if fidelity is None else frame[frame["fidelity"] == fidelity]


def _check_nothing_is_lost(path: Path, frame: pd.DataFrame, everything: pd.DataFrame, store: Path) -> None:
    """A table may be exported again when the store has grown, and over nothing else.

    Args:
        path: of the table.
        frame: its rows now.
        everything: that the store has of the task.
        store: where they are from.

    Raises:
        InvalidValueError: what stands there is something else, or has rows that these do not have, or not so.
        StorageError: it cannot be read.
    """
    card, other = path.with_suffix(".json"), "choose another --out"
    if card.exists() and not all(f'"{key}"' in _text(card) for key in ("sha256", "architectures", "reproduce")):
        raise InvalidValueError(f"{card}, where the card would go, is something else: {other}")
    if not path.exists():
        return
    identity = [*KEY_COLUMNS, *GENE_NAMES]
    values = [*identity, "status", *ACCURACY_COLUMNS]
    try:  # not `read_table`: after a kill between table and card they do not belong together, and this mends it
        there = pd.read_csv(io.StringIO(_text(path)), usecols=values, dtype=str, keep_default_na=False)[values]
    except ValueError as error:
        raise InvalidValueError(f"{path} exists and is no table of measured rows: {other}") from error
    written, known = (_as_text(rows[values]) for rows in (frame, everything))
    lost = len(there) - len(there.merge(written))
    if lost <= 0:
        return
    if (changed := len(there.merge(written[identity])) - (len(there) - lost)) > 0:
        raise InvalidValueError(f"{path} has {changed:,} rows with other results than {store}: {other}")
    say = f"{path} has {lost:,} rows that are not in this export of {store}: {other}"
    if len(there.merge(known[identity])) < len(there):
        say += f", or add them first with ohmnas merge --store {quote(str(store))} {quote(str(path))}"
    raise InvalidValueError(say)


def _as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """As it reads when it was written."""
    return pd.read_csv(io.StringIO(frame.to_csv(index=False)), dtype=str, keep_default_na=False)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error


def _learnable(table: MeasuredTable) -> str | None:
    """The flag, if one is needed, with which a surrogate can learn the table; None if it has too few rows."""
    chips, names = learnable_chips(table), set(table.measured["hardware"])
    if chips:
        usual = len(names) == 1 or "pcm" in chips
        return "" if usual else f" --hardware {quote(chips[0])}"
    networks = table.measured[table.measured["hardware"].map(is_varied)].drop_duplicates(list(GENE_NAMES))
    return " --co-design" if len(networks) >= FEWEST_ROWS else None
