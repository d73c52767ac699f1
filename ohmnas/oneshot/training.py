"""Training of a supernet: each step trains one or several paths with the chip's noise."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ohmnas import json_values
from ohmnas.analog.convert import analog_layers, set_noise
from ohmnas.analog.memory import keep_freed
from ohmnas.analog.noise import Noise, noise_source, whole_seed
from ohmnas.analog.snapshot import Snapshot
from ohmnas.analog.train import flipped, shifted
from ohmnas.datasets.campaign.protocol import require_training
from ohmnas.errors import BrokenFileError, DivergedError, InvalidValueError, OhmnasError, StorageError
from ohmnas.files import is_file, read_json, write_atomically
from ohmnas.oneshot.paths import Paths
from ohmnas.oneshot.plan import Plan
from ohmnas.oneshot.shared import Pieces, SharedWeights, add_gradients
from ohmnas.oneshot.supernet import Supernet, is_supernet, skeleton
from ohmnas.version import version

CHECKPOINT: Final = "training.safetensors"
"""Checkpoint of an unfinished training run."""
STARTED: Final = "training.json"
"""Plan of an unfinished training run."""
_LARGEST_PLAN: Final = 1 << 20
"""Largest plan in bytes."""
SECONDS: Final = 120.0
"""Time between two checkpoints."""
_TIMED: Final = 24
"""Steps that are timed to choose the number of epochs."""
_AVERAGED: Final = 0.99
"""Weight of the past in the running mean of the loss."""

Report = Callable[[int, int, float], None]
"""Callback with the number of finished steps, the total number of steps, and the running mean of the loss."""


def train_supernet(
    plan: Plan, folder: str | Path, minutes: float | None = None, report: Report = lambda _done, _total, _loss: None
) -> Supernet:
    """Train the shared weights of a plan, or resume their training, and save them.

    A stopped training run resumes from its last checkpoint and gives the same weights, bit for bit. A finished supernet
    is returned as it is.

    Args:
        plan: everything that determines the training.
        folder: folder of the supernet; created if missing.
        minutes: training time in minutes of one core. A new training run times a few steps and derives the number of
            epochs from them, instead of using the plan's number. None uses the plan's number.
        report: called after each step.

    Raises:
        BrokenFileError: a file in the folder is broken.
        DivergedError: the loss is not finite.
        InvalidValueError: the folder holds another supernet, or the minutes are not a finite number above 0.
        StorageError: the folder cannot be written.
    """
    folder = Path(folder)
    require_training()
    torch.set_num_threads(1)
    keep_freed()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot create the folder {folder}: {error.strerror}") from error
    if is_supernet(folder):
        found = Supernet.load(folder, plan.task)
        _check_same(plan, found.plan, minutes, folder)
        return found
    plan = _resumed(plan, minutes, folder)
    training = _Training(plan)
    snapshot = Snapshot(folder / CHECKPOINT, _key(plan), SECONDS)
    training.resume(snapshot)
    try:
        while training.step < training.steps:
            training.advance()
            report(training.step, training.steps, training.loss)
            if snapshot.due() and training.step < training.steps:
                training.keep(snapshot)
    except KeyboardInterrupt:
        if training.is_between_steps:
            training.keep(snapshot)
        raise
    supernet = training.finished().save(folder)
    snapshot.delete()
    (folder / STARTED).unlink(missing_ok=True)
    return supernet


def _resumed(plan: Plan, minutes: float | None, folder: Path) -> Plan:
    """Return the stored plan of a stopped training run. If there is none, choose the epochs and store the plan."""
    started = folder / STARTED
    if is_file(started):
        try:
            earlier = Plan.from_dict(json_values.mapping(read_json(started, _LARGEST_PLAN), "content"), plan.task)
        except (KeyError, TypeError, ValueError, OhmnasError) as error:
            raise BrokenFileError(f"{started} is not the plan of a training run of this task: {error}") from error
        _check_same(plan, earlier, minutes, folder)
        return earlier
    if minutes is not None:
        plan = replace(plan, epochs=epochs_within(plan, minutes))
    write_atomically(started, json.dumps(plan.to_dict(), indent=1) + "\n")
    return plan


def _check_same(plan: Plan, earlier: Plan, minutes: float | None, folder: Path) -> None:
    wanted = plan if minutes is None else replace(plan, epochs=earlier.epochs)
    now, then = wanted.to_dict(), earlier.to_dict()
    if now != then:
        name = next(name for name in now if now[name] != then[name])
        raise InvalidValueError(
            f"{folder} holds a different supernet ({name}: {then[name]}, not {now[name]}); choose another folder, or "
            "delete this one"
        )


def epochs_within(plan: Plan, minutes: float) -> int:
    """Return the number of epochs, at least 1, that take about this many minutes of one core. Times a few steps.

    Raises:
        InvalidValueError: the minutes are not a finite number above 0.
    """
    if not 0.0 < minutes < math.inf:
        raise InvalidValueError(f"the minutes must be a finite number above 0, not {minutes}")
    trial = _Training(replace(plan, epochs=max(plan.epochs, _TIMED + 1)))  # no step may be beyond the end
    trial.advance()
    start = time.process_time()
    for _ in range(_TIMED):
        trial.advance()
    seconds = (time.process_time() - start) / _TIMED
    return max(round(60.0 * minutes / (seconds * trial.steps_per_epoch)), 1)


def _key(plan: Plan) -> str:
    return sha256(json.dumps(plan.to_dict(), sort_keys=True).encode()).hexdigest()


class _Training:
    """State of a training run. All random numbers of a step depend only on the seed and the step."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.recipe = plan, plan.recipe
        self.weights = SharedWeights(whole_seed(plan.seed))
        self.paths = Paths(plan.space, plan.within, plan.max_params, plan.max_macs, plan.rule, plan.seed)
        data = plan.protocol.data()
        self.images = Supernet(plan, self.weights).images()
        self.labels = torch.from_numpy(data.train.labels)
        self.steps_per_epoch = max(len(self.labels) // self.recipe.batch, 1)
        self.steps = plan.epochs * self.steps_per_epoch
        self.step = 0
        self.is_between_steps = True
        """False while the weights are being updated: an interrupt then leaves some of them one step ahead."""
        self.loss = math.log(plan.space.classes)
        """Running mean of the loss of each step's first path."""
        self.seconds = 0.0
        """Processor time in seconds."""
        self._noise: Noise = noise_source(plan.seed, torch.device("cpu"))
        self._order: tuple[int, Tensor] = (-1, torch.empty(0))

    def advance(self) -> None:
        """Train one step.

        Raises:
            DivergedError: the loss is not finite.
        """
        start = time.process_time()
        rng = np.random.default_rng([self.plan.seed, 1, self.step])
        self._noise.set_state({**rng.bit_generator.state})
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(rng.integers(2**62)))
            images, labels = self._batch()
            progress = (self.step + 1) / self.steps
            gradients: dict[str, Tensor] = {}
            teacher: Tensor | None = None
            losses = []
            paths = self.paths.of(self.step, self.steps)
            for genome in paths:
                network, places = skeleton(self.plan, genome)
                pieces = Pieces(network, places)
                self.weights.load_into(pieces, grow=True)
                logits, loss = self._learn(network, images, labels, progress, teacher)
                teacher = logits if len(paths) > 1 and teacher is None else teacher
                losses.append(loss)
                add_gradients(gradients, pieces.gradients())
        if not math.isfinite(sum(losses)):
            raise DivergedError(f"the loss of the supernet was not finite in step {self.step + 1} of {self.steps}")
        if len(paths) > 1:
            for grad in gradients.values():
                grad.div_(len(paths))
        self.is_between_steps = False
        self.weights.update(gradients, self.recipe, self.recipe.rate(progress), self.plan.chip.clip_sigma)
        self.loss = _AVERAGED * self.loss + (1.0 - _AVERAGED) * losses[0]
        self.step += 1
        self.is_between_steps = True
        self.seconds += time.process_time() - start

    def _learn(
        self, network: nn.Module, images: Tensor, labels: Tensor, progress: float, teacher: Tensor | None
    ) -> tuple[Tensor, float]:
        """Compute the gradients of one path; return its logits and loss.

        Args:
            network: the path, with its weights.
            images: images of a batch.
            labels: labels of the batch.
            progress: share of all steps that are done, including this one.
            teacher: logits to learn from instead of the labels (in-place distillation); None: the labels.
        """
        set_noise(network, self._noise)
        for layer in analog_layers(network):
            layer.noise_strength = self.recipe.noise(progress)
        network.train()
        logits = network(images)
        target = labels if teacher is None else torch.softmax(teacher, dim=1)
        smoothing = self.recipe.label_smoothing if teacher is None else 0.0
        loss = functional.cross_entropy(logits, target, label_smoothing=smoothing)
        loss.backward()  # type: ignore[no-untyped-call]
        return logits.detach(), float(loss.detach())

    def _batch(self) -> tuple[Tensor, Tensor]:
        """Return the images and labels of the step; each epoch reads the images in its own order."""
        epoch, place = divmod(self.step, self.steps_per_epoch)
        if self._order[0] != epoch:
            order = np.random.default_rng([self.plan.seed, 2, epoch]).permutation(len(self.labels))
            self._order = epoch, torch.from_numpy(order)
        batch = self.recipe.batch
        chosen = self._order[1][place * batch : (place + 1) * batch]
        images = self.images[chosen]
        if self.recipe.flip:
            images = flipped(images, torch.rand(len(chosen)) < 0.5)
        return shifted(images, self.recipe.shift), self.labels[chosen]

    def keep(self, snapshot: Snapshot) -> None:
        """Write a checkpoint."""
        tensors = {f"weight/{name}": one for name, one in self.weights.tensors.items()}
        tensors |= {f"momentum/{name}": one for name, one in self.weights.momenta.items()}
        snapshot.write(tensors, {"step": self.step, "loss": self.loss, "seconds": self.seconds})

    def resume(self, snapshot: Snapshot) -> None:
        """Return to the last checkpoint, if there is one."""
        before = snapshot.read()
        if before is None:
            return
        tensors, values = before
        for kind, target in (("weight/", self.weights.tensors), ("momentum/", self.weights.momenta)):
            target.update({name.removeprefix(kind): one for name, one in tensors.items() if name.startswith(kind)})
        self.step, self.loss, self.seconds = int(values["step"]), float(values["loss"]), float(values["seconds"])

    def finished(self) -> Supernet:
        """Return the supernet."""
        provenance: dict[str, Any] = {
            "steps": self.steps,
            "loss": round(self.loss, 4),
            "seconds": round(self.seconds, 1),
            "tensors": len(self.weights.tensors),
            "shared_weights": sum(one.numel() for one in self.weights.tensors.values()),
            "versions": {"ohmnas": version(), "torch": torch.__version__},
        }
        return Supernet(self.plan, self.weights, provenance)
