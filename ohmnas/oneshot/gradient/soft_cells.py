"""`SoftCells`: the search network of NAS-Bench-201 cells. All cells share the gates."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from ohmnas.oneshot.gradient.choices import Choices
from ohmnas.oneshot.gradient.network import Gate, SoftNetwork, fixed_gates
from ohmnas.spaces.cells.cell import EDGES, NODES, OPERATIONS
from ohmnas.spaces.cells.genes import CONV1, CONV3, NONE, POOL, SKIP
from ohmnas.spaces.cells.layers import STAGES
from ohmnas.spaces.cells.network import Reduction
from ohmnas.spaces.modules import MeanOverPixels, RunsChains


def _convolution(channels: int, kernel: int) -> nn.Sequential:
    """ReLU, convolution and batch norm.

    The scale and shift of the batch norm are not trained, because they could hide the weight of the operation.
    """
    norm = nn.BatchNorm2d(channels)
    for parameter in norm.parameters():
        parameter.requires_grad_(False)
    return nn.Sequential(nn.ReLU(), nn.Conv2d(channels, channels, kernel, padding=kernel // 2, bias=False), norm)


class SoftCell(RunsChains):
    """One cell; each edge has the modules of all operations with weights."""

    def __init__(self, channels: int) -> None:
        """Build the operations of all edges."""
        super().__init__()
        self.layers = nn.ModuleDict(
            {
                f"{edge}_{code}": _convolution(channels, kernel)
                for edge in range(len(EDGES))
                for code, kernel in ((CONV1, 1), (CONV3, 3))
            }
        )
        self.pool = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)

    def forward(self, x: Tensor, gates: list[Gate], auxiliary: float) -> Tensor:
        """``(batch, c, h, w)`` -> the same shape; zeros if no path reaches the output.

        Args:
            x: input of the cell.
            gates: a gate for each edge.
            auxiliary: weight of an additional skip on every edge.
        """
        nodes: list[Tensor | None] = [x, *([None] * (NODES - 1))]
        for edge, ((source, target), gate) in enumerate(zip(EDGES, gates, strict=True)):
            value = nodes[source]
            if value is None:
                continue
            terms = [gate.weights[code] * self._value(edge, code, value) for code in gate.active if code != NONE]
            if auxiliary > 0.0:
                terms.append(auxiliary * value)
            for term in terms:
                before = nodes[target]
                nodes[target] = term if before is None else before + term
        end = nodes[-1]
        return torch.zeros_like(x) if end is None else end

    def _value(self, edge: int, code: int, x: Tensor) -> Tensor:
        if code == SKIP:
            return x
        result: Tensor = self.pool(x) if code == POOL else self.layers[f"{edge}_{code}"](x)
        return result

    def keep(self, choices: Choices) -> None:
        """Delete the modules of all operations except the chosen ones, ``(6,)``."""
        wanted = {f"{edge}_{code}" for edge, code in enumerate(choices.tolist())}
        for name in [*self.layers]:
            if name not in wanted:
                del self.layers[name]


class SoftCells(SoftNetwork):
    """A smaller version of the published network: stem, three stages, residual blocks between stages, linear layer."""

    def __init__(self, image_channels: int, classes: int, channels: int, cells: int) -> None:
        """Build the network with random weights from torch's global generator (He et al., 2015, fan out)."""
        super().__init__(len(EDGES))
        self.stem = nn.Sequential(
            nn.Conv2d(image_channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        )
        widths = [channels * 2**stage for stage in range(STAGES)]
        self.reductions = nn.ModuleList(Reduction(width // 2, width) for width in widths[1:])
        self.cells = nn.ModuleList(SoftCell(width) for width in widths for _ in range(cells))
        self.head = nn.Sequential(
            nn.BatchNorm2d(widths[-1]), nn.ReLU(), MeanOverPixels(), nn.Linear(widths[-1], classes)
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channels, height, width)`` -> logits ``(batch, classes)``."""
        x = self.stem(x)
        for place, cell in enumerate(self.cells):
            stage, first = divmod(place, len(self.cells) // STAGES)
            if stage and not first:
                x = self.reductions[stage - 1](x)
            x = cell(x, self.gates, self.auxiliary)
        result: Tensor = self.head(x)
        return result

    def only(self, choices: Choices) -> nn.Module:
        """See `SoftNetwork`."""
        gates, self.gates = self.gates, []  # `deepcopy` rejects tensors with gradients
        network = copy.deepcopy(self)
        self.gates = gates
        network.gates, network.auxiliary = fixed_gates(choices, len(OPERATIONS)), 0.0
        for cell in network.cells:
            if isinstance(cell, SoftCell):
                cell.keep(choices)
        return network
