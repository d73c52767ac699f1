"""Trained networks of measured rows: a folder with one `TrainedNetwork` for each row."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from ohmnas.datasets.campaign.protocol import Protocol
from ohmnas.datasets.campaign.trained import DESCRIPTION, WEIGHTS, TrainedNetwork, is_trained
from ohmnas.errors import InvalidValueError
from ohmnas.hardware import Hardware

if TYPE_CHECKING:
    from torch import nn

_NAME: Final = re.compile(r"[0-9a-f]{16}-\w+-\d+")


def name_of(genome: npt.ArrayLike, chip: str, fidelity: str, seed: int) -> str:
    """Return the folder name of a row: checksum of chip and genome, fidelity, seed.

    Args:
        genome: ``(g,)``.
        chip: name of the chip.
        fidelity: name of the fidelity.
        seed: seed of the measurement.
    """
    genes = np.ascontiguousarray(genome, dtype="<i2").tobytes()
    checksum = hashlib.sha256(chip.encode() + b"\0" + genes).hexdigest()[:16]
    return f"{checksum}-{fidelity}-{seed}"


def keep(
    folder: Path,
    protocol: Protocol,
    genome: npt.NDArray[np.int16],
    chip: Hardware,
    seed: int,
    network: nn.Module,
    measured: dict[str, float],
    reason: str,
) -> None:
    """Save the trained network of a row; replace the network from an earlier measurement of this row.

    Args:
        folder: folder of all kept networks.
        protocol: protocol of the training run.
        genome: ``(g,)``.
        chip: chip that the network was trained for.
        seed: seed of the measurement.
        network: trained analog network.
        measured: accuracies on the validation images, by column.
        reason: why the training run stopped early; empty if it did not.

    Raises:
        StorageError: the disk rejected a write.
    """
    where = folder / name_of(genome, chip.name, protocol.fidelity.name, seed)
    trained = TrainedNetwork.of(protocol, genome, chip, seed, network, measured, reason, split="validation")
    try:
        trained.save(where)
    except InvalidValueError:  # a killed process of another version saved a network, but not its row
        _remove(where)
        trained.save(where)


def kept(folder: Path, genome: npt.ArrayLike, chip: str, fidelity: str) -> list[str]:
    """Return the names of the folders that hold a network on a chip at a fidelity, sorted by seed."""
    stem = name_of(genome, chip, fidelity, 0).removesuffix("0")
    names = [one.name for one in folder.glob(f"{stem}*") if _NAME.fullmatch(one.name) and is_trained(one)]
    return sorted(names, key=lambda name: int(name.removeprefix(stem)))


def remove_others(folder: Path, names: Collection[str]) -> None:
    """Remove all kept networks except those with these names; other folders stay."""
    for one in folder.glob("*"):
        if _NAME.fullmatch(one.name) and one.name not in names:
            _remove(one)


def _remove(folder: Path) -> None:
    """Remove a kept network. If the process is killed, another call removes the remaining files."""
    for name in (DESCRIPTION, WEIGHTS):
        for file in (folder / name, *folder.glob(f".{name}.*")):  # including temporary files from killed writes
            file.unlink(missing_ok=True)
    with suppress(OSError):  # the user put something else there
        folder.rmdir()
