"""Read files of unknown origin safely, and write files atomically."""

from __future__ import annotations

import json
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from ohmnas.errors import BrokenFileError, StorageError, in_short

_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
"""Flags for reading. Opening is non-blocking; otherwise, opening a named pipe would wait for its writer."""
LARGEST_RESULT = 256 << 20
"""Largest size in bytes of a JSON file of results; the history of a million generations takes 200 MB."""
LARGEST_TABLE = 1 << 30
"""Largest size of a measured table in bytes."""
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def regular(path: Path, limit: int) -> os.stat_result:
    """Return the status of a readable, regular file of at most `limit` bytes.

    Raises:
        BrokenFileError: the file does not exist, is not readable, is not a regular file, or is too large.
    """
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    return _checked(path, status, limit)


@contextmanager
def opened(path: Path, limit: int) -> Iterator[BinaryIO]:
    """Open a file of unknown origin for binary reading, after checking its type and size.

    Args:
        path: the file.
        limit: largest allowed size in bytes.

    Raises:
        BrokenFileError: the file does not exist, is not readable, is not a regular file, or is too large.
    """
    regular(path, limit)  # before it is opened: opening a device can have side effects
    try:
        descriptor = os.open(path, _OPEN)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    with os.fdopen(descriptor, "rb") as file:
        _checked(path, os.fstat(file.fileno()), limit)
        yield file


def read_bytes(path: Path, limit: int) -> bytes:
    """Read a whole file of unknown origin, of at most `limit` bytes.

    Raises:
        BrokenFileError: as in `opened`, or the file changed during reading.
    """
    with opened(path, limit) as file:
        size = os.fstat(file.fileno()).st_size
        try:
            content = file.read(size + 1) or b""
        except (OSError, MemoryError) as error:
            raise _unreadable(path, error) from error
    if len(content) != size:
        raise BrokenFileError(f"cannot read {path}: its size is not the {size:,} bytes that the file system reports")
    return content


def read_text(path: Path, limit: int) -> str:
    """Read a UTF-8 file of unknown origin, with or without a byte order mark.

    Raises:
        BrokenFileError: as in `read_bytes`, or the file is not UTF-8.
    """
    content = read_bytes(path, limit)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BrokenFileError(f"{path} is not UTF-8: byte {error.start + 1:,} is invalid") from error


def read_json(path: Path, limit: int) -> Any:
    """Parse a JSON file of unknown origin.

    Raises:
        BrokenFileError: as in `read_text`, or the file is not JSON.
    """
    text = read_text(path, limit)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = "its values are nested too deeply" if isinstance(error, RecursionError) else in_short(error)
        raise BrokenFileError(f"{path} is not JSON: {reason}") from error


def _checked(path: Path, status: os.stat_result, limit: int) -> os.stat_result:
    if not stat.S_ISREG(status.st_mode):
        raise BrokenFileError(f"{path} is {_KINDS.get(stat.S_IFMT(status.st_mode), 'something else')}, not a file")
    if status.st_size > limit:
        raise BrokenFileError(f"{path} has {status.st_size:,} bytes; the limit is {limit:,} bytes")
    return status


def _unreadable(path: Path, error: Exception) -> BrokenFileError:
    if isinstance(error, FileNotFoundError):
        reason = "it is a link to a missing file" if path.is_symlink() else "there is no file with this name"
    else:
        reason = getattr(error, "strerror", None) or str(error) or "there is not enough memory"
    return BrokenFileError(f"cannot read {path}: {reason}")


def is_file(path: Path) -> bool:
    """Return True if the path is an existing file.

    Raises:
        StorageError: the path cannot be checked, because a folder is not accessible or the name is too long.
    """
    try:
        return path.is_file()
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror or error}") from error


def write_atomically(path: Path, text: str) -> None:
    """Write text as UTF-8, with `write_bytes_atomically`."""
    write_bytes_atomically(path, text.encode("utf-8"))


def write_bytes_atomically(path: Path, content: bytes) -> None:
    """Write to a temporary file next to `path`, sync it, and rename it to `path`.

    Raises:
        StorageError: the write failed; the old file is unchanged.
    """
    temporary: str | None = None
    try:
        temporary = str(path.with_name(f".{path.name}.{secrets.token_hex(8)}"))
        with Path(temporary).open("xb") as file:  # unlike with `tempfile`, the umask sets its mode
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException as error:  # including Ctrl-C, which would leave the temporary file
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise StorageError(f"cannot write {path}: {error.strerror or error}; an existing file is unchanged") from error
