"""`ohmnas export-table`: write a store's rows as a table with a card."""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from shlex import quote

import pandas as pd

from ohmnas.cli import render
from ohmnas.datasets.campaign.store import Store
from ohmnas.datasets.tables.card import make_card
from ohmnas.datasets.tables.schema import ACCURACY_COLUMNS, KEY_COLUMNS, gene_columns
from ohmnas.datasets.tables.table import MeasuredTable, read_table, write_table
from ohmnas.datasets.tasks.task import task
from ohmnas.errors import InvalidValueError, StorageError, counted
from ohmnas.files import LARGEST_TABLE, read_bytes
from ohmnas.hardware import is_varied, kind_of
from ohmnas.surrogate.training_set import FEWEST_ROWS, learnable_chips


def run(arguments: argparse.Namespace) -> None:
    """Export the table and read it back as a check."""
    if arguments.out.suffix != ".csv":
        raise InvalidValueError(f"--out {arguments.out} must end in .csv; the card gets the same name with .json")
    if not arguments.out.parent.is_dir():
        raise StorageError(f"cannot write {arguments.out}: the folder {arguments.out.parent} does not exist")
    with Store(arguments.store, read_only=True) as store:
        frame = store.frame()
    tasks = sorted(set(frame["task"]))
    if not tasks:
        raise InvalidValueError(f"the store {arguments.store} has no rows yet")
    if arguments.task is None and len(tasks) > 1:
        raise InvalidValueError(f"the store has rows of {', '.join(tasks)}: select one with --task")
    chosen = task(arguments.task or tasks[0])
    everything = frame[frame["task"] == chosen.name]
    if everything.empty:
        raise InvalidValueError(f"the store has no rows of {chosen.name}, only of {', '.join(tasks)}")
    frame = _asked(everything, arguments.hardware or [], arguments.fidelity)
    _check_nothing_is_lost(arguments.out, frame, everything, arguments.store)
    write_table(arguments.out, frame, make_card(frame, chosen, arguments.out.name))
    table = read_table(str(arguments.out))
    if arguments.json:
        render.machine({"out": str(arguments.out), "card": table.card})
    else:
        out, card, which = arguments.out, table.card, _learnable(table)
        render.line(
            f"wrote {counted(len(frame), 'row')} of {counted(card['architectures'], 'architecture')} to {out} and the "
            f"card to {out.with_suffix('.json')}"
            + ("" if which is None else f"; next: ohmnas fit --table {quote(str(out))}{which} --out surrogate")
        )


def _asked(frame: pd.DataFrame, chips: list[str], fidelity: str | None) -> pd.DataFrame:
    """Return the rows of these chips or kinds of chip and of this fidelity; no selection means all.

    Raises:
        InvalidValueError: no rows match a chip or the fidelity.
    """
    kinds = frame["hardware"].map(kind_of)
    for name in chips:
        if not (kinds.eq(name) | frame["hardware"].eq(name)).any():
            raise InvalidValueError(f"the store has no rows of {name}, only of {', '.join(sorted(set(kinds)))}")
    if chips:
        frame = frame[kinds.isin(chips) | frame["hardware"].isin(chips)]
    fidelities = sorted(set(frame["fidelity"]))
    if fidelity not in {None, *fidelities}:
        raise InvalidValueError(f"the selected rows have no fidelity {fidelity}, only {', '.join(fidelities)}")
    return frame if fidelity is None else frame[frame["fidelity"] == fidelity]


def _check_nothing_is_lost(path: Path, frame: pd.DataFrame, everything: pd.DataFrame, store: Path) -> None:
    """Check that the export does not overwrite a different kind of file, or measured rows that it lacks.

    Args:
        path: the table to write.
        frame: its new rows.
        everything: all rows of the task in the store.
        store: the store.

    Raises:
        InvalidValueError: the file is not a table, has rows that `frame` lacks, or has different results for the same
            rows.
        BrokenFileError: the file cannot be read.
    """
    card, other = path.with_suffix(".json"), "choose another --out"
    if card.exists() and not all(f'"{key}"' in _text(card) for key in ("sha256", "architectures", "reproduce")):
        raise InvalidValueError(f"{card} exists and is not a table's card: {other}")
    if not path.exists():
        return
    identity = [*KEY_COLUMNS, *gene_columns(frame.columns)]
    values = [*identity, "status", *ACCURACY_COLUMNS]
    try:  # not `read_table`: if an export was killed between its two writes, the old card does not match the table
        existing = pd.read_csv(io.StringIO(_text(path)), usecols=values, dtype=str, keep_default_na=False)[values]
    except ValueError as error:
        raise InvalidValueError(f"{path} exists and is not a table of measured rows: {other}") from error
    written, known = (_as_text(rows[values]) for rows in (frame, everything))
    lost = len(existing) - len(existing.merge(written))
    if lost <= 0:
        return
    if (changed := len(existing.merge(written[identity])) - (len(existing) - lost)) > 0:
        raise InvalidValueError(
            f"{path} has {counted(changed, 'row')} with results that differ from those in {store}: {other}"
        )
    say = f"{path} has {counted(lost, 'row')} that this export of {store} lacks: {other}"
    if len(existing.merge(known[identity])) < len(existing):
        say += f", or first add them with ohmnas merge --store {quote(str(store))} {quote(str(path))}"
    raise InvalidValueError(say)


def _as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame as text, as it would be read back from a CSV."""
    return pd.read_csv(io.StringIO(frame.to_csv(index=False)), dtype=str, keep_default_na=False)


def _text(path: Path) -> str:
    return read_bytes(path, LARGEST_TABLE).decode("utf-8", errors="replace")


def _learnable(table: MeasuredTable) -> str | None:
    """Return the flag that `ohmnas fit` needs for the table, empty if it needs none; None if there are too few rows."""
    chips, names = learnable_chips(table), set(table.measured["hardware"])
    if chips:
        is_default = len(names) == 1 or "pcm" in chips
        return "" if is_default else f" --hardware {quote(chips[0])}"
    networks = table.measured[table.measured["hardware"].map(is_varied)].drop_duplicates(list(table.space.gene_names))
    return " --co-design" if len(networks) >= FEWEST_ROWS else None
