"""Output files of commands."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any, Final

from ohmnas.cli import render
from ohmnas.errors import StorageError
from ohmnas.files import write_atomically

DEPENDENT: Final = (
    "search.toml",
    "refine.toml",
    "gradient-search.toml",
    "verify.json",
    "verify.parts.json",
    "verify.toml",
)
"""Files beside a result.json that belong to it."""


def write_json(path: Path, values: dict[str, Any], replaces: bool | None = None) -> None:
    """Write one JSON object atomically. Print a note if it replaces a file.

    Args:
        path: the file.
        values: the object.
        replaces: True to print the note; None prints it if the file exists.

    Raises:
        StorageError: the write failed; the old file is unchanged.
    """
    replaces = path.exists() if replaces is None else replaces
    write_atomically(path, json.dumps(values, indent=1) + "\n")
    if replaces:
        render.notice(f"note: replaced the earlier result in {path}")


def set_aside(folder: Path, result: str, others: Sequence[str]) -> None:
    """Copy an earlier result and its other files into a new subfolder, then remove the other files.

    `others` may also name folders. They are copied but not removed, because a new result may use them. The files in
    their copies are hard links where possible, which need no extra disk space.

    The caller then overwrites the result itself. If the process is killed, the old result is complete in the folder or
    in the copy.

    Raises:
        StorageError: the copy failed; nothing is lost.
    """
    if not (folder / result).exists():
        return
    files = [name for name in (result, *others) if (folder / name).is_file()]
    folders = [name for name in others if (folder / name).is_dir()]
    aside = next(place for place in (folder / f"earlier-{number}" for number in count(1)) if not place.exists())
    half: Path | None = None
    try:
        half = Path(tempfile.mkdtemp(prefix=".earlier-", dir=folder))
        for name in files:
            shutil.copy2(folder / name, half / name)
        for name in folders:
            shutil.copytree(folder / name, half / name, copy_function=_linked)
        half.chmod(0o755)
        half.rename(aside)
    except OSError as error:
        if half is not None:
            shutil.rmtree(half, ignore_errors=True)
        raise StorageError(f"cannot move the earlier result to {aside}: {error.strerror or error}") from error
    render.notice(f"note: moved the earlier result in {folder} to {aside}")
    for name in files[1:]:
        (folder / name).unlink(missing_ok=True)


def _linked(source: str, target: str) -> str:
    """Link a file, because its content never changes; copy it if the file system has no hard links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target


@contextmanager
def output_folder(path: Path) -> Iterator[None]:
    """Create a folder before the block computes anything. If the block fails, remove the new empty folders.

    Raises:
        StorageError: the folder cannot be created.
    """
    made: list[Path] = []
    try:
        made = [folder for folder in (path, *path.parents) if not folder.exists()]
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        _remove_empty(made)
        raise StorageError(f"cannot create the folder {path}: {error.strerror}") from error
    try:
        yield
    except BaseException:
        _remove_empty(made)
        raise


def _remove_empty(folders: list[Path]) -> None:
    """Remove the empty folders, innermost first."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()
