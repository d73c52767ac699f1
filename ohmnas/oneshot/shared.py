"""`SharedWeights`: weights that many networks share, and their optimizer.

Each network uses a part of the weights. It gets a copy of its part, and its gradients update the shared weights.
Networks are therefore ordinary analog networks, and a step on a path is a step of ordinary training. A tensor is
created when a network first uses it, with random numbers that depend only on the seed and the tensor's name.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from ohmnas.analog.layers import RANGE_MULTIPLE
from ohmnas.analog.recipe import Recipe
from ohmnas.errors import BrokenFileError, InvalidValueError
from ohmnas.oneshot.places import Place, Sizes

_CHANNELS: Final = 32
"""Largest number of channels that the standard deviation of initial weights takes into account (He et al., 2015, fan
out), because most networks use only the first channels of a shared layer."""


class Pieces:
    """Views of a network's parameters: one view for each shared tensor that is copied into them."""

    def __init__(self, network: nn.Module, places: Iterable[Place]) -> None:
        """Match the parameters of an analog network with the shared tensors.

        Args:
            network: the network, converted for a chip.
            places: places of all its layers.

        Raises:
            InvalidValueError: a layer has no place.
        """
        self.names: list[str] = []
        """Name of the shared tensor of each piece."""
        self.full: list[Sizes] = []
        """Shape of the shared tensor of each piece."""
        self._parameters: list[tuple[Tensor, Place, bool]] = []
        parameters = dict(network.named_parameters())
        for place in places:
            for name in ("weight", "bias", "norm.weight", "norm.bias", "log_range"):
                parameter = parameters.pop(f"{place.path}.{name}", None)
                if parameter is None:
                    continue
                whole = name == "weight"
                self._parameters.append((parameter, place, whole))
                if not parameter.dim():
                    self.names.append(f"{place.layer}.{name}")
                    self.full.append(())
                    continue
                for branch, full in enumerate(place.full):
                    self.names.append(f"{place.layer}.{branch}.{name}")
                    self.full.append(full if whole else full[:1])
        if parameters:
            raise InvalidValueError(f"there are no shared weights for {', '.join(parameters)}")

    def values(self) -> list[Tensor]:
        """Views of the parameters, which share their memory."""
        return self._split([parameter.data for parameter, _, _ in self._parameters])

    def gradients(self) -> dict[str, Tensor]:
        """Name -> gradient, for all parameters that have one."""
        empty = torch.empty(0)
        grads = self._split([empty if p.grad is None else p.grad for p, _, _ in self._parameters])
        return {name: grad for name, grad in zip(self.names, grads, strict=True) if grad.numel()}

    def _split(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        found: list[Tensor] = []
        for tensor, (parameter, place, whole) in zip(tensors, self._parameters, strict=True):
            if not parameter.dim():
                found.append(tensor)
            elif not tensor.numel():
                found += [tensor] * place.branches
            else:
                found += tensor.view(place.branches, *(place.sizes if whole else place.sizes[:1])).unbind(0)
        return found


class SharedWeights:
    """Named tensors; each network uses a part of them."""

    def __init__(self, seed: int, tensors: dict[str, Tensor] | None = None) -> None:
        """Start without tensors, or with the tensors of an earlier training run."""
        self.seed = seed
        self.tensors: dict[str, Tensor] = tensors or {}
        """Name -> shared tensor."""
        self.momenta: dict[str, Tensor] = {}
        """Name -> momentum of the optimizer, with the shape of the tensor."""

    def load_into(self, pieces: Pieces, grow: bool = False) -> None:
        """Copy the shared weights into the parameters of a network.

        Args:
            pieces: pieces of the network.
            grow: True, for training, to store tensors when they are first used.

        Raises:
            BrokenFileError: a tensor from a file has another shape.
        """
        values = pieces.values()
        named = zip(pieces.names, pieces.full, values, strict=True)
        torch._foreach_copy_(values, [crop(self._tensor(name, full, grow), one.shape) for name, full, one in named])

    def _tensor(self, name: str, full: Sizes, grow: bool) -> Tensor:
        found = self.tensors.get(name)
        if found is None:
            found = _initial(name, full, self.seed)
            if grow:
                self.tensors[name] = found
        if found.shape != full:
            raise BrokenFileError(f"the shared tensor {name} has the shape {tuple(found.shape)}, not {full}")
        return found

    @torch.no_grad()
    def update(self, gradients: dict[str, Tensor], recipe: Recipe, rate: float, clip_sigma: float) -> None:
        """Take a step of SGD with Nesterov momentum on the used parts; all other weights and momenta stay unchanged.

        Args:
            gradients: name -> gradient of the first channels; changed by the call.
            recipe: momentum, weight decay, largest norm of the gradient.
            rate: learning rate.
            clip_sigma: weights are clipped at this many standard deviations of their layer; 0: no clipping.
        """
        grads = [*gradients.values()]
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(grads)))
        torch._foreach_mul_(grads, (recipe.gradient_norm / (norm + 1e-6)).clamp_(max=1.0))
        weights = [crop(self.tensors[name], grad.shape) for name, grad in gradients.items()]
        momenta = [crop(self._momentum(name), grad.shape) for name, grad in gradients.items()]
        matrices = [place for place, grad in enumerate(grads) if grad.dim() > 1]
        torch._foreach_add_([grads[m] for m in matrices], [weights[m] for m in matrices], alpha=recipe.weight_decay)
        torch._foreach_mul_(momenta, recipe.momentum)
        torch._foreach_add_(momenta, grads)
        torch._foreach_add_(grads, momenta, alpha=recipe.momentum)
        ranges = [grad for grad in grads if not grad.dim()]
        if recipe.range_rate != 1.0:
            torch._foreach_mul_(ranges, recipe.range_rate)
        torch._foreach_add_(weights, grads, alpha=-rate)
        if clip_sigma:
            for place in matrices:
                limit = weights[place].std() * clip_sigma
                weights[place].clamp_(-limit, limit)

    def _momentum(self, name: str) -> Tensor:
        if name not in self.momenta:
            self.momenta[name] = torch.zeros_like(self.tensors[name])
        return self.momenta[name]


def add_gradients(total: dict[str, Tensor], more: dict[str, Tensor]) -> None:
    """Add the gradients of a network to a sum over other networks, whose parts may be smaller or larger."""
    for name, grad in more.items():
        sum_ = total.get(name)
        if sum_ is None:
            total[name] = grad
            continue
        shape = tuple(map(max, sum_.shape, grad.shape))
        if sum_.shape != shape:
            wide = grad.new_zeros(shape)
            crop(wide, sum_.shape).copy_(sum_)
            total[name] = sum_ = wide
        crop(sum_, grad.shape).add_(grad)


def crop(tensor: Tensor, sizes: Sequence[int]) -> Tensor:
    """View of the first channels and of the centre of the kernels."""
    for axis, size in enumerate(sizes):
        whole = tensor.shape[axis]
        if size != whole:
            tensor = tensor.narrow(axis, (whole - size) // 2 if axis > 1 else 0, size)
    return tensor


def _initial(name: str, full: Sizes, seed: int) -> Tensor:
    """Initial values of a shared tensor."""
    if not full:
        return torch.tensor(math.log(RANGE_MULTIPLE))
    if name.endswith(".bias"):
        return torch.zeros(full)
    if len(full) == 1:
        return torch.ones(full)
    (number,) = np.random.SeedSequence([seed, zlib.crc32(name.encode())]).generate_state(1)
    generator = torch.Generator().manual_seed(int(number))
    fan = 3 * min(full[1], _CHANNELS) if len(full) == 2 else min(full[0], _CHANNELS) * full[2] * full[3] / 2
    return torch.randn(full, generator=generator) / math.sqrt(fan)
