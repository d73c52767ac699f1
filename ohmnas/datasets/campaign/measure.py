"""Train and measure networks: a genome and chips -> rows. All rows come from this module."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ohmnas.datasets.campaign import kept
from ohmnas.datasets.campaign.early_stopping import Limits
from ohmnas.datasets.campaign.limits import NO_LIMITS, LimitError, RowLimits, Watch
from ohmnas.datasets.campaign.protocol import Protocol, seeds_of, training_settings
from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.schema import Row
from ohmnas.datasets.tasks.data import Split
from ohmnas.errors import DivergedError, InvalidValueError
from ohmnas.hardware import Hardware
from ohmnas.lookup import look_up
from ohmnas.version import version

if TYPE_CHECKING:
    from torch import nn

    from ohmnas.analog.images import ImageSet
    from ohmnas.analog.snapshot import Snapshot
    from ohmnas.analog.train import Training

_ONE_AT_A_TIME = threading.Lock()
"""Random generators and limits belong to the process, so only one thread of a Dask worker measures at a time."""
CURVE_IMAGES = 1000
"""Largest number of validation images for each point of the accuracy curve."""
CURVE_SHARES = (0.03, 0.06, 0.125, 0.25, 0.5, 0.75)
"""Shares of the epochs at which the accuracy curve has a point."""


def train_network(
    protocol: Protocol,
    genome: npt.NDArray[np.int16],
    chip: Hardware,
    seed: int,
    check: Callable[[], None] | None = None,
    curve: dict[int, float] | None = None,
    after_epoch: Callable[[int], None] | None = None,
    snapshot: Snapshot | None = None,
    start: nn.Module | None = None,
    stops: Callable[[int, float], bool] | None = None,
) -> tuple[nn.Module, Training]:
    """Build the network of a genome and train it with the chip's noise; return the network and its losses.

    From then on, this process uses one thread: more threads round sums differently and give a different network.

    Args:
        protocol: task, fidelity, engine and device.
        genome: ``(g,)``.
        chip: chip to train for.
        seed: seed of the measurement.
        check: called before each batch; an exception ends the training run.
        curve: receives, after some epochs, the accuracy of one chip a day after programming, on up to `CURVE_IMAGES`
            validation images (`curve_epochs`); native engine only.
        after_epoch: called with the number of finished epochs, except after the last; not together with `curve`.
        snapshot: file from which an interrupted training run resumes; native engine only.
        start: network of the genome with initial weights; None draws them from the seed.
        stops: called with the number of finished epochs and the loss of the last one, except after the last epoch; True
            ends the training run.

    Raises:
        DivergedError: the loss became infinite or NaN.
    """
    import torch

    from ohmnas.analog.engine import ENGINES
    from ohmnas.analog.memory import keep_freed
    from ohmnas.analog.precision import tf32

    torch.set_num_threads(1)
    keep_freed()
    task, data = protocol.task, protocol.data()
    train_seed, _ = seeds_of(task, genome.tolist(), seed)
    network = start
    if network is None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(train_seed)
            network = task.space.build(task.space.decode(genome[None])[0])
    engine = ENGINES[protocol.engine]
    analog = engine.to_analog(network, chip).to(protocol.device)
    recipe = protocol.training_recipe(chip)
    images, labels = _images(protocol, data.train, check), torch.from_numpy(data.train.labels).to(protocol.device)
    if curve is not None and protocol.engine == "native":
        after_epoch = _curve_reader(protocol, analog, chip, train_seed, check, curve)
    with tf32(recipe.precision == "tf32"):
        return analog, engine.train(analog, images, labels, recipe, train_seed, after_epoch, snapshot, stops)


def curve_epochs(epochs: int) -> tuple[int, ...]:
    """Return the epochs with a point of the accuracy curve: at most six, denser at the start."""
    return tuple(sorted({max(round(epochs * share), 1) for share in CURVE_SHARES} - {epochs}))


def _curve_reader(
    protocol: Protocol,
    network: nn.Module,
    chip: Hardware,
    seed: int,
    check: Callable[[], None] | None,
    curve: dict[int, float],
) -> Callable[[int], None]:
    """Return a callback that adds the accuracy of one chip to the curve after some epochs."""
    import torch

    from ohmnas.analog.drift import accuracy_of_one_chip

    some = protocol.data().validation.first(CURVE_IMAGES)
    images, labels = _images(protocol, some, check), torch.from_numpy(some.labels).to(protocol.device)
    wanted = curve_epochs(protocol.fidelity.epochs)

    def read(epoch: int) -> None:
        if epoch in wanted:
            curve[epoch] = accuracy_of_one_chip(network, chip, images, labels, seed + epoch)

    return read


def given_up(protocol: Protocol, training: Training) -> str:
    """Return the reason why a training run was given up; empty if it ran to the end."""
    if training.epochs == protocol.fidelity.epochs:
        return ""
    epochs = f"{training.epochs} of {protocol.fidelity.epochs} epochs"
    return f"given up after {epochs}: the loss never fell below chance level"


def measure_accuracies(
    protocol: Protocol,
    network: nn.Module,
    split: Split,
    chip: Hardware,
    seed: int,
    check: Callable[[], None] | None = None,
) -> dict[str, float]:
    """Return `schema.ACCURACY_COLUMNS` and `schema.SPREAD_COLUMNS` of a trained network on one split.

    Args:
        protocol: protocol of the training run.
        network: result of `train_network`.
        split: images to classify.
        chip: kind of chip to program.
        seed: seed of the simulated chips.
        check: called before each batch; an exception ends the measurement.
    """
    import torch

    from ohmnas.analog.drift import TIMES
    from ohmnas.analog.engine import ENGINES
    from ohmnas.analog.precision import tf32

    engine = ENGINES[protocol.engine]
    images, labels = _images(protocol, split, check), torch.from_numpy(split.labels).to(protocol.device)
    calibration = _images(protocol, protocol.data().train, check)
    with tf32(False):
        values: dict[str, float] = {"accuracy_digital": engine.digital_accuracy(network, images, labels, calibration)}
    with tf32(protocol.precision(chip) == "tf32"):
        readings = engine.read_over_time(network, chip, images, labels, protocol.fidelity.chips, seed, calibration)
    accuracies, spread = readings.accuracies, readings.spread
    for column, name in enumerate(TIMES):
        values[f"accuracy_{name}"] = float(accuracies[:, column].mean())
        values[f"accuracy_{name}_std"] = float(accuracies[:, column].std(ddof=1))
    variation = accuracies[:, 0] - accuracies[:, -1]
    values["avm"] = float(variation.mean())
    values["avm_std"] = float(variation.std(ddof=1))
    values |= {"spread_flips": spread.flips, "spread_read": spread.read, "spread_chip": spread.chip}
    return values


def measure(
    protocol: Protocol,
    genome: npt.NDArray[np.int16],
    chips: Sequence[Hardware],
    seed: int,
    limits: RowLimits = NO_LIMITS,
    keep: Path | None = None,
    comparison: Limits | None = None,
) -> list[Row]:
    """Train the network of a genome once, program it on each kind of chip, and read these chips over a month.

    If a training run diverges, or a training run or reading exceeds a limit, its rows state the reason; no exception is
    raised.

    Args:
        protocol: task, fidelity, engine and device.
        genome: ``(g,)``.
        chips: kinds of chip with equal `training_settings`.
        seed: seed of the measurement.
        limits: time and memory limits.
        keep: folder for the trained network of each measured row, as `kept.keep` saves it; None keeps none.
        comparison: largest losses with which the training continues; None does not compare losses.

    Returns:
        One row for each kind of chip.

    Raises:
        InvalidValueError: the chips differ in their `training_settings`, or memory is limited and this system does not
            report a process's memory.
        UnknownNameError: the engine is unknown.
        StorageError: a trained network could not be written.
    """
    if len({training_settings(chip) for chip in chips}) != 1:
        raise InvalidValueError("chips with different training settings cannot share a trained network")
    from ohmnas.analog.engine import ENGINES  # before `Watch` starts: the row's time excludes this

    look_up("engine", ENGINES, protocol.engine)
    rows = [_begun(protocol, genome, chip, seed) for chip in chips]
    with _ONE_AT_A_TIME:
        try:
            _measure_into(rows, protocol, genome, chips, seed, Watch(limits), keep, comparison)
        except (DivergedError, LimitError) as error:
            for row in rows:
                row["reason"] = str(error)
    return rows


def _begun(protocol: Protocol, genome: npt.NDArray[np.int16], chip: Hardware, seed: int) -> Row:
    """Return a row with all values that are known before training. Its status is failed until it is measured."""
    import torch

    task = protocol.task
    row: Row = dict.fromkeys(schema.columns(task.space.gene_names))
    row.update(task=task.name, hardware=chip.name, fidelity=protocol.fidelity.name, seed=seed)
    row.update(status=schema.STATUS_FAILED, reason="", **dict.fromkeys(schema.CURVE_COLUMNS, ""))
    row.update(zip(task.space.gene_names, (int(gene) for gene in genome), strict=True))
    layers = task.space.layers(genome[None])
    row.update(params=int(layers.params()[0]), macs=int(layers.macs()[0]), **protocol.settings(chip))
    row.update(
        ohmnas_version=version(),
        torch_version=torch.__version__,
        aihwkit_version=metadata.version("aihwkit"),
        precision=protocol.precision(chip),
    )
    return row


def _measure_into(
    rows: list[Row],
    protocol: Protocol,
    genome: npt.NDArray[np.int16],
    chips: Sequence[Hardware],
    seed: int,
    watch: Watch,
    keep: Path | None,
    comparison: Limits | None,
) -> None:
    """Fill in the measured values, or the reason why the training stopped or a reading exceeded a limit."""
    start = time.perf_counter()
    curve: dict[int, float] = {}
    network, training = train_network(
        protocol, genome, chips[0], seed, watch, curve, stops=None if comparison is None else comparison.stops
    )
    seconds = round(time.perf_counter() - start, 3)
    curves = {
        "loss_curve": schema.curve(dict(enumerate(training.losses, start=1))),
        "accuracy_curve": schema.curve(curve),
    }
    if comparison is not None and comparison.reason:
        for row in rows:
            row.update(status=schema.STATUS_STOPPED, reason=comparison.reason, train_seconds=seconds, **curves)
        return
    _, chip_seed = seeds_of(protocol.task, genome.tolist(), seed)
    for row, chip in zip(rows, chips, strict=True):
        start = time.perf_counter()
        watch.next_reading()
        try:
            values = measure_accuracies(protocol, network, protocol.data().validation, chip, chip_seed, watch)
        except LimitError as error:
            row["reason"] = str(error)
            continue
        row.update(values, train_seconds=seconds, drift_seconds=round(time.perf_counter() - start, 3))
        row.update(status=schema.STATUS_OK, reason=given_up(protocol, training), **curves)
        if keep is not None:
            kept.keep(keep, protocol, genome, chip, seed, network, values, str(row["reason"]))


def _images(protocol: Protocol, split: Split, check: Callable[[], None] | None) -> ImageSet:
    from ohmnas.analog.images import ImageSet

    data = protocol.data()
    return ImageSet(split.images, data.mean, data.std, protocol.device, check)
