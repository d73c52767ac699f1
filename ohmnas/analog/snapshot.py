"""State of a training run after an epoch, in one file. A stopped training run resumes from it.

The file has the safetensors format. It holds the tensors of the network, the momenta of the optimizer, the mirrored
images and the states of torch's random generators. Its metadata holds all other values as JSON.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor, nn

from ohmnas.analog.convert import analog_layers
from ohmnas.analog.noise import Noise
from ohmnas.errors import MissingDependencyError, OhmnasError
from ohmnas.files import read_bytes, write_bytes_atomically

if TYPE_CHECKING:
    from ohmnas.analog.step import Step

LARGEST: Final = 1 << 33
"""Largest file in bytes."""
SECONDS: Final = 10.0
"""Default time between two writes, in seconds."""


@dataclass
class Snapshot:
    """The file of one training run."""

    path: Path
    key: str
    """Identifies the training run; a file with a different key is ignored."""
    seconds: float = SECONDS
    """Smallest time between two writes, in seconds."""
    _written: float = field(default_factory=time.monotonic)

    def due(self) -> bool:
        """Return True if at least `seconds` have passed since the last write."""
        return time.monotonic() - self._written >= self.seconds

    def write(self, tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
        """Replace the file.

        Raises:
            StorageError: the write failed; the earlier file is unchanged.
        """
        metadata = {"key": self.key, "values": json.dumps(values)}
        whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        write_bytes_atomically(self.path, safetensors_torch().save(whole, metadata))
        self._written = time.monotonic()

    def read(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Return the tensors and values in the file; None if there is no readable, valid file with this key."""
        library = safetensors_torch()
        try:
            content = read_bytes(self.path, LARGEST)
            size = int.from_bytes(content[:8], "little")
            metadata = json.loads(content[8 : 8 + size])["__metadata__"]
            if metadata["key"] != self.key:
                return None
            return library.load(content), json.loads(metadata["values"])
        except (OhmnasError, ValueError, KeyError, TypeError, RecursionError, _safetensors_error()):
            return None

    def delete(self) -> None:
        """Remove the file. Call this when the training run is done."""
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Before:
    """Progress of a training run up to a snapshot."""

    losses: list[float]
    """Mean loss of each finished epoch."""
    mirrored: Tensor
    """``(m,)`` bool: images that were mirrored in the last epoch."""


def keep(
    snapshot: Snapshot, network: nn.Module, step: Step, noise: Noise | None, losses: list[float], mirrored: Tensor
) -> None:
    """Write the state of a training run after an epoch."""
    tensors = {f"network.{name}": tensor for name, tensor in network.state_dict().items()}
    tensors |= {f"momentum.{place}": one for place, one in enumerate(_momenta(step)) if one is not None}
    tensors |= {"mirrored": mirrored, "random": torch.get_rng_state()}
    if mirrored.device.type == "cuda":
        tensors["random.cuda"] = torch.cuda.get_rng_state(mirrored.device)
    snapshot.write(tensors, {"losses": losses, "noise": noise.state() if noise is not None else {}})


def resume(snapshot: Snapshot, network: nn.Module, step: Step, noise: Noise | None) -> Before | None:
    """Restore a network, its optimizer and all random generators. Return None if no valid snapshot fits the network."""
    found = snapshot.read()
    if found is None:
        return None
    tensors, values = found
    own = network.state_dict()
    stored = {name.removeprefix("network."): one for name, one in tensors.items() if name.startswith("network.")}
    if {name: one.shape for name, one in own.items()} != {name: one.shape for name, one in stored.items()}:
        return None
    network.load_state_dict(stored)
    for layer in analog_layers(network):
        layer.mark_calibrated()
    for place, parameter in enumerate(step.parameters):
        if f"momentum.{place}" in tensors:
            momentum = tensors[f"momentum.{place}"].to(parameter.device)
            step.optimizer.state[parameter]["momentum_buffer"] = momentum
    torch.set_rng_state(tensors["random"])
    if "random.cuda" in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors["random.cuda"], next(network.parameters()).device)
    if noise is not None and values["noise"]:
        noise.set_state(values["noise"])
    return Before([float(loss) for loss in values["losses"]], tensors["mirrored"])


def _momenta(step: Step) -> list[Tensor | None]:
    return [step.optimizer.state[parameter].get("momentum_buffer") for parameter in step.parameters]


def safetensors_torch() -> Any:
    """Return the module ``safetensors.torch``.

    Raises:
        MissingDependencyError: safetensors is not installed.
    """
    try:
        import safetensors.torch
    except ImportError as error:
        raise MissingDependencyError.of("keeping weights needs safetensors", "train", error) from error
    return safetensors.torch


def _safetensors_error() -> type[Exception]:
    import safetensors

    error: type[Exception] = safetensors.SafetensorError
    return error
