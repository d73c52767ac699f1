"""Find a task's official files, and cache decoded copies for all processes on a machine."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ohmnas.errors import OhmnasError, UnknownNameError
from ohmnas.files import opened, read_text, regular
from ohmnas.npz import mapped

Arrays = dict[str, npt.NDArray[np.generic]]

LARGEST = 1 << 40
"""Largest size of a source file in bytes; most readers have smaller limits."""
FORMAT = 2
"""Format version of the decoded copies; increase it if their files change."""
CHUNK = 1 << 20
INDEX = "arrays.json"


def find_folder(data_dir: Path | None, task: str, names: tuple[str, ...], marker: str) -> Path:
    """Find the folder of a task's files.

    Args:
        data_dir: the user's data folder; None is ``$OHMNAS_DATA``, or ``data`` in the working directory.
        task: name of the task, for the message.
        names: allowed names of the folder; the files may also be in `data_dir` itself.
        marker: a file or folder that must be in the folder.

    Raises:
        UnknownNameError: the folder is missing; the message states how to get the files.
    """
    base = data_dir or Path(os.environ.get("OHMNAS_DATA", "data"))
    for folder in (*(base / name for name in names), base):
        if os.path.exists(folder / marker):  # noqa: PTH110 - no error for an unreadable folder
            return folder
    raise UnknownNameError(
        f"cannot find the files of {task}: {base} has no {names[0]}/{marker}; pass their folder with --data-dir or "
        f"$OHMNAS_DATA; to get them: ohmnas data {task}"
    )


def visible(paths: Iterable[Path]) -> list[Path]:
    """Sort paths and drop hidden files: macOS adds a file ``._name`` for each file that it copies to other disks."""
    return sorted(path for path in paths if not path.name.startswith("."))


def decoded(
    task: str, version: int, files: Iterable[Path], decode: Callable[[], Arrays], lists: Iterable[Path] = ()
) -> Arrays:
    """Decode files once, and map the decoded copy into memory in every process.

    The copy is in `cache_folder`. If that folder is not writable, each process decodes the files itself. A damaged copy
    is replaced.

    Args:
        task: name of the copy.
        version: version of the decoder; if it changes, the files are decoded again.
        files: files to decode; if a path, size, modification time or status change time changes, they are decoded
            again.
        decode: decodes the files; returns name -> array.
        lists: files that control the decoding, such as annotations; if their path or content changes, the files are
            decoded again.

    Raises:
        BrokenFileError: a file is missing or not a regular file.
    """
    stamp = hashlib.sha256(f"{FORMAT} {version}".encode())
    for file in files:
        status = regular(file, LARGEST)
        times = f"{status.st_mtime_ns}|{status.st_ctime_ns}"
        stamp.update(f"{file.resolve()}|{status.st_size}|{times}\n".encode(errors="surrogateescape"))
    for file in lists:
        stamp.update(f"{file.resolve()}|{_checksum(file)}\n".encode(errors="surrogateescape"))
    base = cache_folder()
    if base is None:
        return decode()
    folder = base / f"{task}-{stamp.hexdigest()[:20]}"
    if (kept := _kept(folder)) is not None:
        return kept
    arrays = decode()
    _keep(folder, arrays)
    return _kept(folder) or arrays


def _checksum(file: Path) -> str:
    stamp = hashlib.sha256()
    with opened(file, LARGEST) as content:
        while chunk := content.read(CHUNK):
            stamp.update(chunk)
    return stamp.hexdigest()


def cache_folder() -> Path | None:
    """Return the folder of decoded copies: ``$OHMNAS_CACHE``, or ``ohmnas`` in the user's cache folder.

    Return None if ``$OHMNAS_CACHE`` is not set and the user has no home folder.
    """
    if named := os.environ.get("OHMNAS_CACHE"):
        return Path(named)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ohmnas"
    except RuntimeError:  # an account without a home
        return None


def _kept(folder: Path) -> Arrays | None:
    """Return the arrays of a copy; None if there is no complete copy."""
    try:
        index = json.loads(read_text(folder / INDEX, CHUNK))
        arrays = {name: mapped(folder / f"{name}.npy") for name in index}
        if index and all([str(a.dtype), list(a.shape)] == index[name] for name, a in arrays.items()):
            return arrays
    except (OSError, ValueError, TypeError, KeyError, RecursionError, OhmnasError):
        pass
    return None


def _keep(folder: Path, arrays: Arrays) -> None:
    """Store arrays atomically, by renaming a temporary folder. If two processes do so, the first copy stays."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".", ignore_cleanup_errors=True) as temporary:
            new = Path(temporary) / "new"
            new.mkdir(mode=0o755)
            for name, array in arrays.items():
                with (new / f"{name}.npy").open("wb") as file:
                    np.save(file, array, allow_pickle=False)
                    file.flush()
                    os.fsync(file.fileno())  # otherwise, a crash can leave a copy of the right size without content
            index = {name: [str(array.dtype), list(array.shape)] for name, array in arrays.items()}
            (new / INDEX).write_text(json.dumps(index), encoding="utf-8")
            if os.path.lexists(folder) and _kept(folder) is None:
                folder.rename(Path(temporary) / "damaged")
            new.rename(folder)
    except OSError:
        return  # the write failed, or another process was first
