"""`ohmnas train`: train a found or named network and keep its weights."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from shlex import quote

import numpy as np
import numpy.typing as npt

from ohmnas.cli import render
from ohmnas.datasets.campaign.fidelity import Fidelity, fidelity
from ohmnas.datasets.campaign.outright import network_called, result_at, train_outright
from ohmnas.datasets.campaign.picks import FOUND, picked
from ohmnas.datasets.campaign.protocol import VERIFICATION_SEEDS, Protocol, require_training
from ohmnas.datasets.campaign.trained import TrainedNetwork
from ohmnas.datasets.campaign.verify import chip_of, fidelity_of, task_of
from ohmnas.datasets.tasks.task import Task, task
from ohmnas.errors import InvalidValueError, OhmnasError
from ohmnas.hardware import Hardware, hardware
from ohmnas.spaces.catalogue import word_of


def run(arguments: argparse.Namespace) -> None:
    """Train the network, or resume its training, and print its accuracies."""
    chosen, effort, genome, chip, name = _asked(arguments)
    require_training(arguments.device)
    protocol = Protocol(chosen, effort, arguments.engine, arguments.device)
    with render.meter("training", effort.epochs, show=not arguments.json) as meter:
        started: list[tuple[int, float]] = []

        def report(epoch: int, epochs: int) -> None:
            started.append((epoch, time.monotonic()))
            (first, then), (_, now) = started[0], started[-1]
            left = (
                "" if epoch == first else f"{render.duration((now - then) / (epoch - first) * (epochs - epoch))} left"
            )
            meter.advance(epoch, left)

        trained = train_outright(protocol, genome, chip, arguments.seed, arguments.out, name=name, report=report)
    values = {
        "out": str(arguments.out),
        "name": trained.name,
        "task": trained.task,
        "hardware": trained.chip.name,
        "genome": list(trained.genome),
        "params": trained.params,
        **{key: trained.provenance[key] for key in ("fidelity", "seed", "engine", "chips", "measured")},
        "test_images": len(protocol.data().test.labels),
        "reason": trained.provenance.get("reason", ""),
    }
    if arguments.json:
        render.machine(values)
    else:
        _show(trained, arguments.out, len(protocol.data().test.labels), bool(started and started[0][0]))


def _asked(arguments: argparse.Namespace) -> tuple[Task, Fidelity, npt.NDArray[np.int16], Hardware, str]:
    """Return the task, fidelity, genome, chip and name of the network.

    Raises:
        OhmnasError: a value is invalid, or two values contradict each other.
    """
    asked = task(arguments.task, arguments.data_dir)
    chip = None if arguments.hardware is None else hardware(arguments.hardware)
    result = result_at(Path(arguments.network))
    if result is None:
        if arguments.pick != FOUND:
            raise InvalidValueError("only a result of a search has networks to pick: remove --pick")
        space, genome, name = network_called(arguments.network, asked.input_shape, asked.classes, arguments.space)
        effort = fidelity(arguments.fidelity or "table", asked.name)
        return asked.in_space(word_of(space.name)), effort, genome, chip or hardware("pcm"), name
    if arguments.space is not None:
        raise InvalidValueError("a result includes its space: remove --space")
    try:
        chosen = task_of(result, asked)
        effort = fidelity_of(result, chosen, arguments.fidelity)
        one = picked(result, [arguments.pick])[arguments.pick]
        name = "network" if "," in arguments.pick else arguments.pick.replace(":", "-")
        return chosen, effort, one.network, chip_of(result, chip)(one), name
    except OhmnasError as error:
        raise type(error)(f"{arguments.network}: {error}") from error


def _show(trained: TrainedNetwork, out: Path, images: int, resumed: bool) -> None:
    measured, provenance = trained.provenance["measured"], trained.provenance
    render.line(f"{trained.name}   {trained.architecture}")
    times = {"1s": "1 second", "1h": "1 hour", "1d": "1 day", "1mo": "1 month"}
    columns = ["digital", *times.values(), "std (1 day)", "AVM"]
    row = [
        render.percent(measured["accuracy_digital"]),
        *(render.percent(measured[f"accuracy_{name}"]) for name in times),
        render.percent(measured["accuracy_1d_std"]),
        render.points(measured["avm"]),
    ]
    render.table(["accuracy", *columns], [[trained.name, *row]])
    if reason := provenance.get("reason"):
        render.warning(str(reason))
    seed = provenance["seed"] - VERIFICATION_SEEDS
    how = f"fidelity {provenance['fidelity']}, seed {seed}{', resumed' if resumed else ''}"
    chips = f"{provenance['chips']} {trained.chip.name} chips"
    render.line(f"measured: {chips}, {images} test images of {trained.task} ({how})")
    render.line(f"saved: {out} ({trained.params:,} parameters)")
    render.line("to use it elsewhere:")
    render.line(f"  ohmnas export {quote(str(out))} --to onnx --out {quote(str(out) + '-onnx')}")
