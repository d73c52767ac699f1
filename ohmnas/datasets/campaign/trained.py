"""`TrainedNetwork`: a trained network and all data needed to use it, in one folder.

The folder holds ``weights.safetensors`` (`analog.state` names its tensors) and ``network.json``, which has the checksum
of the weights and is written last: a folder without ``network.json`` is not a network.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from ohmnas import json_values
from ohmnas.datasets.campaign.options import ENGINE_NAMES
from ohmnas.datasets.campaign.protocol import Protocol, require_training
from ohmnas.datasets.tables import schema
from ohmnas.errors import BrokenFileError, InvalidValueError, OhmnasError, StorageError, shown
from ohmnas.files import is_file, read_bytes, read_text, write_atomically, write_bytes_atomically
from ohmnas.hardware import Hardware
from ohmnas.spaces.codesign import space_of
from ohmnas.spaces.space import Space
from ohmnas.version import version

if TYPE_CHECKING:
    from torch import Tensor, nn

DESCRIPTION: Final = "network.json"
WEIGHTS: Final = "weights.safetensors"
FORMAT: Final = "ohmnas-network-1"
LARGEST_DESCRIPTION: Final = 1 << 20
"""Largest description in bytes."""
_HEADER: Final = 1 << 20
"""Largest size in bytes of the header of a weights file, which names its tensors."""
_LARGEST_PARAMS: Final = 1 << 31
_PACKAGE: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_VERSION: Final = re.compile(r"[A-Za-z0-9.+!_-]{1,64}")


@dataclass(frozen=True, slots=True, eq=False)
class TrainedNetwork:
    """A trained network, its chip, and the normalisation of its images."""

    space: Space
    """Space of the network, without chips."""
    genome: tuple[int, ...]
    chip: Hardware
    """Chip that the network was trained for."""
    task: str
    """Name of the task."""
    mean: tuple[float, ...]
    """Mean of the training pixels of each channel; the network's input is (image - mean) / std."""
    std: tuple[float, ...]
    """Standard deviation of the training pixels of each channel."""
    image_shape: tuple[int, int, int]
    """Channels, height and width of the training images; smaller than the task's if the fidelity shrinks them."""
    state: dict[str, Tensor] = field(repr=False)
    """Name -> tensor (`analog.state`)."""
    provenance: dict[str, Any]
    """Versions, seed, fidelity, engine and precision; if measured, also accuracies, number of chips and split."""
    name: str = "network"
    """Name of the network, such as ``found`` or the name of a reference."""

    @classmethod
    def of(
        cls,
        protocol: Protocol,
        genome: npt.NDArray[np.int16],
        chip: Hardware,
        seed: int,
        network: nn.Module,
        measured: dict[str, float] | None = None,
        reason: str = "",
        name: str = "network",
        split: str = "test",
    ) -> TrainedNetwork:
        """Create from the result of `measure.train_network`.

        Args:
            protocol: protocol of the training run.
            genome: ``(g,)``.
            chip: chip that the network was trained for.
            seed: seed of the measurement.
            network: trained analog network from any engine; it is not changed.
            measured: accuracies on images of the task, by column.
            reason: reason why the training run was given up; empty if it ran to the end.
            name: name of the network.
            split: images of `measured`: ``test``, or ``validation`` for the rows of campaigns and refinements.
        """
        from ohmnas.analog.engine import ENGINES
        from ohmnas.analog.images import ImageSet
        from ohmnas.analog.precision import tf32
        from ohmnas.analog.state import state_of

        task, data = protocol.task, protocol.data()
        space = task.space.networks
        images = ImageSet(data.train.images, data.mean, data.std, protocol.device)
        native = ENGINES[protocol.engine].to_native(network, space.build(space.decode(genome[None])[0]), chip)
        with tf32(False):
            state = state_of(native, images)
        channels, height, width = data.train.images.shape[1:]
        effort = protocol.fidelity
        provenance = {
            "seed": seed,
            "fidelity": effort.name,
            "epochs": effort.epochs,
            "batch": effort.batch,
            "train_images": len(data.train.labels),
            "engine": protocol.engine,
            "device": protocol.device,
            "precision": protocol.precision(chip),
            "protocol": schema.PROTOCOL_VERSION,
            "versions": _versions(),
            **({"reason": reason} if reason else {}),
            **({"measured": dict(measured), "chips": effort.chips, "split": split} if measured else {}),
        }
        mean, std = tuple(map(float, data.mean)), tuple(map(float, data.std))
        shape = (int(channels), int(height), int(width))
        row = tuple(int(gene) for gene in genome)
        return cls(space, row, chip, task.name, mean, std, shape, state, provenance, name)

    @property
    def architecture(self) -> Any:
        """Decoded genome."""
        return self.space.decode(np.array([self.genome], dtype=np.int16))[0]

    @property
    def params(self) -> int:
        """Number of trainable parameters, without input ranges."""
        return int(self.space.params(np.array([self.genome], dtype=np.int16))[0])

    @property
    def split(self) -> str:
        """Split of the measured accuracies: ``test`` or ``validation``."""
        return "validation" if self.provenance.get("split") == "validation" else "test"

    @property
    def precision(self) -> str:
        """Number format of convolutions on chips, one of `schema.PRECISIONS`."""
        return str(self.provenance["precision"])

    def on_chip(self) -> nn.Module:
        """Return the analog network, which `ohmnas.analog.drift` programs and reads. Needs torch."""
        return self._restored(exact=False)

    def digital(self) -> nn.Module:
        """Return the network computed exactly, without noise or rounding. Needs torch.

        Values saturate at the limits of the chip's converters, as in training. Batch norm uses statistics averaged in
        exact arithmetic. The accuracy of this network is the ``accuracy_digital`` in tables.
        """
        return self._restored(exact=True)

    def prepare(self, images: npt.NDArray[np.generic]) -> Tensor:
        """Return the float32 input of the network for these images: (image - mean) / std. Needs torch.

        Args:
            images: ``(m, channels, height, width)``, with pixel values as in the task's files.
        """
        from ohmnas.analog.images import ImageSet

        return ImageSet(images, np.array(self.mean), np.array(self.std))[slice(None)]

    def _restored(self, exact: bool) -> nn.Module:
        from ohmnas.analog.state import restored

        return restored(self.build(), self.chip, self.state, self.precision, exact)

    def build(self) -> nn.Module:
        """Return the digital network with random weights, built from torch's layers. Needs torch."""
        import torch

        with torch.random.fork_rng(devices=[]):
            return self.space.build(self.architecture)

    def save(self, folder: str | Path) -> None:
        """Write the folder. If the process is killed, the folder holds a complete network or none.

        Raises:
            InvalidValueError: the folder holds another network.
            StorageError: the disk rejected a write.
        """
        from ohmnas.analog.snapshot import safetensors_torch

        folder = Path(folder)
        content = safetensors_torch().save(self.state)
        text = json.dumps(self._described(hashlib.sha256(content).hexdigest()), indent=1) + "\n"
        if is_file(folder / DESCRIPTION):
            if read_text(folder / DESCRIPTION, LARGEST_DESCRIPTION) == text:
                return
            raise InvalidValueError(
                f"{folder} holds another trained network; choose another folder, or delete this one"
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"cannot create the folder {folder}: {error.strerror}") from error
        write_bytes_atomically(folder / WEIGHTS, content)
        write_atomically(folder / DESCRIPTION, text)

    def _described(self, checksum: str) -> dict[str, Any]:
        space = self.space
        return {
            "format": FORMAT,
            "name": self.name,
            "task": self.task,
            "space": {"name": space.name, "input_shape": list(space.input_shape), "classes": space.classes},
            "genome": list(self.genome),
            "architecture": self.architecture.to_dict(),
            "params": self.params,
            "chip": {"name": self.chip.name, "technology": self.chip.technology, **self.chip.settings()},
            "image_shape": list(self.image_shape),
            "mean": list(self.mean),
            "std": list(self.std),
            "weights_sha256": checksum,
            "provenance": self.provenance,
        }

    @classmethod
    def load(cls, folder: str | Path) -> TrainedNetwork:
        """Read a folder that `save` wrote.

        Raises:
            BrokenFileError: a file is missing or broken; the message names the file and the fault.
            MissingDependencyError: torch, aihwkit, Numba or safetensors is not installed.
        """
        folder = Path(folder)
        description = folder / DESCRIPTION
        text = read_text(description, LARGEST_DESCRIPTION)
        require_training()
        try:
            values = json_values.mapping(json.loads(text), "content")
            found, checksum = _read(values)
        except KeyError as error:
            raise BrokenFileError(f"{description} is not a trained network: it lacks {error}") from error
        except (TypeError, ValueError, OverflowError, RecursionError, OhmnasError) as error:
            raise BrokenFileError(f"{description} is not a trained network: {error}") from error
        try:
            found.state.update(_weights(folder / WEIGHTS, found, checksum))
        except BrokenFileError as error:
            raise BrokenFileError(f"{folder / WEIGHTS} is broken: {error}") from error
        return found


def is_trained(folder: Path) -> bool:
    """Return True if a folder has a description of a trained network."""
    return is_file(folder / DESCRIPTION)


def _read(values: dict[str, Any]) -> tuple[TrainedNetwork, str]:
    """Return the described network without its tensors, and the checksum of the weights file.

    Raises:
        OhmnasError, KeyError, TypeError, ValueError: a value is missing, or has the wrong type.
    """
    if values.get("format") != FORMAT:
        raise BrokenFileError(f"its format is {shown(values.get('format'))}, not {FORMAT!r}")
    described = json_values.mapping(values["space"], "space")
    channels, height, width = _shape(described["input_shape"], "input_shape")
    classes = json_values.whole(described["classes"], "number of classes", 1, json_values.LARGEST_SIZE)
    space = space_of(json_values.text(described["name"], "space"), (channels, height, width), classes)
    if space.has_chips:
        raise BrokenFileError("its space has chips, but a trained network has one chip")
    genes = [json_values.whole(gene, "genome", 0, 2**31) for gene in json_values.sequence(values["genome"], "genome")]
    genome = space.check(np.array([genes], dtype=np.int64))
    if space.decode(genome)[0].to_dict() != values["architecture"]:
        raise BrokenFileError("its genome and architecture do not match")
    image = _shape(values["image_shape"], "image_shape")
    if image[0] != channels:
        raise BrokenFileError(f"its images have {image[0]} channels, but its network reads {channels}")
    mean, std = (_numbers(values[name], name, channels) for name in ("mean", "std"))
    if not all(one > 0 for one in std):
        raise BrokenFileError("its std must be above 0")
    provenance = _provenance(values["provenance"])
    task, name = json_values.name(values["task"], "task"), json_values.name(values["name"], "name")
    row = tuple(int(gene) for gene in genome[0])
    found = TrainedNetwork(space, row, _chip(values["chip"]), task, mean, std, image, {}, provenance, name)
    return found, json_values.text(values["weights_sha256"], "checksum")


def _provenance(value: object) -> dict[str, Any]:
    """Check the values of a provenance that exports write into code and cards."""
    provenance = json_values.mapping(value, "provenance")
    for name, known in (("precision", schema.PRECISIONS), ("engine", ENGINE_NAMES)):
        if provenance.get(name) not in known:
            raise BrokenFileError(f"its {name} is {shown(provenance.get(name))}, which is unknown")
    json_values.name(provenance["fidelity"], "fidelity")
    for name in ("seed", "epochs", "batch", "train_images"):
        json_values.whole(provenance[name], name)
    for package, number in json_values.mapping(provenance["versions"], "versions").items():
        if not (_PACKAGE.fullmatch(package) and _VERSION.fullmatch(json_values.text(number, f"version of {package}"))):
            raise BrokenFileError(f"its package version {shown(package)} {shown(number)} is invalid")
    if "measured" in provenance:
        json_values.whole(provenance["chips"], "number of chips")
        for name, accuracy in json_values.mapping(provenance["measured"], "measured values").items():
            json_values.number(accuracy, name)
    return provenance


def _chip(value: object) -> Hardware:
    values = dict(json_values.mapping(value, "chip"))
    name = json_values.name(values.pop("name"), "chip's name")
    technology = json_values.text(values.pop("technology"), "chip's technology")
    settings = {key: json_values.number(one, f"chip's {key}") for key, one in values.items()}
    if missing := sorted(Hardware().settings().keys() - settings.keys()):
        raise BrokenFileError(f"its chip lacks {missing[0]}")
    return Hardware.of_settings(technology, settings, name)


def _shape(value: object, what: str) -> tuple[int, int, int]:
    sizes = [json_values.whole(size, what, 1, json_values.LARGEST_SIZE) for size in json_values.sequence(value, what)]
    channels, height, width = sizes
    return channels, height, width


def _numbers(value: object, what: str, count: int) -> tuple[float, ...]:
    numbers = tuple(json_values.number(one, what) for one in json_values.sequence(value, what))
    if len(numbers) != count:
        raise BrokenFileError(f"its {what} has {len(numbers)} numbers, but images have {count} channels")
    return numbers


def _weights(path: Path, network: TrainedNetwork, checksum: str) -> dict[str, Tensor]:
    """Read the tensors of a network.

    Raises:
        BrokenFileError: the file is missing, too large or changed, or its tensors do not match the network.
    """
    from ohmnas.analog.snapshot import safetensors_torch
    from ohmnas.analog.state import check_state

    if (params := network.params) > _LARGEST_PARAMS:
        raise BrokenFileError(f"its network has {params:,} parameters, more than {_LARGEST_PARAMS:,}")
    # Besides the parameters, a file has two means and two variances for each channel of a batch norm. There are fewer
    # channels than parameters, so the tensors have at most five float32 values per parameter.
    content = read_bytes(path, 20 * params + _HEADER)
    if len(content) < 4 * params:  # checked before `check_state` needs a possibly large network
        raise BrokenFileError(f"it has {len(content):,} bytes, too few for {params:,} parameters")
    if hashlib.sha256(content).hexdigest() != checksum:
        raise BrokenFileError(f"its checksum is not the one in {DESCRIPTION}")
    codec = safetensors_torch()
    import safetensors

    try:
        state: dict[str, Tensor] = codec.load(content)
    except (safetensors.SafetensorError, ValueError, KeyError) as error:
        raise BrokenFileError(f"it is not in the safetensors format: {error}") from error
    check_state(network.build(), state)
    return state


def _versions() -> dict[str, str]:
    import torch

    return {
        "ohmnas": version(),
        "torch": torch.__version__,
        "aihwkit": metadata.version("aihwkit"),
        "python": platform.python_version(),
    }
