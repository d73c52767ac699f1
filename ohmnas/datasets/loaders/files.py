"""Where a task's official files are, and decoded copies of them that all processes of a machine share."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ohmnas.errors import UnknownNameError

Arrays = dict[str, npt.NDArray[np.generic]]


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
        if (folder / marker).exists():
            return folder
    raise UnknownNameError(
        f"the files of {task} are not in {base}: there is no {names[0]}/{marker}; say where they are with "
        f"--data-dir or $OHMNAS_DATA, or see: ohmnas data {task}"
    )


def decoded(task: str, version: int, files: Iterable[Path], decode: Callable[[], Arrays]) -> Arrays:
    """What `decode` makes of files, decoded once and then mapped into memory by every process that needs it.

    The copy stands in ``$OHMNAS_CACHE``, or ``ohmnas`` in the user's cache folder; where neither can be written to,
    each process decodes for itself.

    Args:
        task: names the copy.
        version: of the decoder; another one decodes anew.
        files: what is decoded; another size or time of change of any decodes anew.
        decode: name -> array.
    """
    stamp = hashlib.sha256(str(version).encode())
    for file in files:
        status = file.stat()
        stamp.update(f"{file.resolve()}|{status.st_size}|{status.st_mtime_ns}\n".encode())
    folder = _cache_folder() / f"{task}-{stamp.hexdigest()[:20]}"
    if not (folder / "names.json").is_file():
        arrays = decode()
        if not _keep(folder, arrays):
            return arrays
    names: list[str] = json.loads((folder / "names.json").read_text(encoding="utf-8"))
    return {name: np.load(folder / f"{name}.npy", mmap_mode="c", allow_pickle=False) for name in names}


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("OHMNAS_CACHE") or Path(base) / "ohmnas")


def _keep(folder: Path, arrays: Arrays) -> bool:
    """Store arrays in one piece: in a temporary folder that is renamed; whoever comes second leaves the first's."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".", ignore_cleanup_errors=True) as temporary:
            for name, array in arrays.items():
                np.save(Path(temporary) / f"{name}.npy", array, allow_pickle=False)
            (Path(temporary) / "names.json").write_text(json.dumps(list(arrays)), encoding="utf-8")
            Path(temporary).chmod(0o755)
            Path(temporary).rename(folder)
    except OSError:
        return (folder / "names.json").is_file()
    return True
