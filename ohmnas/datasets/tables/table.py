"""Measured tables: a CSV of rows and a JSON card that describes the measurement."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from ohmnas.datasets.tables import analognasbench, schema
from ohmnas.datasets.tables.cells import cell_text, typed
from ohmnas.datasets.tables.faults import Mask, faults
from ohmnas.datasets.tables.schema import Row
from ohmnas.errors import BrokenFileError, InvalidValueError, UnknownNameError, in_short, shown
from ohmnas.files import LARGEST_TABLE, is_file, read_json, read_text, write_atomically
from ohmnas.hardware import Hardware, is_varied
from ohmnas.json_values import LARGEST_SIZE
from ohmnas.lookup import name_fault
from ohmnas.spaces.catalogue import kind_called, kind_with, names_in_files
from ohmnas.spaces.codesign import space_of
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space
from ohmnas.targets import ACCURACY, SPREAD, VARIATION, Target, target

DEFAULT_FIDELITIES = ("table", "paper")
"""Default fidelities of tables with several, in order of preference; only tables before protocol 4 have ``paper``."""
_MOST_NAMES = 10
"""Largest number of names in a message."""
_LARGEST_CARD = 16 << 20
"""Largest size of a card in bytes."""


@dataclass(frozen=True, slots=True)
class MeasuredTable:
    """Checked rows and their card."""

    frame: pd.DataFrame
    """`schema.columns`, one row per measurement; failed and stopped rows have NaN for missing values."""
    card: dict[str, Any]
    """Task, input shape, classes, protocol, software, date, checksum, commands to reproduce."""
    source: str
    """Name or path, for messages."""

    @property
    def space(self) -> Space:
        """Space of the table's genomes."""
        shape = self.card["input_shape"]
        return space_of(self.card["space"], (shape[0], shape[1], shape[2]), self.card["classes"])

    @property
    def measured(self) -> pd.DataFrame:
        """Rows with accuracies: all rows that neither failed nor were stopped."""
        return self.frame[self.frame["status"] == schema.STATUS_OK].reset_index(drop=True)

    @property
    def targets(self) -> tuple[Target, Target, Target]:
        """Targets of the table's surrogate. The third is the AVM, or the variation that the table has instead."""
        return ACCURACY, SPREAD, target(self.card.get("variation", VARIATION.name))

    def rows(self) -> Iterable[Row]:
        """Rows in the format of a store."""
        for record in self.frame.astype(object).where(self.frame.notna(), None).to_dict("records"):
            row = cast("Row", record)
            row |= {name: row[name] or "" for name in ("reason", *schema.CURVE_COLUMNS)}
            yield row

    def select(self, hardware: str | None = None, fidelity: str | None = None) -> pd.DataFrame:
        """Return the measured rows of one chip and one fidelity.

        Args:
            hardware: name of the chip; None selects the only one, or ``pcm`` if there are several.
            fidelity: name of the fidelity; None selects the chip's only fidelity, or the first of
                `DEFAULT_FIDELITIES` that the chip has.

        Raises:
            InvalidValueError: the choice is ambiguous, or no rows match.
        """
        frame = self._chosen(self.measured, "hardware", hardware, ("pcm",))
        return self._chosen(frame, "fidelity", fidelity, DEFAULT_FIDELITIES)

    def of_fidelity(self, fidelity: str | None = None) -> pd.DataFrame:
        """Return the measured rows of all chips and one fidelity, selected as in `select`."""
        return self._chosen(self.measured, "fidelity", fidelity, DEFAULT_FIDELITIES)

    def check_chip(self, chip: Hardware) -> None:
        """Check that rows with a chip's name, if there are any, were measured with its settings.

        Raises:
            InvalidValueError: a setting differs.
        """
        rows = self.frame[self.frame["hardware"] == chip.name]
        for name, value in {"technology": chip.technology, **chip.settings()}.items():
            if len(rows) and rows[name].iloc[0] != value:
                raise InvalidValueError(
                    f"table {self.source} has rows of a chip {chip.name!r} with {name} {rows[name].iloc[0]}; this one "
                    f"has {value}"
                )

    def _chosen(self, frame: pd.DataFrame, column: str, asked: str | None, preferred: tuple[str, ...]) -> pd.DataFrame:
        there = sorted(set(frame[column]))
        chosen = asked
        if asked is None:
            chosen = there[0] if len(there) == 1 else next((name for name in preferred if name in there), None)
            if there and chosen not in there:
                raise InvalidValueError(
                    f"table {self.source} has several values of {column}: select one with --{column}: {_few(there)}"
                )
        found = frame[frame[column] == chosen]
        if found.empty:
            only = f", only of {_few(there)}" if there else ""
            raise InvalidValueError(f"table {self.source} has no measured rows of {column} {chosen!r}{only}")
        return found


def _few(names: list[str]) -> str:
    """Join names for a message. If not all are variants of presets, the variants are only counted."""
    varied = sum(map(is_varied, names))
    if 0 < varied < len(names):
        names = [*(name for name in names if not is_varied(name)), f"{varied} varied chips"]
    shown = names if len(names) <= _MOST_NAMES else [*names[:_MOST_NAMES], f"{len(names) - _MOST_NAMES} more"]
    return ", ".join(shown)


def accuracy_std_floor(frame: pd.DataFrame) -> float:
    """Return the smallest standard deviation that the chips of these rows can resolve.

    It occurs if one chip classifies one image differently from all other chips.
    """
    return float(1.0 / (frame["validation_images"].max() * np.sqrt(frame["chips"].max())))


def genomes(frame: pd.DataFrame) -> Population:
    """``(rows, g)``: genomes of a table's rows; all other columns are ignored.

    Raises:
        InvalidValueError: the columns do not hold the genes of any space.
    """
    kind = kind_with(frame.columns)
    if kind is None:
        raise InvalidValueError("the columns do not hold the genes of any space")
    return frame[list(kind.architecture_genes.names)].to_numpy(dtype=np.int16)


def shipped_tables() -> list[str]:
    """Return the names of the shipped tables."""
    folder = resources.files("ohmnas.datasets") / "tables"
    return sorted(entry.name[:-4] for entry in folder.iterdir() if entry.name.endswith(".csv"))


def find_table(name_or_path: str | Path) -> Path:
    """Return the path of the CSV of a shipped table, given by name, or of any other table, given by path.

    Raises:
        UnknownNameError: neither exists.
    """
    shipped = Path(str(resources.files("ohmnas.datasets") / "tables" / f"{name_or_path}.csv"))
    if isinstance(name_or_path, str) and "/" not in name_or_path and is_file(shipped):
        return shipped
    path = Path(name_or_path)
    if is_file(path):
        return path
    raise UnknownNameError(
        f"no table {name_or_path!r}: it is neither a file, nor a shipped table ({', '.join(shipped_tables())}), "
        f"nor {analognasbench.NAME}"
    )


def read_table(name_or_path: str | Path) -> MeasuredTable:
    """Read and check a table: a shipped table or ``analog-nasbench`` by name, any other table by the path of its CSV.

    Raises:
        UnknownNameError: the table does not exist.
        MissingDependencyError: the package ``analog-nasbench`` is not installed.
        BrokenFileError: a file cannot be read, or the card or a row is invalid; the message names file, row and column.
    """
    if analognasbench.is_meant(name_or_path):
        return MeasuredTable(*analognasbench.read(name_or_path), str(name_or_path))
    path = find_table(name_or_path)
    card = _read_card(path.with_suffix(".json"))
    text = _text(path)
    checksum = hashlib.sha256(text.encode()).hexdigest()
    if checksum != card["sha256"]:
        _check_complete(path, text, card)
    try:
        text_columns = dict.fromkeys(schema.TEXT_COLUMNS, str)
        frame = pd.read_csv(
            io.StringIO(text), dtype=text_columns, keep_default_na=False, na_values=[""], low_memory=False
        )
    except (ValueError, OverflowError) as error:  # parser errors of pandas are ValueErrors
        raise BrokenFileError(f"{path} cannot be read as a table: {in_short(error, 200)}") from error
    if not isinstance(frame.index, pd.RangeIndex):  # pandas uses the first cells of longer rows as the index
        raise BrokenFileError(f"{path} has rows with more cells than columns")
    genes = _genes(card)
    frame = typed(_upgraded(frame, card["schema"]), path, genes)
    table = MeasuredTable(frame, card, str(name_or_path))
    _check_rows(table, path)
    if checksum != card["sha256"]:
        raise BrokenFileError(
            f"{path} is not the file that its card {path.with_suffix('.json').name} describes (checksum): "
            "a cell was changed, or the card belongs to another export"
        )
    return table


def _text(path: Path) -> str:
    """Return the text of a CSV, with the newlines of all systems converted to those of Linux."""
    return read_text(path, LARGEST_TABLE).replace("\r\n", "\n").replace("\r", "\n")


def _check_complete(path: Path, text: str, card: dict[str, Any]) -> None:
    """Report a truncated file early, because the later error about its last cell would be less clear."""
    there, stated = max(text.count("\n") - 1, 0), card.get("rows")
    is_table = text.startswith(schema.KEY_COLUMNS[0]) or not text
    if is_table and isinstance(stated, int) and there < stated:
        raise BrokenFileError(
            f"{path} seems truncated: it has {there:,} complete rows, but its card {path.with_suffix('.json').name} "
            f"states {stated:,}; download or copy it again"
        )


def write_table(path: str | Path, frame: pd.DataFrame, card: dict[str, Any]) -> None:
    """Check a table, then write it and its card atomically, the card last.

    Args:
        path: path of the CSV; the card is a .json file next to it.
        frame: `schema.columns`, with any index.
        card: card from `card.make_card`.

    Raises:
        BrokenFileError: the rows or the card are invalid; existing files are unchanged.
        StorageError: a file cannot be written.
    """
    path = Path(path)
    stamp = {"schema": schema.SCHEMA_VERSION, "sha256": ""}  # `schema` and `sha256` are set below
    checked = _checked_card(card | stamp if isinstance(card, dict) else card, path.with_suffix(".json"))
    _check_rows(MeasuredTable(typed(frame, path, _genes(checked)), checked, str(path)), path)
    text = frame[list(schema.columns(_genes(checked)))].to_csv(index=False, lineterminator="\n")
    card = {
        **card,
        "schema": schema.SCHEMA_VERSION,
        "rows": len(frame),
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }
    write_atomically(path, text)
    write_atomically(path.with_suffix(".json"), json.dumps(card, indent=2) + "\n")


def _read_card(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise BrokenFileError(f"the card {path} of the table is missing; ohmnas export-table writes both")
    return _checked_card(read_json(path, _LARGEST_CARD), path)


def _checked_card(card: Any, path: Path) -> dict[str, Any]:
    """Return the card if it is complete.

    Raises:
        BrokenFileError: a value is missing or has the wrong type; the message names it.
    """
    if not isinstance(card, dict):
        raise BrokenFileError(f"the card {path} lacks 'schema': it is not a JSON object")
    for key in ("schema", "space", "task", "input_shape", "classes", "sha256"):
        if key not in card:
            raise BrokenFileError(f"the card {path} lacks {key!r}")
    if type(card["schema"]) is not int or card["schema"] < 1:
        raise BrokenFileError(
            f"the card {path} has the schema {shown(card['schema'])}, which is not a whole number above 0"
        )
    if card["schema"] > schema.SCHEMA_VERSION:
        raise BrokenFileError(
            f"{path} has schema {card['schema']}, but this version of ohmnas reads schemas up to "
            f"{schema.SCHEMA_VERSION}: update ohmnas"
        )
    known = names_in_files()
    if card["space"] not in known:
        raise BrokenFileError(
            f"{path} is a table of the space {shown(card['space'])}, not of {' or '.join(map(repr, known))}"
        )
    shape = card["input_shape"]
    numbers = [*shape, card["classes"]] if isinstance(shape, list) and len(shape) == 3 else [0]
    if not all(type(number) is int and 0 < number <= LARGEST_SIZE for number in numbers):
        raise BrokenFileError(
            f"the card {path} has the input_shape {shown(shape)} and the classes {shown(card['classes'])}; "
            f"input_shape must be three whole numbers and classes one, each from 1 to {LARGEST_SIZE}"
        )
    if not isinstance(card["task"], str):
        raise BrokenFileError(f"the card {path} needs a string as task, not {shown(card['task'])}")
    if why := name_fault(card["task"]):
        raise BrokenFileError(f"the card {path} has the task {shown(card['task'])}: {why}")
    return dict(card)


def _genes(card: dict[str, Any]) -> tuple[str, ...]:
    """Return the gene names of a table with this card."""
    kind = kind_called(card["space"])
    return () if kind is None else kind.architecture_genes.names


def _upgraded(frame: pd.DataFrame, version: int) -> pd.DataFrame:
    """Add the columns that tables of an older schema lack."""
    if version == schema.SCHEMA_VERSION or "hardware" not in frame:
        return frame
    added = [schema.added_since(version, str(name)) for name in frame["hardware"]]
    missing = [column for column in schema.added_since(version, "") if column not in frame]
    return frame.join(pd.DataFrame(added, index=frame.index)[missing].replace("", np.nan)) if added else frame


def _check_rows(table: MeasuredTable, path: Path) -> None:
    """Check that each row is consistent with itself, with the card and with the other rows."""
    frame = table.frame
    wrong_task = (frame["task"] != table.card["task"]).to_numpy()
    _reject_if_any(path, frame, wrong_task, "task", "not the task of the card")
    for wrong, column, why in faults(frame, table.space):
        _reject_if_any(path, frame, wrong, column, why)
    first = frame.groupby(["hardware", "fidelity"])[list(schema.SETTING_COLUMNS)].transform("first")
    for name in schema.SETTING_COLUMNS:
        different = (frame[name] != first[name]).to_numpy()
        _reject_if_any(path, frame, different, name, "not the value in earlier rows of the same hardware and fidelity")
    repeated = frame.duplicated([*schema.KEY_COLUMNS, *table.space.gene_names]).to_numpy()
    why = "the seed of an earlier row with the same architecture, chip and fidelity"
    _reject_if_any(path, frame, repeated, "seed", why)


def _reject_if_any(path: Path, frame: pd.DataFrame, wrong: Mask, column: str, why: str) -> None:
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise BrokenFileError(f"{path}, row {row + 1}: {column} is {cell_text(frame, column, row)}, which is {why}")
