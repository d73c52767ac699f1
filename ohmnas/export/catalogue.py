"""Registry of exporters, and `export`, which runs one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final

from ohmnas.errors import InvalidValueError, StorageError
from ohmnas.registry import Registry

if TYPE_CHECKING:
    from ohmnas.datasets.campaign.trained import TrainedNetwork


@dataclass(frozen=True, slots=True)
class Exported:
    """Result of an exporter."""

    difference: float | None = None
    """Largest difference between the outputs of the exported and the trained network, divided by the largest output,
    but by at least 1. None if the outputs cannot be compared, for example on a noisy chip."""
    use: str = ""
    """Shell command that loads the files, shown to the user; ``{out}`` stands for the folder."""


Exporter = Callable[["TrainedNetwork", Path], Exported]
"""Writes a trained network into an empty folder."""

TOLERANCE: Final = 1e-4
"""Largest allowed `Exported.difference`; exporters raise an error above it."""


def _fault(_name: str, thing: object) -> str:
    return (
        "" if callable(thing) else f"it is of type {type(thing).__name__}, not a function that writes a trained network"
    )


EXPORTERS: Final[Registry[Exporter]] = Registry(
    "exporter",
    "ohmnas.exporters",
    {
        "torch": ("ohmnas.export.plain_torch:export_torch", "PyTorch code that does not need ohmnas, and weights"),
        "onnx": ("ohmnas.export.onnx_model:export_onnx", "an ONNX model with a dynamic batch size"),
        "aihwkit": ("ohmnas.export.aihwkit_code:export_aihwkit", "aihwkit layers with the chip's InferenceRPUConfig"),
        "hub": ("ohmnas.export.hub:export_hub", "a folder for the Hugging Face hub, with a model card"),
    },
    _fault,
)
"""Name -> function that writes a trained network. Plugins add entries through the entry point group
``ohmnas.exporters``."""


def export(trained: TrainedNetwork, to: str, out: str | Path) -> Exported:
    """Export a trained network into a new folder. If the process is killed, the folder has all files or none.

    Args:
        trained: the network.
        to: one of `EXPORTERS`.
        out: folder for the files; it must be new or empty.

    Raises:
        UnknownNameError: the exporter is unknown.
        InvalidValueError: the folder is the current one or not empty, or the network cannot be exported to this format.
        MissingDependencyError: the exporter needs a package that is not installed.
        StorageError: a write failed.
    """
    out = Path(out)
    if out.resolve() == Path.cwd():
        raise InvalidValueError(f"{out} is the current folder, which would be replaced: choose a new folder")
    exporter = EXPORTERS[to]
    aside: Path | None = None
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise InvalidValueError(f"{out} is not an empty folder; choose another folder, or delete it")
        out.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        done = exporter(trained, aside)
        aside.chmod(0o755)
        for path in aside.rglob("*"):
            _sync(path)
        aside.replace(out)
    except OSError as error:
        if isinstance(error, StorageError):
            raise
        raise StorageError(f"cannot write {out}: {error.strerror or error}") from error
    finally:
        if aside is not None:
            shutil.rmtree(aside, ignore_errors=True)
    return replace(done, use=done.use.replace("{out}", quote(str(out))))


def _sync(path: Path) -> None:
    """Sync a file to the disk before the folder is renamed."""
    if path.is_file():
        with path.open("rb") as file:
            os.fsync(file.fileno())
