"""Convert the trained state of an analog network to named tensors, and back.

Names: ``network.<path>`` are the parameters and batch norm statistics of the network with torch's own layers,
``range.<layer>.<value>`` are the input ranges of its analog layers, and ``digital.<path>`` are the batch norm
statistics in exact arithmetic. The names do not depend on the engine or the fusion of layers.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

from ohmnas.analog.convert import convertible, set_mode, set_precision, to_analog, to_digital
from ohmnas.analog.images import Images
from ohmnas.analog.layers import AnalogLayer
from ohmnas.analog.norms import average_statistics, saved_statistics
from ohmnas.errors import BrokenFileError
from ohmnas.hardware import Hardware

_RANGES: Final = ("log_range", "input_rms", "input_range")
_COUNTED: Final = "num_batches_tracked"
"""Suffix of batch norm's counters, which evaluation does not use."""
_FORMATS: Final = {"float32": torch.float32, "tf32": torch.float32, "bfloat16": torch.bfloat16}


def state_of(network: nn.Module, calibration: Images | None = None) -> dict[str, Tensor]:
    """Return the trained state of a network: name -> tensor, on the CPU.

    Args:
        network: a trained analog network with native layers.
        calibration: training images for the ``digital.`` statistics; None stores the trained statistics again.
    """
    found = {f"network.{name}": tensor for name, tensor in _tensors(to_digital(network)).items()}
    for path, layer in _analog(network).items():
        found |= {f"range.{path}.{name}": getattr(layer, name) for name in _RANGES}
    with saved_statistics(network):
        if calibration is not None:
            set_mode(network, "digital")
            try:
                average_statistics(network, calibration)
            finally:
                set_mode(network, "analog")
        exact = _tensors(to_digital(network))
    found |= {f"digital.{name}": exact[name] for name in _statistics(exact)}
    return {name: tensor.detach().cpu().contiguous().clone() for name, tensor in found.items()}


def names_and_shapes(digital: nn.Module) -> dict[str, tuple[int, ...]]:
    """Name -> shape of all tensors in a network's state; `digital` has torch's own layers and may be untrained."""
    tensors = _tensors(digital)
    found = {f"network.{name}": tuple(tensor.shape) for name, tensor in tensors.items()}
    found |= {f"digital.{name}": tuple(tensors[name].shape) for name in _statistics(tensors)}
    return found | {f"range.{path}.{name}": () for path in convertible(digital) for name in _RANGES}


def check_state(digital: nn.Module, state: dict[str, Tensor]) -> None:
    """Check the names, shapes, types and values of the tensors of a state.

    Raises:
        BrokenFileError: the tensors do not match the network, a number is not finite, or an input range is not above 0.
            The message names the first wrong tensor.
    """
    wanted = names_and_shapes(digital)
    if missing := sorted(wanted.keys() - state.keys()):
        raise BrokenFileError(f"it lacks the tensor {missing[0]}")
    if further := sorted(state.keys() - wanted.keys()):
        raise BrokenFileError(f"its tensor {further[0]!r} does not belong to the network")
    for name, shape in wanted.items():
        tensor = state[name]
        if tuple(tensor.shape) != shape or tensor.dtype != torch.float32:
            kind = str(tensor.dtype).removeprefix("torch.")
            raise BrokenFileError(f"its tensor {name} is {kind} {tuple(tensor.shape)}, not float32 {shape}")
        if not bool(torch.isfinite(tensor).all()):
            raise BrokenFileError(f"its tensor {name} has a number that is not finite")
    if wrong := [name for name in wanted if name.endswith((".input_range", ".input_rms")) and float(state[name]) <= 0]:
        raise BrokenFileError(f"its tensor {wrong[0]} is {float(state[wrong[0]]):g}, but must be above 0")


def restored(
    digital: nn.Module, chip: Hardware, state: dict[str, Tensor], precision: str = "float32", exact: bool = False
) -> nn.Module:
    """The trained analog network, in evaluation mode.

    Args:
        digital: the network with torch's own layers; its parameters and statistics are overwritten.
        chip: chip that the network was trained for.
        state: result of `state_of`; `check_state` must accept it.
        precision: number format used in training (`schema.PRECISIONS`).
        exact: compute in exact arithmetic (``digital`` mode), with the ``digital.`` statistics.
    """
    tensors = _part(state, "network.") | (_part(state, "digital.") if exact else {})
    digital.load_state_dict(tensors, strict=False)
    network = to_analog(digital, chip)
    with torch.no_grad():
        for path, layer in _analog(network).items():
            for name in _RANGES:
                getattr(layer, name).copy_(state[f"range.{path}.{name}"])
            layer.mark_calibrated()
    set_precision(network, _FORMATS[precision])
    set_mode(network, "digital" if exact else "analog")
    return network.eval()


def _part(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}


def _tensors(digital: nn.Module) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in digital.state_dict().items() if not name.endswith(_COUNTED)}


def _statistics(names: dict[str, Tensor]) -> list[str]:
    return [name for name in names if name.endswith((".running_mean", ".running_var"))]


def _analog(network: nn.Module) -> dict[str, AnalogLayer]:
    return {layer.path: layer for layer in network.modules() if isinstance(layer, AnalogLayer)}
