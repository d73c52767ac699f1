"""`Training`: the two alternating steps of a gradient search, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from ohmnas.analog.convert import analog_layers, set_noise, set_precision, to_analog
from ohmnas.analog.images import ImageSet
from ohmnas.analog.memory import keep_freed
from ohmnas.analog.noise import noise_source
from ohmnas.analog.recipe import Recipe
from ohmnas.analog.step import Step
from ohmnas.analog.train import NativeHooks
from ohmnas.datasets.campaign.protocol import Protocol
from ohmnas.errors import DivergedError, InvalidValueError
from ohmnas.hardware import Hardware
from ohmnas.oneshot.gradient.bilevel import first_order, second_order
from ohmnas.oneshot.gradient.choices import Relaxation
from ohmnas.oneshot.gradient.costs import ExpectedCosts
from ohmnas.oneshot.gradient.gates import Logits
from ohmnas.oneshot.gradient.settings import Settings
from ohmnas.search.problem import Problem

SKIPS: Final = 2
"""Number of skips in a cell at which the remedy `early-stop` stops, as in DARTS+."""
MIXING: Final = ("darts", "darts2")
"""Methods whose search network adds up all options."""
_LAST: Final = 1e-9
"""Factor on the probability of the option `none` in a mixture."""


class Training:
    """A search network, its logits and the state of both optimizers."""

    def __init__(
        self,
        protocol: Protocol,
        chip: Hardware,
        relaxation: Relaxation,
        problem: Problem,
        settings: Settings,
        seed: int,
    ) -> None:
        """Build the search network with weights from the seed. This process then uses one thread.

        Args:
            protocol: images, task and precision.
            chip: chip of the layers.
            relaxation: relaxed space.
            problem: limits on costs.
            settings: method and its settings.
            seed: random seed.

        Raises:
            InvalidValueError: the task has too few images for a batch.
        """
        torch.set_num_threads(1)  # with more threads, sums are rounded differently
        keep_freed()
        self._settings, self._relaxation = settings, relaxation
        data = protocol.data()
        half = len(data.train.labels) // 2
        self._images = ImageSet(data.train.images, data.mean, data.std)
        self._labels = torch.from_numpy(data.train.labels)
        self._steps = half // settings.batch
        if not self._steps:
            raise InvalidValueError(
                f"{protocol.task.name} has {len(data.train.labels)} training images, but each half needs a batch of "
                f"{settings.batch}: use a smaller batch"
            )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.network = to_analog(relaxation.network(), chip)
            self.logits = Logits(relaxation.sizes, settings, self._steps * settings.epochs)
            order = torch.randperm(len(self._labels))
            self._random = torch.get_rng_state()
        self._halves = order[:half], order[half : 2 * half]
        precision = torch.bfloat16 if protocol.precision(chip) == "bfloat16" else torch.float32
        set_precision(self.network, precision)
        self._noise = noise_source(seed, torch.device("cpu"))
        set_noise(self.network, self._noise)
        self._layers = [*analog_layers(self.network)]
        recipe = Recipe(epochs=settings.epochs, batch=settings.batch, learning_rate=settings.learning_rate)
        self._step = Step(self.network, recipe, NativeHooks(self._layers))
        for parameter in self._step.parameters:  # the fused optimizer needs all momenta
            self._step.optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        self._draws = np.random.default_rng([seed, 2])
        self._costs = ExpectedCosts(relaxation, problem, settings.weights, settings.hinge, self._draws)
        self._accepted = self.logits.values.detach().clone()
        """Logits of the result: the current logits; after early stopping, the logits of the previous epoch."""
        self.stopped = False
        """True if the remedy has ended the search."""

    def probabilities(self) -> npt.NDArray[np.float64]:
        """``(c, m)``: probabilities of the options; 0 where there is no option.

        In a mixture, the probability of the option `none` only scales the others, and batch norm removes scales. As in
        DARTS, methods that mix therefore choose `none` only if no other option meets the limits.
        """
        return self._compared(self._accepted)

    def _compared(self, logits: Tensor) -> npt.NDArray[np.float64]:
        """``(c, m)``: probabilities that rank the options."""
        masked = logits.detach().masked_fill(~self.logits.exists, -torch.inf)
        found: npt.NDArray[np.float64] = masked.double().softmax(dim=1).numpy()
        none = self._relaxation.none
        if self._settings.method in MIXING and none is not None:
            found[:, none] *= _LAST
            found /= found.sum(axis=1, keepdims=True)
        return found

    def epoch(self, epoch: int) -> dict[str, float]:
        """Run one epoch and return its entry in the history.

        Args:
            epoch: number of the epoch, from 1.

        Raises:
            DivergedError: the loss or a logit is not finite.
        """
        settings = self._settings
        self.network.train()
        with self._own_random():
            orders = [half[torch.randperm(len(half))] for half in self._halves]
            losses, right = torch.zeros(()), torch.zeros(())
            for index in range(self._steps):
                progress = ((epoch - 1) * self._steps + index + 1) / (settings.epochs * self._steps)
                batches = [order[index * settings.batch : (index + 1) * settings.batch] for order in orders]
                if settings.remedy == "auxiliary":
                    self.network.auxiliary = 1.0 - progress
                right += self._train_logits(batches, progress)
                self.network.gates = self.logits.for_weights(progress)
                losses += self._step(self._images[batches[0]], self._labels[batches[0]], progress)
        loss = float(losses) / self._steps
        if not np.isfinite(loss) or not bool(torch.isfinite(self.logits.values[self.logits.exists]).all()):
            raise DivergedError(f"the loss was not finite in epoch {epoch} of {settings.epochs}")
        return self._noted(epoch, loss, float(right) / (self._steps * settings.batch))

    def _train_logits(self, batches: list[Tensor], progress: float) -> Tensor:
        """Train the logits for one step; return the number of images that the network classified correctly."""
        settings, recipe, logits = self._settings, self._step.recipe, self.logits
        right = torch.zeros(())
        self._step.hooks.before_step(recipe.noise(progress))

        def loss(chosen: Tensor) -> Tensor:
            self.network.gates = logits.for_logits(progress)
            outputs = self.network(self._images[chosen])
            labels = self._labels[chosen]
            if chosen is batches[1]:  # second order also calls this with training images
                right.copy_((outputs.argmax(dim=1) == labels).sum())
            return functional.cross_entropy(outputs, labels)

        if progress <= settings.warmup:
            with torch.no_grad():
                loss(batches[1])
            return right
        if settings.method == "darts2":
            weights = [one for one in self._step.parameters if one.requires_grad]
            rate = recipe.rate(progress)
            _, slope = second_order(
                lambda: loss(batches[1]),
                lambda: loss(batches[0]),
                logits.values,
                weights,
                lambda weight, gradient: self._ahead(weight, gradient, rate),
                rate,
                self._noise,
            )
        else:
            _, slope = first_order(lambda: loss(batches[1]), logits.values)
        logits.values.grad = slope + self._cost_gradient()
        logits.step()
        return right

    def _ahead(self, weight: nn.Parameter, gradient: Tensor, rate: float) -> Tensor:
        """The weight after one step of stochastic gradient descent with momentum."""
        momentum: Tensor = self._step.optimizer.state[weight]["momentum_buffer"]
        decay = self._step.recipe.weight_decay if weight.dim() > 1 else 0.0
        moved: Tensor = weight - rate * (gradient + decay * weight + self._step.recipe.momentum * momentum)
        return moved

    def _cost_gradient(self) -> Tensor:
        """Gradient of the penalty on the expected costs with respect to the logits."""
        if not self._costs.names:
            return torch.zeros_like(self.logits.values)
        penalty = self._costs.penalty(self._costs.expected(self.logits.probabilities()))
        if not penalty.requires_grad:
            return torch.zeros_like(self.logits.values)
        (found,) = torch.autograd.grad(penalty, [self.logits.values])
        return found

    def _noted(self, epoch: int, loss: float, accuracy: float) -> dict[str, float]:
        """Return the epoch's entry in the history; the remedy `early-stop` may end the search."""
        with torch.no_grad():
            probabilities = self.logits.probabilities()
            expected = self._costs.expected(probabilities)
        skip = self._relaxation.skip
        compared = self._compared(self.logits.values)
        skips = 0 if skip is None else int((compared.argmax(axis=1) == skip).sum())
        entropy = float(torch.special.entr(probabilities).sum(dim=1).mean())
        if self._settings.remedy == "early-stop" and skips >= SKIPS and epoch > 1:
            self.stopped = True
        else:
            self._accepted = self.logits.values.detach().clone()
        return {
            "iteration": float(epoch),
            "evaluations": 1.0,
            "objective": accuracy,
            "loss": loss,
            "skips": float(skips),
            "entropy": entropy,
            **{f"expected_{name}": float(value) for name, value in expected.items()},
        }

    @contextmanager
    def _own_random(self) -> Iterator[None]:
        """Use the generator of this search, and keep its state."""
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(self._random)
            yield
            self._random = torch.get_rng_state()

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """State between two epochs: tensors and JSON values."""
        tensors = {f"network.{name}": tensor for name, tensor in self.network.state_dict().items()}
        for place, parameter in enumerate(self._step.parameters):
            tensors[f"momentum.{place}"] = self._step.optimizer.state[parameter]["momentum_buffer"]
        for name, value in self.logits.optimizer.state[self.logits.values].items():
            tensors[f"adam.{name}"] = value
        tensors |= {"logits": self.logits.values, "accepted": self._accepted, "random": self._random}
        values = {
            "noise": self._noise.state(),
            "draws": self._draws.bit_generator.state,
            "calibrated": [layer._calibrated for layer in self._layers],
            "stopped": self.stopped,
        }
        return tensors, values

    def restore(self, tensors: dict[str, Tensor], values: dict[str, Any]) -> bool:
        """Restore a state. Return False if it belongs to another search network."""
        stored = {name.removeprefix("network."): one for name, one in tensors.items() if name.startswith("network.")}
        own = self.network.state_dict()
        if {name: one.shape for name, one in own.items()} != {name: one.shape for name, one in stored.items()}:
            return False
        self.network.load_state_dict(stored)
        for layer, calibrated in zip(self._layers, values["calibrated"], strict=True):
            layer._calibrated = calibrated
        for place, parameter in enumerate(self._step.parameters):
            self._step.optimizer.state[parameter]["momentum_buffer"] = tensors[f"momentum.{place}"]
        adam = {name.removeprefix("adam."): one for name, one in tensors.items() if name.startswith("adam.")}
        if adam:
            self.logits.optimizer.state[self.logits.values] = adam
        with torch.no_grad():
            self.logits.values.copy_(tensors["logits"])
        self._accepted, self._random = tensors["accepted"], tensors["random"]
        self._noise.set_state(values["noise"])
        self._draws.bit_generator.state = values["draws"]
        self.stopped = bool(values["stopped"])
        return True
