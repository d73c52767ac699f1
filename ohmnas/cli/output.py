"""The files that commands leave behind."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from ohmnas.cli import render
from ohmnas.errors import StorageError
from ohmnas.files import write_atomically


def write_json(path: Path, values: dict[str, Any], replaces: bool | None = None) -> None:
    """Write one JSON object in one piece; where it replaces a file, say on standard error that that is gone.

    Args:
        path: where.
        values: what.
        replaces: whether it does; None is if a file is there.

    Raises:
        StorageError: the disk is full or refuses; what stood at `path` before still stands there.
    """
    replaces = path.exists() if replaces is None else replaces
    write_atomically(path, json.dumps(values, indent=1) + "\n")
    if replaces:
        render.notice(f"note: {path} replaced the result of an earlier run")


def set_aside(folder: Path, result: str, others: Sequence[str]) -> None:
    """Where a folder holds a result, copy that and what belongs to it into a new folder within, then remove the latter.

    Killed at any moment, the old result stands where it stood or, whole, in the copy; the caller then writes over it.

    Raises:
        StorageError: the disk refuses; nothing is lost.
    """
    if not (folder / result).exists():
        return
    there = [name for name in (result, *others) if (folder / name).is_file()]
    aside = next(place for place in (folder / f"earlier-{number}" for number in count(1)) if not place.exists())
    half: Path | None = None
    try:
        half = Path(tempfile.mkdtemp(prefix=".earlier-", dir=folder))
        for name in there:
            shutil.copy2(folder / name, half / name)
        half.chmod(0o755)
        half.rename(aside)
    except OSError as error:
        if half is not None:
            shutil.rmtree(half, ignore_errors=True)
        raise StorageError(f"cannot move the earlier result to {aside}: {error.strerror or error}") from error
    render.notice(f"note: {folder} held another result; it is in {aside} now")
    for name in there[1:]:
        (folder / name).unlink(missing_ok=True)


@contextmanager
def output_folder(path: Path) -> Iterator[None]:
    """Make a folder first, so that nothing is computed that cannot be saved; where the block fails, take it back.

    Raises:
        StorageError: it cannot be made.
    """
    made: list[Path] = []
    try:
        made = [folder for folder in (path, *path.parents) if not folder.exists()]
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _remove_empty(made)
        raise StorageError(f"cannot make the folder {path}: {error.strerror}") from error
    try:
        yield
    except BaseException:
        _remove_empty(made)
        raise


def _remove_empty(folders: list[Path]) -> None:
    """Remove those that were made and hold nothing, the innermost first."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()
