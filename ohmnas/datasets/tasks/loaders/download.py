"""Download a task's official archive on request, check it, and unpack it atomically."""

from __future__ import annotations

import gzip
import hashlib
import http.client
import tarfile
import tempfile
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from ohmnas.datasets.tasks.loaders.archives import ARCHIVES, BY_HAND, Archive
from ohmnas.errors import BrokenFileError, OhmnasError, StorageError, UnknownNameError

CHUNK = 1 << 20
TIMEOUT = 60.0
"""A download is aborted after this many seconds without data."""
LONGEST_LENGTH = 18
"""Largest number of digits of a plausible ``Content-Length``."""
LONGEST_REASON = 200
"""A server's error message is cut after this many characters."""


class DownloadError(OhmnasError, OSError):
    """The file could not be downloaded: the server did not respond, or its reply is invalid."""


def download(
    task: str, data_dir: str | Path, report: Callable[[int, int], None], archive: Archive | None = None
) -> Path:
    """Download, check and unpack a task's archive. An existing folder is returned unchanged.

    Args:
        task: name of the task.
        data_dir: the data folder, created if missing.
        report: called with the number of received bytes and the total (0 if unknown).
        archive: archive to use instead of the task's own, for example on a mirror.

    Returns:
        The folder with the files.

    Raises:
        UnknownNameError: the task has no archive; the message says how to get its files or lists the tasks that have
            one.
        DownloadError: the server did not send the file.
        BrokenFileError: the download is not the official archive, or cannot be unpacked. None of its files are kept.
        StorageError: the files cannot be written.
    """
    data_dir, archive = Path(data_dir), archive or ARCHIVES.get(task)
    if archive is None:
        instructions = BY_HAND.get(task)
        raise UnknownNameError(
            f"{task} cannot be downloaded: {instructions}"
            if instructions
            else f"no files to download for the task {task!r}: choose one of {', '.join(ARCHIVES)}"
        )
    target = data_dir / archive.folder
    if target.exists():
        return target
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=data_dir, prefix=".download-", ignore_cleanup_errors=True) as folder:
            file = Path(folder) / "archive.tar.gz"
            _fetch(archive, file, report)
            inside = Path(folder) / "unpacked"
            _unpack(archive, file, inside)
            (inside / archive.folder if archive.in_folder else inside).rename(target)
    except DownloadError:
        raise
    except OSError as error:
        raise StorageError(f"cannot write to {data_dir}: {error.strerror or error}") from error
    return target


def _fetch(archive: Archive, file: Path, report: Callable[[int, int], None]) -> None:
    algorithm, expected = archive.checksum.split(":")
    stamp = hashlib.new(algorithm, usedforsecurity=False)
    came = 0
    with file.open("wb") as out:
        for chunk, total in _reply(archive):
            stamp.update(chunk)
            out.write(chunk)
            came += len(chunk)
            report(came, total)
    if stamp.hexdigest() != expected:
        raise BrokenFileError(
            f"the download from {archive.url} is not the official archive ({algorithm} differs); try again"
        )


def _reply(archive: Archive) -> Iterator[tuple[bytes, int]]:
    """Yield the server's reply in pieces, each with the total number of bytes (0 if unknown).

    Raises:
        DownloadError: the server does not respond, or its reply is invalid.
    """
    try:
        with urllib.request.urlopen(archive.url, timeout=TIMEOUT) as answer:  # noqa: S310
            length = str(answer.headers.get("Content-Length"))
            total = int(length) if length.isdecimal() and len(length) <= LONGEST_LENGTH else 0
            while chunk := answer.read(CHUNK):
                yield chunk, total
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = str(getattr(error, "reason", None) or error) or type(error).__name__
        printable = "".join(letter if letter.isprintable() else " " for letter in reason)[:LONGEST_REASON]
        raise DownloadError(f"cannot download {archive.url}: {printable}") from error


def _unpack(archive: Archive, file: Path, folder: Path) -> None:
    try:
        with tarfile.open(file, "r:gz") as members:
            members.extractall(folder, filter="data")  # rejects paths and links that leave the folder
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        raise BrokenFileError(f"the download from {archive.url} cannot be unpacked: {error}") from error
    if archive.in_folder and not (folder / archive.folder).is_dir():
        raise BrokenFileError(f"the download from {archive.url} cannot be used: it has no folder {archive.folder}")
