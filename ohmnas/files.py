"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ohmnas.errors import StorageError


def is_file(path: Path) -> bool:
    """Whether there is a file.

    Raises:
        StorageError: nobody can tell: a folder may not be looked into, or the name is too long.
    """
    try:
        return path.is_file()
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror or error}") from error


def write_atomically(path: Path, text: str) -> None:
    """`write_bytes_atomically` of a text in UTF-8."""
    write_bytes_atomically(path, text.encode("utf-8"))


def write_bytes_atomically(path: Path, content: bytes) -> None:
    """Write to a temporary file beside `path`, sync it, rename it over `path`.

    Raises:
        StorageError: the disk is full or refuses; what stood at `path` before still stands there.
    """
    temporary: str | None = None
    try:
        with tempfile.NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = file.name
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
        raise StorageError(
            f"cannot write {path}: {error.strerror or error}; what was there before is unchanged"
        ) from error
