"""Verification: train networks from a search result, and measure them on the official test images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import joblib

from ohmnas.datasets.campaign.backends import results
from ohmnas.datasets.campaign.checkpoint import FURTHER, MEASURED, Checkpoint, Trained
from ohmnas.datasets.campaign.fidelity import FIDELITIES, Fidelity, fidelity
from ohmnas.datasets.campaign.measure import given_up, measure_accuracies, train_network
from ohmnas.datasets.campaign.paired import difference
from ohmnas.datasets.campaign.picks import FOUND, picked
from ohmnas.datasets.campaign.protocol import (
    VERIFICATION_SEEDS,
    Protocol,
    require_training,
    seeds_of,
    verification_seed,
)
from ohmnas.datasets.campaign.trained import TrainedNetwork
from ohmnas.datasets.tasks.task import Task
from ohmnas.errors import BrokenFileError, DivergedError, InvalidValueError
from ohmnas.hardware import Hardware, hardware, has_name
from ohmnas.search.candidate import Candidate
from ohmnas.search.result import SearchResult
from ohmnas.spaces.catalogue import word_of
from ohmnas.targets import DEFAULTS

COMPARED = (*(target.name for target in DEFAULTS), "accuracy_1mo")
"""Targets for which the picked networks are compared with the references."""
Report = Callable[[int, int, Trained | None], None]
"""Callback with the number of finished training runs, their total, and the latest one (None at the start)."""


def networks_to_verify(
    result: SearchResult, references: int = 1, picks: Sequence[str] = (FOUND,)
) -> dict[str, Candidate]:
    """Return the picked networks (`picks.picked`) and the first references of a result, by name."""
    return picked(result, picks) | {known.name: known for known in result.references[:references]}


def task_of(result: SearchResult, task: Task) -> Task:
    """Return the task with the search space of a result.

    Raises:
        InvalidValueError: the result is for another task.
    """
    if (result.space.input_shape, result.space.classes) != (task.input_shape, task.classes):
        raise InvalidValueError(
            f"the result is for images of {result.space.input_shape} in {result.space.classes} classes; {task.name} "
            f"has images of {task.input_shape} in {task.classes} classes"
        )
    if (learned := result.provenance.get("task")) != task.name:
        raise InvalidValueError(f"the search used a table for {learned!r}, not for {task.name!r}")
    return task.in_space(word_of(result.space.networks.name))


def fidelity_of(result: SearchResult, task: Task, name: str | None = None) -> Fidelity:
    """Return the fidelity with this name.

    If the name is None, return the fidelity of the surrogate's rows, or ``table`` if that fidelity no longer exists.
    """
    known = str(result.provenance.get("fidelity"))
    return fidelity(name or (known if known in FIDELITIES else "table"), task.name)


def chip_of(result: SearchResult, chip: Hardware | None = None) -> Callable[[Candidate], Hardware]:
    """Return a function that returns the chip of a candidate: its own, or the chip of the search.

    Args:
        result: result of a search.
        chip: chip of the search; required if it is not a preset.

    Raises:
        InvalidValueError: the chip is missing, not needed, or not the chip of the search.
    """
    if result.best.chip:
        if chip is not None:
            raise InvalidValueError("the result includes its chips: pass no chip (--hardware)")
        return lambda candidate: hardware(candidate.chip)
    learned = str(result.provenance.get("hardware"))
    if chip is None and not has_name(learned):
        raise InvalidValueError(f"the chip {learned!r} is not a preset: pass the chip itself (--hardware FILE)")
    same = chip or hardware(learned)
    if same.name != learned:
        raise InvalidValueError(f"the search was for the chip {learned!r}, not for {same.name!r}")
    for name, value in result.provenance.get("chip", {}).items():
        if (now := {**same.settings(), "technology": same.technology}.get(name)) != value:
            raise InvalidValueError(f"the search was for a chip {learned!r} with {name} {value}; this one has {now}")
    return lambda _: same


def verify(
    result: SearchResult,
    task: Task,
    *,
    fidelity_name: str | None = None,
    chip: Hardware | None = None,
    chips: int | None = None,
    seeds: Sequence[int] = range(3),
    references: int = 1,
    picks: Sequence[str] = (FOUND,),
    engine: str = "native",
    jobs: int = 1,
    checkpoint: Path | None = None,
    keep: Path | None = None,
    report: Report | None = None,
) -> dict[str, Any]:
    """Train picked networks and references of a result, and measure them on the test images. Needs torch.

    Args:
        result: result of a search.
        task: task of the search.
        fidelity_name: name of the fidelity, or None, as in `fidelity_of`.
        chip: chip of the search; required if it is not a preset.
        chips: number of chips to program for each training run, at least 2; None is the fidelity's number.
        seeds: seeds of the training runs, from 0. `VERIFICATION_SEEDS` is added, so campaigns never train with them. If
            empty, nothing is measured.
        references: number of reference networks.
        picks: networks to measure, as in `picks.picked`.
        engine: one of `options.ENGINE_NAMES`.
        jobs: number of processes.
        checkpoint: file that stores each training run; None stores none.
        keep: folder for the trained networks, one folder each (`trained.TrainedNetwork`); None keeps none.
        report: called at the start and after each training run.

    Returns:
        JSON values: `task`, `hardware`, `fidelity`, `engine`, `seeds`, `test_images`, `chips`, `predicted_fidelity`,
        `networks` and `differences`.
        `networks`: for each network, the values of its candidate, `measured` (target -> a value for each training run,
        None where it diverged), `reasons` and `weights` (folder of each trained network, relative to the parent of
        `keep`; None if not kept).
        `differences`: picked network -> reference -> target -> `paired.Difference` over the training runs.

    Raises:
        InvalidValueError: task, chip, chips or a pick do not fit the result, or a seed is negative.
        UnknownNameError: a pick or the fidelity is unknown, or the task's files are missing.
        StorageError: the checkpoint or a trained network could not be written.
        MissingDependencyError: torch, aihwkit or Numba is not installed.
    """
    task = task_of(result, task)
    effort = fidelity_of(result, task, fidelity_name)
    if chips is not None and chips < 2:
        raise InvalidValueError(f"chips is {chips}, but a spread over chips needs at least 2")
    effort = replace(effort, chips=chips or effort.chips)
    chip_for = chip_of(result, chip)
    require_training()
    protocol = Protocol(task, effort, engine)
    networks = networks_to_verify(result, references, picks)
    trainings = [verification_seed(seed) for seed in seeds]
    data = protocol.data()
    done = Checkpoint(checkpoint, protocol.key(chip_for(result.best)))
    _train(networks, trainings, done, protocol, chip_for, jobs, keep, report or (lambda *_: None))
    values = {name: _values_of([done[one, training] for training in trainings]) for name, one in networks.items()}
    return {
        "task": task.name,
        "hardware": chip_for(result.best).name,
        "fidelity": effort.name,
        "engine": engine,
        "seeds": trainings,
        "test_images": len(data.test.labels),
        "chips": effort.chips,
        "predicted_fidelity": result.provenance.get("fidelity"),
        "networks": {name: {**candidate.to_dict(), **values[name]} for name, candidate in networks.items()},
        "differences": {
            name: {other: _differences(values[name], values[other]) for other in networks if other not in picks}
            for name in networks
            if name in picks
        },
    }


def _differences(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return target -> paired difference between two networks; None if no training run has values for both."""
    found = {target: difference(one["measured"][target], other["measured"][target]) for target in COMPARED}
    return {target: None if each is None else each.to_dict() for target, each in found.items()}


def _train(
    networks: Mapping[str, Candidate],
    trainings: Sequence[int],
    done: Checkpoint,
    protocol: Protocol,
    chip_for: Callable[[Candidate], Hardware],
    jobs: int,
    keep: Path | None,
    report: Report,
) -> None:
    """Run the training runs that are not stored yet, and store each when it finishes."""
    work: dict[str, tuple[str, Candidate, int]] = {}
    for training in trainings:  # seed by seed: if the user stops early, differences still have pairs
        for name, candidate in networks.items():
            work.setdefault(done.key(candidate, training), (name, candidate, training))  # a network may have two names
    calls = [
        joblib.delayed(_measure)(protocol, candidate, chip_for(candidate), training, _name_of_files(name), keep)
        for name, candidate, training in work.values()
        if (candidate, training) not in done
    ]
    there = len(work) - len(calls)
    report(there, len(work), None)
    for number, (candidate, training, trained) in enumerate(results(calls, jobs), there + 1):
        done.note(candidate, training, trained)
        report(number, len(work), trained)


def _name_of_files(name: str) -> str:
    """Return a network's name for file names: ``front-28`` for ``front:28``, and ``network`` for a list of genes."""
    return "network" if "," in name else name.replace(":", "-")


def _values_of(parts: list[Trained]) -> dict[str, Any]:
    """Return the values of each training run: measured (None if it diverged), reason (or empty), folder (or None)."""
    return {
        "measured": {target: [part[target] for part in parts] for target in (*MEASURED, *FURTHER)},
        "reasons": [part.reason for part in parts],
        "weights": [part.kept or None for part in parts],
    }


def _measure(
    protocol: Protocol, candidate: Candidate, chip: Hardware, training: int, name: str, keep: Path | None
) -> tuple[Candidate, int, Trained]:
    """Train a candidate once, measure it on the test images, and keep the network."""
    genome = candidate.network
    try:
        network, how = train_network(protocol, genome, chip, training)
    except DivergedError as error:
        return candidate, training, Trained(None, f"diverged: {error}")
    _, chip_seed = seeds_of(protocol.task, genome.tolist(), training)
    found = measure_accuracies(protocol, network, protocol.data().test, chip, chip_seed)
    measured, reason = {target: found[target] for target in (*MEASURED, *FURTHER)}, given_up(protocol, how)
    kept = ""
    if keep is not None:
        trained = TrainedNetwork.of(protocol, genome, chip, training, network, found, reason, name)
        kept = _keep(trained, keep, f"{name}-{protocol.fidelity.name}-{training - VERIFICATION_SEEDS}")
    return candidate, training, Trained(measured, reason, kept)


def _keep(trained: TrainedNetwork, keep: Path, stem: str) -> str:
    """Save a network in the folder `stem`, or in `stem-2` and so on if other networks are there; return the path."""
    for number in count(1):
        folder = keep / (stem if number == 1 else f"{stem}-{number}")
        try:
            trained.save(folder)
        except (InvalidValueError, BrokenFileError):  # another network, or a file that is not one
            continue
        return f"{keep.name}/{folder.name}"
    raise AssertionError
