"""Detect that an open file was deleted or replaced."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from ohmnas.errors import StorageError

Mark = tuple[int, int]
"""Device and inode of a file, which identify it."""


def mark(path: Path) -> Mark | None:
    """Return the mark of the file at a path; None if the file does not exist.

    Raises:
        StorageError: the path cannot be read.
    """
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror or error}") from error
    return status.st_dev, status.st_ino


def free_name(path: Path) -> Path:
    """Return an unused name next to a path: ``s-rescued.sqlite``, then ``s-rescued-2.sqlite``."""
    for number in count(1):
        name = path.with_name(f"{path.stem}-rescued{'' if number == 1 else f'-{number}'}{path.suffix or '.sqlite'}")
        if not name.exists():
            return name
    raise AssertionError
