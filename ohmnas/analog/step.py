"""One training step: forward pass, backward pass, optimizer, and the engine's hooks, such as weight clipping."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from ohmnas.analog.recipe import Recipe


class Hooks(Protocol):
    """Functions of an engine that run before and after each step."""

    def before_step(self, strength: float | Tensor) -> None:
        """Set the strength of the weight noise, relative to the chip's. A tensor's value may change between steps."""
        ...

    def after_step(self) -> None:
        """Run after the optimizer has updated the weights."""
        ...


class Step:
    """A training step. Each call launches every operation; `GraphedStep` avoids this on a GPU."""

    def __init__(self, network: nn.Module, recipe: Recipe, hooks: Hooks) -> None:
        """Create the optimizer for the network's parameters."""
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
            progress: share of the training steps that are done, including this one, in (0, 1].

        Returns:
            The loss before the weights are updated, a scalar. The next call may overwrite it.
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

    A step of a small network launches about a thousand kernels. The CPU takes longer to launch them than the GPU takes
    to run them. A graph needs a single launch. The batch, the learning rate and the strength of the weight noise change
    from step to step, so they are stored in fixed tensors. Each replay draws new random numbers.
    """

    WARM_UPS = 3
    """Number of ordinary steps before the graph is recorded. They initialise the momenta and the input ranges."""

    def __init__(self, network: nn.Module, recipe: Recipe, hooks: Hooks) -> None:
        """Create a step. The network must be on a CUDA device, and the hooks must accept a tensor as the strength."""
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
        """See `Step`. If the shape of the images changes, warm up again and record a new graph."""
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
        """Run an ordinary step on a side stream, as torch requires before it records a graph."""
        current, other = torch.cuda.current_stream(self._device), torch.cuda.Stream(self._device)  # type: ignore[no-untyped-call]
        other.wait_stream(current)
        with torch.cuda.stream(other):
            loss = self._learn(images, labels)
        current.wait_stream(other)
        return loss
