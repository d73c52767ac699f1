"""One training step: forward, backward, optimizer, and the chip's limits on weights."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from ohmnas.analog.recipe import Recipe


class Hooks(Protocol):
    """Hooks of an engine around each step."""

    def before_step(self, strength: float | Tensor) -> None:
        """Set the weight noise, relative to the chip's; a scalar tensor may change its value between steps."""
        ...

    def after_step(self) -> None:
        """Called after the optimizer has updated the weights."""
        ...


class Step:
    """A training step that launches every operation on each call."""

    def __init__(self, network: nn.Module, recipe: Recipe, hooks: Hooks) -> None:
        """Create the optimizer of a network's parameters."""
        decayed = [p for p in network.parameters() if p.dim() > 1]
        free = [p for p in network.parameters() if p.dim() == 1]
        ranges = [p for p in network.parameters() if p.dim() == 0]
        self.network, self.recipe, self.hooks = network, recipe, hooks
        self.parameters = decayed + free + ranges
        """All parameters, in the order of the optimizer's groups."""
        groups = [
            {"params": decayed, "weight_decay": recipe.weight_decay, "share": 1.0},
            {"params": free, "weight_decay": 0.0, "share": 1.0},
            {"params": ranges, "weight_decay": 0.0, "share": recipe.range_rate},
        ]
        self.optimizer = torch.optim.SGD(
            [group for group in groups if group["params"]],
            lr=recipe.learning_rate,
            momentum=recipe.momentum,
            nesterov=True,
            fused=True,
        )

    def __call__(self, images: Tensor, labels: Tensor, progress: float) -> Tensor:
        """Train on a batch.

        Args:
            images: ``(b, channels, height, width)``.
            labels: ``(b,)`` int64.
            progress: share of all steps that are done after this one, in (0, 1].

        Returns:
            The loss before the step, a scalar, which the next call may overwrite.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.rate(progress) * group["share"]
        self.hooks.before_step(self.recipe.noise(progress))
        return self._learn(images, labels)

    def _learn(self, images: Tensor, labels: Tensor) -> Tensor:
        loss = functional.cross_entropy(self.network(images), labels, label_smoothing=self.recipe.label_smoothing)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.parameters, self.recipe.gradient_norm, foreach=True)
        self.optimizer.step()
        self.hooks.after_step()
        return loss.detach()


class GraphedStep(Step):
    """A training step on a GPU, recorded once as a CUDA graph and replayed.

    A step of a small network has about a thousand kernel launches. The CPU needs more time to launch the kernels than
    the GPU needs to run them. A graph is a single launch. Values that change from step to step are in fixed tensors:
    batch, learning rate and strength of the weight noise. Each replay draws new random numbers.
    """

    WARM_UPS = 3
    """Ordinary steps before the recording, to initialise momenta and input ranges."""

    def __init__(self, network: nn.Module, recipe: Recipe, hooks: Hooks) -> None:
        """Create a step for a network on a CUDA device, with hooks that accept a tensor."""
        super().__init__(network, recipe, hooks)
        self._device = next(network.parameters()).device
        self._strength, self._loss = (torch.zeros((), device=self._device) for _ in range(2))
        for group in self.optimizer.param_groups:
            group["lr"] = torch.zeros((), device=self._device)
        hooks.before_step(self._strength)
        self._batch: tuple[Tensor, Tensor] | None = None
        self._graph: torch.cuda.CUDAGraph | None = None
        self._warm_ups = 0

    def __call__(self, images: Tensor, labels: Tensor, progress: float) -> Tensor:
        """See `Step`. A new graph is recorded if the shape of the images changes."""
        for group in self.optimizer.param_groups:
            group["lr"].fill_(self.recipe.rate(progress) * group["share"])
        self._strength.fill_(self.recipe.noise(progress))
        if self._batch is None or self._batch[0].shape != images.shape:
            self._graph, self._warm_ups = None, 0
            self._batch = torch.empty_like(images), torch.empty_like(labels)
        for place, one in zip(self._batch, (images, labels), strict=True):
            place.copy_(one)
        if self._warm_ups < self.WARM_UPS:
            self._warm_ups += 1
            return self._aside(*self._batch)
        if self._graph is None:
            self._graph = torch.cuda.CUDAGraph()
            self.optimizer.zero_grad(set_to_none=True)
            with torch.cuda.graph(self._graph):
                self._loss = self._learn(*self._batch)
        self._graph.replay()
        return self._loss

    def _aside(self, images: Tensor, labels: Tensor) -> Tensor:
        """A step on a side stream, as torch requires before a recording."""
        current, other = torch.cuda.current_stream(self._device), torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        other.wait_stream(current)
        with torch.cuda.stream(other):
            loss = self._learn(images, labels)
        current.wait_stream(other)
        return loss
