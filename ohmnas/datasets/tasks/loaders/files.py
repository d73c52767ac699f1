"""Find a task's official files, and cache decoded copies for all processes of a machine."""

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
"""Bytes of a source file that is stamped, at most; its reader has its own, smaller limit."""
FORMAT = 2
"""Version of the copies; increased if their files change."""
CHUNK = 1 << 20
INDEX = "arrays.json"


def find_folder(data_dir: Path | None, task: str, names: tuple[str, ...], marker: str) -> Path:
    """The folder of a task's files.

    Args:
        data_dir: where the user keeps data; None is ``$OHMNAS_DATA``, or ``data`` in the working directory.
        task: for the message.
        names: what the folder may be called; `data_dir` itself may be it too.
        marker: a file or folder that must be in it.

    Raises:
        UnknownNameError: it is not there; the message says how to get it.
    """
    base = data_dir or Path(os.environ.get("OHMNAS_DATA", "data"))
    for folder in (*(base / name for name in names), base):
        if os.path.exists(folder / marker):  # noqa: PTH110 - without an error where a folder may not be looked into
            return folder
    raise UnknownNameError(
        f"the files of {task} are not in {base}: there is no {names[0]}/{marker}; say where they are with "
        f"--data-dir or $OHMNAS_DATA, or see: ohmnas data {task}"
    )


def visible(paths: Iterable[Path]) -> list[Path]:
    """Sorted, without hidden files: macOS puts a file ``._name`` beside each that it copies to other disks."""
    return sorted(path for path in paths if not path.name.startswith("."))


def decoded(
    task: str, version: int, files: Iterable[Path], decode: Callable[[], Arrays], lists: Iterable[Path] = ()
) -> Arrays:
    """Return decoded files: decoded once, then mapped into memory by every process.

    The copy stands in ``$OHMNAS_CACHE``, or ``ohmnas`` in the user's cache folder; where neither can be written to,
    each process decodes for itself. A damaged copy is made anew.

    Args:
        task: names the copy.
        version: of the decoder; another one decodes anew.
        files: what is decoded; another name, size or time of change of any decodes anew.
        decode: name -> array.
        lists: files that say what is decoded and how, such as annotations; another content decodes anew.

    Raises:
        BrokenFileError: a file is not there, or is not a regular file.
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
    """Return the folder of decoded copies: ``$OHMNAS_CACHE``, or ``ohmnas`` in the user's cache folder."""
    if named := os.environ.get("OHMNAS_CACHE"):
        return Path(named)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ohmnas"
    except RuntimeError:  # an account without a home
        return None


def _kept(folder: Path) -> Arrays | None:
    """The arrays of a copy; None where there is none that is whole."""
    try:
        index = json.loads(read_text(folder / INDEX, CHUNK))
        arrays = {name: mapped(folder / f"{name}.npy") for name in index}
        if index and all([str(a.dtype), list(a.shape)] == index[name] for name, a in arrays.items()):
            return arrays
    except (OSError, ValueError, TypeError, KeyError, RecursionError, OhmnasError):
        pass
    return None


def _keep(folder: Path, arrays: Arrays) -> None:
    """Store arrays in one piece: in a temporary folder that is renamed; whoever comes second leaves the first's."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".", ignore_cleanup_errors=True) as temporary:
            new = Path(temporary) / "new"
            new.mkdir(mode=0o755)
            for name, array in arrays.items():
                with (new / f"{name}.npy").open("wb") as file:
                    np.save(file, array, allow_pickle=False)
                    file.flush()
                    os.fsync(file.fileno())  # else a crash can leave a copy of the right size without its content
            index = {name: [str(array.dtype), list(array.shape)] for name, array in arrays.items()}
            (new / INDEX).write_text(json.dumps(index), encoding="utf-8")
            if os.path.lexists(folder) and _kept(folder) is None:
                folder.rename(Path(temporary) / "damaged")
            new.rename(folder)
    except OSError:
        return  # the disk refuses, or another process was first
