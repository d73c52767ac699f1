"""`SoftResNet`: the search network of ResNet-like networks, with masks for widths (as in FBNetV2 and MicroNets).

All widths share the weights of the widest network: the mask of a width is 1 for its channels and 0 for the others. The
mask of a main block is the expectation over the widths of the stem and the widenings up to it. If every choice has one
option, the outputs equal the outputs of the space's network with the same weights.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from ohmnas.oneshot.gradient.choices import Choices
from ohmnas.oneshot.gradient.network import Gate, SoftNetwork, fixed_gates
from ohmnas.spaces.modules import MeanOverPixels, RunsChains
from ohmnas.spaces.resnet.architecture import STEM_KERNELS

if TYPE_CHECKING:
    from ohmnas.oneshot.gradient.resnet import ResNetRelaxation

_TYPES = ("A", "B")


def _conv_norm(inputs: int, outputs: int, kernel: int, stride: int, rectified: bool) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    norm = nn.BatchNorm2d(outputs)
    return nn.Sequential(convolution, norm, nn.ReLU()) if rectified else nn.Sequential(convolution, norm)


class Widths:
    """Probabilities of the widths of a layer."""

    def __init__(self, widths: list[int], weights: Tensor) -> None:
        """Describe a layer.

        Args:
            widths: numbers of channels; they may repeat.
            weights: ``(n,)``: weight of each width.
        """
        self.widths, self.weights = widths, weights

    def widened(self, factors: tuple[int, ...], weights: Tensor) -> Widths:
        """Widths after a widening by one of these factors."""
        widths = [width * factor for width in self.widths for factor in factors]
        return Widths(widths, torch.outer(self.weights, weights).flatten())

    def mask(self, channels: int, divisor: int = 1) -> Tensor:
        """``(1, channels, 1, 1)``: expected mask of a layer with ``1 / divisor`` of the channels."""
        ends = torch.tensor([max(width // divisor, 1) for width in self.widths])
        inside = (torch.arange(channels) < ends[:, None]).to(self.weights.dtype)
        return (self.weights @ inside).view(1, -1, 1, 1)


class SoftResidualBlock(RunsChains):
    """One residual block at its largest width, with all branches of both types."""

    def __init__(self, inputs: int, outputs: int, stride: int, branches: int, widens: bool) -> None:
        """Build the layers.

        Args:
            inputs: largest number of input channels.
            outputs: largest number of output channels.
            stride: stride of the first spatial convolution.
            branches: largest number of branches.
            widens: True if the shortcut is a convolution for some widening.
        """
        super().__init__()
        inner = max(outputs // 4, 1)
        self.chains = nn.ModuleDict()
        for branch in range(branches):
            self.chains[f"A{branch}0"] = _conv_norm(inputs, outputs, 3, stride, rectified=True)
            self.chains[f"A{branch}1"] = _conv_norm(outputs, outputs, 3, 1, rectified=False)
            self.chains[f"B{branch}0"] = _conv_norm(inputs, inner, 1, 1, rectified=True)
            self.chains[f"B{branch}1"] = _conv_norm(inner, inner, 3, stride, rectified=True)
            self.chains[f"B{branch}2"] = _conv_norm(inner, outputs, 1, 1, rectified=False)
        self.stride, self.outputs, self.inner = stride, outputs, inner
        if stride != 1 or widens:
            self.chains["skip"] = _conv_norm(inputs, outputs, 1, stride, rectified=False)

    def forward(self, x: Tensor, widths: Widths, gates: list[Gate], branches: tuple[int, ...], same: bool) -> Tensor:
        """``(batch, inputs, h, w)`` -> ``(batch, outputs, h', w')``.

        Args:
            x: input, masked.
            widths: widths of the output.
            gates: gates of branches, type, widening and skip.
            branches: options of the first gate.
            same: True if a widening of 1 keeps the shape, so the shortcut is the identity.
        """
        number, kind, widening, skip = gates
        mask = widths.mask(self.outputs)
        terms = []
        for branch in range(max(branches[option] for option in number.active)):
            enough = [option for option, count in enumerate(branches) if count > branch]
            weight = number.weights[enough].sum()
            terms += [
                weight * kind.weights[option] * self._branch(_TYPES[option], branch, x, widths, mask)
                for option in kind.active
            ]
        if 1 in skip.active:
            terms.append(skip.weights[1] * self._shortcut(x, widening, same))
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        return torch.relu(total) * mask

    def _branch(self, kind: str, branch: int, x: Tensor, widths: Widths, mask: Tensor) -> Tensor:
        steps = (0, 1) if kind == "A" else (0, 1, 2)
        hidden = mask if kind == "A" else widths.mask(self.inner, divisor=4)
        for step in steps:
            x = self.chains[f"{kind}{branch}{step}"](x)
            x = x if step == steps[-1] else x * hidden
        return x

    def _shortcut(self, x: Tensor, widening: Gate, same: bool) -> Tensor:
        """The input, a convolution of it, or a mixture of both."""
        if not same or self.stride != 1:
            y: Tensor = self.chains["skip"](x) if "skip" in self.chains else x
            return y
        padded = functional.pad(x, (0, 0, 0, 0, 0, self.outputs - x.shape[1]))
        if "skip" not in self.chains or widening.active == (0,):
            return padded
        others = [option for option in widening.active if option > 0]
        y = widening.weights[others].sum() * self.chains["skip"](x)
        return y + widening.weights[0] * padded if 0 in widening.active else y

    def keep(self, branches: int, kind: str, skips: bool, identity: bool) -> None:
        """Delete all modules except the modules of the chosen options."""
        for name in [*self.chains]:
            wanted = name == "skip" and skips and not identity
            wanted |= name[0] == kind and name != "skip" and int(name[1:-1]) < branches
            if not wanted:
                del self.chains[name]


class SoftResNet(SoftNetwork):
    """Stem, main blocks of residual blocks, mean over pixels, linear layer, all at their largest width."""

    def __init__(self, relaxation: ResNetRelaxation) -> None:
        """Build the network with random weights from torch's global generator (He et al., 2015, fan out)."""
        super().__init__(len(relaxation.sizes))
        self.options, self.blocks, self.depth = relaxation.options, relaxation.blocks, relaxation.depth
        width = max(self.options[0])
        channels, *_ = relaxation.space.input_shape
        self.stem = nn.ModuleDict(
            {str(kernel): _conv_norm(channels, width, kernel, 1, rectified=True) for kernel in STEM_KERNELS}
        )
        self.body = nn.ModuleList()
        for block in range(self.blocks):
            branches, _, widening, _ = self._of_block(block)
            out = width * max(widening)
            for repeat in range(self.depth):
                stride = 2 if block > 0 and repeat == 0 else 1
                self.body.append(SoftResidualBlock(width, out, stride, max(branches), widens=repeat == 0))
                width = out
        self.head = nn.Sequential(MeanOverPixels(), nn.Linear(width, relaxation.space.classes))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def _of_block(self, block: int) -> tuple[tuple[int, ...], ...]:
        """Options of branches, types, widening and skip of a main block."""
        return self.options[2 + 4 * block : 6 + 4 * block]

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channels, height, width)`` -> logits ``(batch, classes)``."""
        stem, kernel = self.gates[:2]
        widths = Widths([*self.options[0]], stem.weights[: len(self.options[0])])
        terms = [kernel.weights[option] * self.stem[str(STEM_KERNELS[option])](x) for option in kernel.active]
        x = torch.stack(terms).sum(dim=0) if len(terms) > 1 else terms[0]
        x = x * widths.mask(x.shape[1])
        for block in range(self.blocks):
            gates = self.gates[2 + 4 * block : 6 + 4 * block]
            branches, _, widening, _ = self._of_block(block)
            widths = widths.widened(widening, gates[2].weights[: len(widening)])
            for repeat in range(self.depth):
                residual = self.body[block * self.depth + repeat]
                if repeat:  # after the first residual block, shapes stay the same
                    gates = [*gates[:2], Gate(torch.ones(1), (0,)), gates[3]]  # the shortcut is the identity
                x = residual(x, widths, gates, branches, block == 0 or repeat > 0)
        result: Tensor = self.head(x)
        return result

    def only(self, choices: Choices) -> nn.Module:
        """See `SoftNetwork`."""
        gates, self.gates = self.gates, []  # `deepcopy` rejects tensors that were computed with gradients
        network = copy.deepcopy(self)
        self.gates = gates
        network.gates = fixed_gates(choices, max(map(len, self.options)))
        wanted = str(STEM_KERNELS[int(choices[1])])
        for name in [*network.stem]:
            if name != wanted:
                del network.stem[name]
        for place, residual in enumerate(network.body):
            block, repeat = divmod(place, self.depth)
            branches, kind, widening, skip = choices[2 + 4 * block : 6 + 4 * block].tolist()
            identity = repeat > 0 or (block == 0 and widening == 0)
            if isinstance(residual, SoftResidualBlock):
                residual.keep(self._of_block(block)[0][branches], _TYPES[kind], skip == 1, identity)
        return network
