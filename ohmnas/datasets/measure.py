"""One genome on one chip -> one row: the single place where networks are trained and measured."""

from __future__ import annotations

import time
import zlib
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module, metadata
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

import ohmnas
from ohmnas.datasets import schema
from ohmnas.datasets.fidelity import Fidelity
from ohmnas.datasets.schema import Row
from ohmnas.datasets.task import Split, Task
from ohmnas.errors import MissingDependencyError
from ohmnas.spaces.hardware import Hardware

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ohmnas.analog.train import Training

ENGINE_NAMES = ("native", "aihwkit")
"""What simulates the chip: our own layers, or aihwkit's as the reference."""


VERIFICATION_SEEDS = 1_000_000
"""Verification trains with seeds from here on; campaigns with those below, so that no table holds what verifies it."""


def require_training() -> None:
    """Check that what measuring needs is installed.

    Raises:
        MissingDependencyError: torch or aihwkit is not.
    """
    for name in ("torch", "aihwkit"):
        try:
            import_module(name)
        except ImportError as error:
            raise MissingDependencyError(
                f"training and measuring need {name} ({error}); install it with: pip install 'ohmnas[train]'"
            ) from error


def seeds_of(task: Task, genome: Sequence[int], seed: int) -> tuple[int, int]:
    """The seeds of training and of the chips: they follow from the task, the genome and the row's seed alone.

    The hardware has no part in it, so that chips which share the training noise share the trained network.
    """
    entropy = [seed, zlib.crc32(task.name.encode()), *(int(gene) for gene in genome)]
    train, chips = np.random.SeedSequence(entropy).generate_state(2)
    return int(train), int(chips)


def train_network(
    task: Task, genome: npt.NDArray[np.int16], chip: Hardware, effort: Fidelity, seed: int, engine: str = "native"
) -> tuple[nn.Sequential, Training]:
    """Build and train the network of a genome with the chip's training noise; also how the training went.

    From here on this process computes on one thread: sums in another order would be another network.

    Raises:
        DivergedError: the loss stopped being finite.
    """
    import torch

    from ohmnas.analog.engine import ENGINES
    from ohmnas.analog.memory import keep_freed
    from ohmnas.analog.train import Recipe
    from ohmnas.spaces.network import build

    torch.set_num_threads(1)
    keep_freed()
    data = task.load().train
    images, labels = _tensors(Split(data.images[: effort.train_images], data.labels[: effort.train_images]))
    train_seed, _ = seeds_of(task, genome.tolist(), seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(train_seed)
        network = build(task.space.decode(genome[None])[0], task.input_shape, task.classes)
    analog = ENGINES[engine].to_analog(network, chip)
    training = ENGINES[engine].train(analog, images, labels, replace(Recipe(), epochs=effort.epochs), train_seed)
    return analog, training


def measure_accuracies(
    network: nn.Sequential, split: Split, chip: Hardware, chips: int, seed: int, engine: str = "native"
) -> dict[str, float]:
    """The `schema.ACCURACY_COLUMNS` of a trained network on one split.

    Args:
        network: what `train_network` gave.
        split: the images to classify.
        chip: the hardware to program.
        chips: programming events, at least 2 for a standard deviation.
        seed: of the chips.
        engine: the one that trained the network, of `ENGINE_NAMES`.
    """
    from ohmnas.analog.drift import TIMES
    from ohmnas.analog.engine import ENGINES

    images, labels = _tensors(split)
    values: dict[str, float] = {"accuracy_digital": ENGINES[engine].digital_accuracy(network, images, labels)}
    accuracies = ENGINES[engine].accuracy_over_time(network, chip, images, labels, chips, seed)
    for column, name in enumerate(TIMES):
        values[f"accuracy_{name}"] = float(accuracies[:, column].mean())
        values[f"accuracy_{name}_std"] = float(accuracies[:, column].std(ddof=1))
    variation = accuracies[:, 0] - accuracies[:, -1]
    values["avm"] = float(variation.mean())
    values["avm_std"] = float(variation.std(ddof=1))
    return values


def settings_of(task: Task, chip: Hardware, effort: Fidelity) -> dict[str, float]:
    """The `schema.HARDWARE_COLUMNS` and `schema.EFFORT_COLUMNS` of every row of a chip and fidelity."""
    data = task.load()
    return {
        **chip.settings(),
        "epochs": effort.epochs,
        "train_images": min(effort.train_images or len(data.train.labels), len(data.train.labels)),
        "validation_images": len(data.validation.labels),
        "chips": effort.chips,
    }


def measure(task: Task, genome: npt.NDArray[np.int16], chip: Hardware, effort: Fidelity, seed: int) -> Row:
    """Train the network of a genome, program it on chips, read them over a month, on the validation images.

    A training that fails becomes a row with its reason, not an exception.
    """
    import torch

    from ohmnas.analog.train import DivergedError

    data = task.load()
    row: Row = dict.fromkeys(schema.COLUMNS)
    row.update(task=task.name, hardware=chip.name, fidelity=effort.name, seed=seed, status=schema.STATUS_OK, reason="")
    row.update(zip(task.space.gene_names, (int(gene) for gene in genome), strict=True))
    table = task.space.layer_table(genome[None])
    row.update(params=int(table.params()[0]), macs=int(table.macs()[0]), **settings_of(task, chip, effort))
    row.update(
        ohmnas_version=ohmnas.__version__,
        torch_version=torch.__version__,
        aihwkit_version=metadata.version("aihwkit"),
    )
    start = time.perf_counter()
    try:
        network, training = train_network(task, genome, chip, effort, seed)
        trained = time.perf_counter()
        if training.epochs < effort.epochs:
            row["reason"] = f"given up after {training.epochs} of {effort.epochs} epochs: the loss never left chance"
        row["train_seconds"] = round(trained - start, 3)
        _, chip_seed = seeds_of(task, genome.tolist(), seed)
        row.update(measure_accuracies(network, data.validation, chip, effort.chips, chip_seed))
        row["drift_seconds"] = round(time.perf_counter() - trained, 3)
    except (DivergedError, MemoryError, RuntimeError) as error:
        row.update(status=schema.STATUS_FAILED, reason=f"{type(error).__name__}: {str(error).splitlines()[0][:200]}")
        row.update(dict.fromkeys(schema.ACCURACY_COLUMNS))
    return row


def _tensors(split: Split) -> tuple[Tensor, Tensor]:
    import torch

    images = torch.from_numpy(split.images).contiguous(memory_format=torch.channels_last)
    return images, torch.from_numpy(split.labels)
