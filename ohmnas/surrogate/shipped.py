"""Shipped surrogates: one for each large table and chip, in `fitted/<table>/<chip>.npz`.

`benchmarks/ship_surrogates.py` creates them. Each stores the checksum of its table and is used only while the table is
unchanged.

A shipped table has the name of its task: `digits`. Later protocols measure differently, so their rows are in separate
tables: `cifar10-protocol4`. Predictions for a task use its newest table that has a surrogate for the chip.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

from ohmnas.errors import BrokenFileError
from ohmnas.files import LARGEST_TABLE, read_bytes
from ohmnas.surrogate.model import SurrogateModel
from ohmnas.surrogate.model_file import SUFFIX, found_file, read_header, read_model

FITTED: Final = Path(__file__).with_name("fitted")
"""Folder with one subfolder per table."""
_TABLES: Final = Path(__file__).parents[1] / "datasets" / "tables"
_DEFAULT_CHIP: Final = "pcm"
"""Default chip if there are several, as in `MeasuredTable.select`."""


def shipped_file(table: str, hardware: str | None = None) -> Path | None:
    """Return the file of a shipped surrogate, or None.

    Args:
        table: name of a shipped table.
        hardware: chip; None selects the only one of the table, or ``pcm`` if there are several.
    """
    folder = FITTED / table
    if folder.parent != FITTED or not folder.is_dir():
        return None
    files = {path.name.removesuffix(SUFFIX): path for path in folder.glob(f"*{SUFFIX}")}
    if hardware is None:
        hardware = _DEFAULT_CHIP if len(files) > 1 else next(iter(files), None)
    return None if hardware is None else files.get(hardware)


def shipped_surrogate(table: str, hardware: str | None = None, fidelity: str | None = None) -> SurrogateModel | None:
    """Load the shipped surrogate of a table, or return None.

    Args:
        table: name of a shipped table.
        hardware: chip; None selects the only one of the table, or ``pcm`` if there are several.
        fidelity: training fidelity; None is the fidelity of the surrogate.

    Raises:
        BrokenFileError: the surrogate was fitted to another version of the table, or cannot be read.
    """
    path = shipped_file(table, hardware)
    if path is None:
        return None
    provenance = read_header(path).get("provenance")
    if not isinstance(provenance, dict) or provenance.get("table_sha256") != _checksum(table):
        raise BrokenFileError(f"{path} was fitted to another version of the table {table}")
    return read_model(path) if fidelity in (None, provenance.get("fidelity")) else None


def tables_of_task(task: str) -> list[str]:
    """Return the names of a task's shipped tables, newest protocol first."""
    name = re.compile(rf"{re.escape(task)}(?:-protocol(\d+))?")
    matches = [match for path in _TABLES.glob("*.csv") if (match := name.fullmatch(path.stem))]
    return [match[0] for match in sorted(matches, key=lambda match: int(match[1] or 0), reverse=True)]


def task_surrogate(task: str, hardware: str | None = None, fidelity: str | None = None) -> SurrogateModel | None:
    """Load the shipped surrogate of a task's newest table that has one, or return None.

    Args:
        task: name of a task.
        hardware: chip; None is the default chip of `shipped_surrogate`.
        fidelity: training fidelity; None is the fidelity of the surrogate.

    Raises:
        BrokenFileError: the surrogate was fitted to another version of the table, or cannot be read.
    """
    models = (shipped_surrogate(table, hardware, fidelity) for table in tables_of_task(task))
    return next((model for model in models if model is not None), None)


def load_surrogate(path: str | Path) -> SurrogateModel:
    """Read a surrogate from a file, or a shipped one.

    Args:
        path: the file, with or without ``.npz``. If the file does not exist, the path is read as the name of a task,
            such as ``digits``, or of a shipped table.

    Raises:
        BrokenFileError: the file is missing or truncated, has an unknown space or another format version, or holds an
            invalid value.
    """
    found = found_file(Path(path))
    if found.exists():
        return read_model(found)
    return task_surrogate(str(path)) or read_model(found)


def _checksum(table: str) -> str:
    """SHA-256 of the file of a shipped table, with the line endings that its card assumes."""
    content = read_bytes(_TABLES / f"{table}.csv", LARGEST_TABLE)
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()  # a checkout may have changed the line endings
