"""`OnChip`: an untrained network on a chip, with gradients.

The weights are programmed once and read some time later, with drift compensation. Each layer's outputs get the noise of
its tiles. Converters neither round nor clip. Batch norms keep the statistics of the exact network, just as a trained
network keeps its training statistics. On a chip with adaptive batch norm, the statistics are measured again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ohmnas.hardware import Hardware


@dataclass(frozen=True, slots=True)
class OnChip:
    """A chip some time after programming."""

    hardware: Hardware
    seconds: float = 86_400.0
    """Time since programming, in seconds."""
    number: int = 0
    """Number of the chip instance: with a different number, the same network is programmed anew."""

    def program(self, network: nn.Module, images: Tensor) -> nn.Module:
        """Return the network on the chip, in evaluation mode. This reseeds torch's global generator.

        Args:
            network: any network that `analog.convert.to_analog` converts.
            images: ``(b, channels, height, width)``, for batch norm statistics and input ranges.
        """
        import torch
        from torch import nn

        from ohmnas.analog.calibration import calibrate
        from ohmnas.analog.chip import Chip, ProgrammingTargets
        from ohmnas.analog.convert import analog_layers, to_analog, to_digital
        from ohmnas.estimators.zero_cost.parts import freeze_norms

        torch.manual_seed(torch.initial_seed() + self.number)
        with torch.no_grad():
            analog = to_analog(network, self.hardware)
            calibrate(analog, images, batch_norm=True)
            targets = ProgrammingTargets.of(analog)
            chip = Chip(targets, self.hardware)
            weights = chip.weights_at(self.seconds)
            gains = targets.column_scale * chip.compensation(weights)[targets.tile_of_column]
            programmed = to_digital(analog).eval()
            copies = [module for module in programmed.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
            for layer, copied in zip(analog_layers(analog), copies, strict=True):
                mapping = layer.mapping
                size, columns = mapping.outputs * mapping.inputs, mapping.outputs * len(mapping.row_parts)
                own, weights = weights[:size].view(mapping.outputs, -1), weights[size:]
                gain, gains = gains[:columns].view(mapping.outputs, -1), gains[columns:]
                copied.weight.copy_((own * mapping.expand(gain)).view_as(copied.weight))
                std = self.hardware.output_noise * layer.input_range * gain.square().sum(dim=1).sqrt()
                if self.hardware.output_noise:
                    copied.register_forward_hook(_noise(std))
            if self.hardware.batch_norm == "adaptive":
                freeze_norms(programmed, images)
        return programmed


def _noise(std: Tensor) -> Callable[[Any, Any, Tensor], Tensor]:
    """Return a forward hook that adds noise of ``(o,)`` standard deviations to a layer's output."""

    def add(_module: Any, _inputs: Any, output: Tensor) -> Tensor:
        import torch

        scale = std.to(output.dtype).view(-1, *([1] * (output.dim() - 2)))
        return output + scale * torch.randn_like(output)

    return add
