"""The files that commands leave behind."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

from ohmnas.cli import render
from ohmnas.errors import StorageError
from ohmnas.files import write_atomically


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write one JSON object in one piece; where a file stood there before, say on standard error that it is gone.

    Raises:
        StorageError: the disk is full or refuses; what stood at `path` before still stands there.
    """
    replaces = path.exists()
    write_atomically(path, json.dumps(values, indent=1) + "\n")
    if replaces:
        render.notice(f"note: {path} replaced the result of an earlier run")


def set_aside(folder: Path, names: Iterable[str]) -> None:
    """Move what stands in a folder under these names into a new one within it, and say so.

    Raises:
        StorageError: the disk refuses.
    """
    there = [folder / name for name in names if (folder / name).exists()]
    if not there:
        return
    numbered = (folder / f"earlier-{number}" for number in count(1))
    aside = next(place for place in numbered if not place.exists())
    try:
        aside.mkdir()
        for path in there:
            path.rename(aside / path.name)
    except OSError as error:
        raise StorageError(f"cannot move the earlier result to {aside}: {error.strerror}") from error
    render.notice(f"note: {folder} held another result; it is in {aside} now")


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
