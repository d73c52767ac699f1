"""`gradient_search`: learn the probabilities of all choices together with the weights, then return the best network.

The weights of the search network are trained on one half of the training images, with the chip's noise and converters
in every step. The logits are trained on the other half, with the expected costs in their loss. The result is the most
probable network that meets the limits.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ohmnas.datasets.campaign.fidelity import Fidelity
from ohmnas.datasets.campaign.protocol import Protocol, require_training
from ohmnas.datasets.tasks.task import Task
from ohmnas.hardware import Hardware
from ohmnas.oneshot.gradient.choices import Relaxation, check_feasible, most_probable
from ohmnas.oneshot.gradient.reading import PathEstimator
from ohmnas.oneshot.gradient.relaxations import relaxed
from ohmnas.oneshot.gradient.settings import Settings
from ohmnas.search.limits import Limits
from ohmnas.search.objective import Accuracy
from ohmnas.search.problem import Problem
from ohmnas.search.report import candidates
from ohmnas.search.result import SearchResult
from ohmnas.spaces.genes import Population

if TYPE_CHECKING:
    from pathlib import Path

    from ohmnas.oneshot.gradient.training import Training

CHIPS: Final = 8
"""Programmed chips on which the found network is measured."""
READ_IMAGES: Final = 1000
"""Largest number of validation images for this measurement; the search never uses them."""


@dataclass(frozen=True, slots=True)
class Progress:
    """State of a search after an epoch."""

    epoch: int
    epochs: int
    accuracy: float
    """Accuracy of the search network on the images that train the logits."""
    skips: int
    """Number of choices whose most probable option is a skip."""
    network: str
    """Most probable network within the limits."""


Report = Callable[[Progress], None]


def gradient_search(
    task: Task,
    chip: Hardware,
    limits: Limits,
    settings: Settings | None = None,
    seed: int = 0,
    *,
    seconds: float = math.inf,
    snapshot: Path | None = None,
    report: Report | None = None,
) -> SearchResult:
    """Search with gradients. Needs torch.

    Args:
        task: task, in the space to search (`Task.in_space`).
        chip: chip; the search network is trained with its noise, converters and tiles.
        limits: limits on costs; the result meets all of them.
        settings: method and its settings.
        seed: random seed; the same seed gives the same result.
        seconds: this call stops after the epoch that reaches this time, and returns the most probable network so far.
        snapshot: file that stores the state of the search between epochs. A stopped search resumes from it and gives
            the same result. Delete the file once the result is saved.
        report: called after each epoch.

    Returns:
        The most probable network within the limits. Its predictions are measured with its part of the search network.

    Raises:
        InfeasibleError: no network meets the limits; found before the search network is built.
        InvalidValueError: the space cannot be relaxed with these settings, or the task has too few images.
        DivergedError: the loss is not finite.
    """
    settings = settings or Settings()
    protocol = _protocol(task, settings)
    relaxation = relaxed(task.space, settings)
    estimator = PathEstimator(protocol, chip, settings.settle, seed)
    problem = Problem(task.space, estimator, limits, Accuracy(), chip=chip.settings())
    check_feasible(relaxation, problem)
    require_training()
    from ohmnas.oneshot.gradient.training import Training

    start = time.monotonic()
    training = Training(protocol, chip, relaxation, problem, settings, seed)
    kept = _Kept(snapshot, _key(protocol, chip, limits, settings, seed), training)
    history, before = kept.resume()
    begun = len(history)
    for epoch in range(begun + 1, settings.epochs + 1):
        if training.stopped or (epoch > begun + 1 and time.monotonic() - start >= seconds):
            break
        history.append(training.epoch(epoch))
        if report is not None:
            report(_progress(training, relaxation, problem, settings, history[-1]))
        kept.write(history, before + time.monotonic() - start, last=epoch == settings.epochs or training.stopped)
    stopped = "iterations" if len(history) == settings.epochs else "skips" if training.stopped else "seconds"
    if stopped == "seconds":
        kept.write(history, before + time.monotonic() - start, last=True)
    genome, _ = most_probable(relaxation, problem, training.probabilities(), np.random.default_rng([seed, 1]))
    estimator.path = training.network.only(relaxation.choices_of(genome)[0])
    evaluation = problem.evaluate(genome)
    return SearchResult(
        candidates(problem, genome, evaluation)[0],
        1,
        before + time.monotonic() - start,
        seed,
        problem.constraints,
        history,
        problem.space,
        strategy=settings.method,
        parameters=_parameters(settings),
        objective=problem.objective.name,
        stopped=stopped,
        population=genome,
        provenance=dict(estimator.provenance),
    )


def _protocol(task: Task, settings: Settings) -> Protocol:
    """Images and chips of the search."""
    effort = Fidelity(
        "search",
        settings.epochs,
        settings.batch,
        CHIPS,
        train_images=settings.images,
        validation_images=READ_IMAGES,
        resolution=settings.resolution,
    )
    return Protocol(task, effort)


def _parameters(settings: Settings) -> dict[str, Any]:
    """Settings as plain values, for the result."""
    values = {name: value for name, value in asdict(settings).items() if name not in ("method", "weights")}
    values |= {f"weight_{name}": weight for name, weight in settings.weights.items()}
    return {name: value for name, value in values.items() if value is not None}


def _progress(
    training: Training, relaxation: Relaxation, problem: Problem, settings: Settings, entry: dict[str, float]
) -> Progress:
    genome, _ = most_probable(relaxation, problem, training.probabilities(), np.random.default_rng(0))
    return Progress(
        int(entry["iteration"]), settings.epochs, entry["objective"], int(entry["skips"]), str(_shown(problem, genome))
    )


def _shown(problem: Problem, genome: Population) -> object:
    return problem.space.decode(genome)[0]


def _key(protocol: Protocol, chip: Hardware, limits: Limits, settings: Settings, seed: int) -> str:
    """Checksum of everything that determines a search."""
    values = [protocol.key(chip), limits.to_dict(), asdict(settings), seed]
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()


class _Kept:
    """The file that stores a search between epochs. Without a path, nothing is read or written."""

    def __init__(self, path: Path | None, key: str, training: Training) -> None:
        from ohmnas.analog.snapshot import Snapshot

        self._snapshot = None if path is None else Snapshot(path, key)
        self._training = training

    def resume(self) -> tuple[list[dict[str, float]], float]:
        """Resume from the file; return the history and the seconds so far."""
        found = None if self._snapshot is None else self._snapshot.read()
        if found is None or not self._training.restore(found[0], found[1]["training"]):
            return [], 0.0
        return found[1]["history"], float(found[1]["seconds"])

    def write(self, history: list[dict[str, float]], seconds: float, last: bool) -> None:
        """Replace the file after the last epoch, or if the last write was long enough ago."""
        if self._snapshot is not None and (last or self._snapshot.due()):
            tensors, values = self._training.state()
            self._snapshot.write(tensors, {"training": values, "history": history, "seconds": seconds})
