"""`Supernet`: trained shared weights and their plan, saved as one folder.

The folder holds ``weights.safetensors`` and ``supernet.json``. ``supernet.json`` has the checksum of the weights and is
written last: a folder without ``supernet.json`` is not a supernet.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from ohmnas import json_values
from ohmnas.analog.convert import analog_layers, convert, set_noise, set_precision
from ohmnas.analog.images import Images, ImageSet
from ohmnas.analog.noise import noise_source
from ohmnas.analog.snapshot import safetensors_torch
from ohmnas.analog.train import FORMATS, average_batch_norms
from ohmnas.datasets.campaign.protocol import require_training
from ohmnas.datasets.tasks.task import Task
from ohmnas.datasets.tasks.task import task as task_called
from ohmnas.errors import BrokenFileError, OhmnasError
from ohmnas.files import is_file, read_bytes, read_json, write_atomically, write_bytes_atomically
from ohmnas.oneshot.places import Place, sharing_of
from ohmnas.oneshot.plan import Plan
from ohmnas.oneshot.shared import Pieces, SharedWeights

DESCRIPTION: Final = "supernet.json"
WEIGHTS: Final = "weights.safetensors"
FORMAT: Final = "ohmnas-supernet-1"
_AVERAGED: Final = 64
"""Images per batch for batch norm statistics; larger batches take longer."""
_LARGEST_DESCRIPTION: Final = 1 << 20
_LARGEST_WEIGHTS: Final = 1 << 33
"""Largest sizes of the two files in bytes."""


def skeleton(plan: Plan, genome: npt.NDArray[np.int16]) -> tuple[nn.Module, list[Place]]:
    """Return the untrained analog network of a ``(g,)`` genome, and the places of its layers in the shared weights."""
    space = plan.space
    (architecture,) = space.decode(genome[None])
    network = convert(space.build(architecture), plan.chip)
    set_precision(network, FORMATS[plan.recipe.precision])
    next(analog_layers(network)).reads_images = True
    return network, sharing_of(space, plan.within, plan.max_params, plan.max_macs).places(architecture)


@dataclass(frozen=True)
class Supernet:
    """Trained shared weights for the networks of a space within bounds."""

    plan: Plan
    weights: SharedWeights = field(repr=False)
    provenance: dict[str, Any] = field(default_factory=dict)
    """Steps, seconds and loss of the training; versions."""
    checksum: str = ""
    """SHA-256 checksum of the saved weights; empty for unsaved weights."""

    def images(self) -> Images:
        """Training images."""
        data = self.plan.protocol.data()
        return ImageSet(data.train.images, data.mean, data.std)

    def network(self, genome: npt.NDArray[np.int16], seed: int = 0) -> nn.Module:
        """Return the analog network of a ``(g,)`` genome with its part of the shared weights, in evaluation mode.

        Input ranges and batch norm statistics come from training images under training noise, as at the end of
        ordinary training.

        Args:
            genome: the network.
            seed: seed of the noise and of the choice of images.

        Raises:
            InvalidValueError: the network does not share these weights.
        """
        self.plan.check(genome[None])
        images = self.images()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network, places = skeleton(self.plan, genome)
            self.weights.load_into(Pieces(network, places))
            set_noise(network, noise_source(seed, torch.device("cpu")))
            network.train()
            average_batch_norms(network, images, replace(self.plan.recipe, batch=_AVERAGED))
        set_noise(network, None)
        return network.eval()

    def save(self, folder: Path) -> Self:
        """Write the folder, and return the supernet with its checksum.

        Raises:
            StorageError: the disk rejected a write.
        """
        content = safetensors_torch().save(
            {name: one.contiguous() for name, one in sorted(self.weights.tensors.items())}
        )
        checksum = hashlib.sha256(content).hexdigest()
        write_bytes_atomically(folder / WEIGHTS, content)
        values = {
            "format": FORMAT,
            **self.plan.to_dict(),
            "weights_seed": self.weights.seed,
            "weights_sha256": checksum,
            "provenance": self.provenance,
        }
        write_atomically(folder / DESCRIPTION, json.dumps(values, indent=1) + "\n")
        return type(self)(self.plan, self.weights, self.provenance, checksum)

    @classmethod
    def load(cls, folder: str | Path, task: Task | None = None, data_dir: Path | None = None) -> Self:
        """Read a folder that `save` wrote.

        Args:
            folder: the folder.
            task: task of the supernet; None looks it up by the name in the file.
            data_dir: folder with the images of the task; None is ``$OHMNAS_DATA``.

        Raises:
            BrokenFileError: a file is missing or broken; the message shows where.
            UnknownNameError: the task of the supernet is unknown.
            MissingDependencyError: torch or safetensors is not installed.
        """
        folder = Path(folder)
        description = folder / DESCRIPTION
        values = read_json(description, _LARGEST_DESCRIPTION)
        require_training()
        with _explained(description):
            values = json_values.mapping(values, "content")
            if values.get("format") != FORMAT:
                raise BrokenFileError(f"its format is not {FORMAT!r}")
            name = json_values.name(values["task"], "task")
        known = task or task_called(name, data_dir)
        with _explained(description):
            plan = Plan.from_dict(values, known)
            checksum = json_values.text(values["weights_sha256"], "checksum")
            seed = json_values.whole(values["weights_seed"], "seed")
            provenance = json_values.mapping(values["provenance"], "provenance")
        content = read_bytes(folder / WEIGHTS, _LARGEST_WEIGHTS)
        if hashlib.sha256(content).hexdigest() != checksum:
            raise BrokenFileError(f"{folder / WEIGHTS} is broken: its checksum is not the one in {DESCRIPTION}")
        tensors = safetensors_torch().load(content)
        return cls(plan, SharedWeights(seed, tensors), provenance, checksum)


def is_supernet(folder: Path) -> bool:
    """Return True if a folder has a description of a supernet."""
    return is_file(folder / DESCRIPTION)


@contextmanager
def _explained(description: Path) -> Iterator[None]:
    """Convert errors about invalid values to a `BrokenFileError` that names the file."""
    try:
        yield
    except KeyError as error:
        raise BrokenFileError(f"{description} is not a supernet: it lacks {error}") from error
    except (TypeError, ValueError, OverflowError, OhmnasError) as error:
        raise BrokenFileError(f"{description} is not a supernet: {error}") from error
