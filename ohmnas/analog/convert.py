"""Torch network + chip -> analog network: the same network with its convolutions and linear layers on tiles."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import nn

from ohmnas.analog.fused import FusedConv2d
from ohmnas.analog.layers import AnalogConv2d, AnalogLayer, AnalogLinear, Mode
from ohmnas.analog.noise import Noise
from ohmnas.spaces.hardware import Hardware
from ohmnas.spaces.network import BranchSum


def to_analog(network: nn.Sequential, chip: Hardware) -> nn.Sequential:
    """A copy of the network whose convolutions and linear layers are analog layers of the chip."""
    analog = copy.deepcopy(network)
    for parent in list(analog.modules()):
        for name, child in parent.named_children():
            if isinstance(child, nn.Conv2d):
                setattr(parent, name, FusedConv2d(child, chip))
            elif isinstance(child, nn.Linear):
                setattr(parent, name, AnalogLinear(child, chip))
    for parent in analog.modules():
        if isinstance(parent, nn.Sequential):
            _absorb_norms(parent)
    return analog


def _absorb_norms(chain: nn.Sequential) -> None:
    """Let each analog convolution do the batch norm and the ReLU or sum that follow; identities take their place."""
    for index in range(len(chain) - 1):
        layer, norm = chain[index], chain[index + 1]
        if isinstance(layer, AnalogConv2d) and isinstance(norm, nn.BatchNorm2d):
            layer.norm, chain[index + 1] = norm, nn.Identity()
            behind = chain[index + 2] if index + 2 < len(chain) else None
            if isinstance(behind, nn.ReLU):
                layer.relu, chain[index + 2] = True, nn.Identity()
            elif isinstance(behind, BranchSum):
                layer.sum, chain[index + 2] = behind, nn.Identity()


def to_digital(network: nn.Sequential) -> nn.Sequential:
    """The inverse of `to_analog`: a copy with torch's own layers and the same parameters and statistics."""
    digital = copy.deepcopy(network)
    for parent in list(digital.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, AnalogConv2d):
                setattr(parent, name, child.to_torch())
                position = int(name)  # convolutions lie in chains of layers, where what follows them was absorbed
                for offset, module in enumerate(child.absorbed(), start=1):
                    setattr(parent, str(position + offset), module)
            elif isinstance(child, AnalogLinear):
                setattr(parent, name, child.to_torch())
    return digital


def analog_layers(network: nn.Module) -> Iterator[AnalogLayer]:
    """The analog layers of a network, in the order in which they were built."""
    return (module for module in network.modules() if isinstance(module, AnalogLayer))


def set_mode(network: nn.Module, mode: Mode) -> None:
    """Let every analog layer compute as its tiles would ("analog") or exactly ("digital")."""
    for layer in analog_layers(network):
        layer.mode = mode


def set_precision(network: nn.Module, precision: torch.dtype) -> None:
    """The number format of the convolutions that take the short way: float32 or bfloat16."""
    for layer in analog_layers(network):
        if isinstance(layer, FusedConv2d):
            layer.precision = precision


def set_noise(network: nn.Module, noise: Noise | None) -> None:
    """Where the layers take their output noise from; None is a chip whose outputs are not noisy."""
    for layer in analog_layers(network):
        layer.noise = noise
