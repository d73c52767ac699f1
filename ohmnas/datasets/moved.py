"""Noticing that a file which is open was deleted, or that another stands in its place."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from ohmnas.errors import StorageError

Mark = tuple[int, int]
"""Device and inode: what tells a file from another of the same name."""


def mark(path: Path) -> Mark | None:
    """Which file stands at a path; None where there is none.

    Raises:
        StorageError: nobody can tell.
    """
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror or error}") from error
    return status.st_dev, status.st_ino


def free_name(path: Path) -> Path:
    """A name beside a path that no file has: ``s-rescued.sqlite``, then ``s-rescued-2.sqlite``."""
    for number in count(1):
        name = path.with_name(f"{path.stem}-rescued{'' if number == 1 else f'-{number}'}{path.suffix or '.sqlite'}")
        if not name.exists():
            return name
    raise AssertionError
