"""`SoftNetwork`: a network with a gate for each choice. A gate weights several options or selects one."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ohmnas.oneshot.gradient.choices import Choices
from ohmnas.spaces.modules import RunsChains


@dataclass(frozen=True)
class Gate:
    """State of one choice in a forward pass."""

    weights: Tensor
    """``(m,)``: weights of the options; they may carry gradients."""
    active: tuple[int, ...]
    """Options that are computed; the others contribute nothing."""


class SoftNetwork(RunsChains):
    """A network with a gate for each choice, set before each forward pass."""

    def __init__(self, choices: int) -> None:
        """Create a network with this number of choices."""
        super().__init__()
        self.choices = choices
        self.gates: list[Gate] = []
        self.auxiliary = 0.0
        """Weight of the skip that the remedy `auxiliary` adds to every choice."""

    def only(self, choices: Choices) -> nn.Module:
        """Return an ordinary network with only the chosen options, ``(c,)``.

        Its weights are copies of the weights of this network.
        """
        raise NotImplementedError


def fixed_gates(choices: Choices, options: int) -> list[Gate]:
    """Gates that compute one option of each choice, ``(c,)``, with weight 1.

    Args:
        choices: option of each choice.
        options: number of options of the largest choice.
    """
    return [Gate(torch.eye(options)[int(choice)], (int(choice),)) for choice in choices]
