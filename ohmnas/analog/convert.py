"""Convert a torch network to an analog network: its convolutions and linear layers run on the tiles of a chip."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator
from dataclasses import fields
from typing import Any, Final, TypeVar, cast

import torch
from torch import nn

from ohmnas.analog.fused import FusedConv2d
from ohmnas.analog.layers import AnalogConv2d, AnalogLayer, AnalogLinear, Mode
from ohmnas.analog.noise import Noise
from ohmnas.errors import InvalidValueError
from ohmnas.hardware import Hardware
from ohmnas.hardware.settings import AFTER_TRAINING
from ohmnas.spaces.modules import BranchSum, RunsChains

_Network = TypeVar("_Network", bound=nn.Module)

_ANALOG: Final[dict[type[nn.Module], Callable[[Any, Hardware], AnalogLayer]]] = {
    nn.Conv2d: FusedConv2d,
    nn.Linear: AnalogLinear,
}
DIGITAL: Final = (
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.BatchNorm3d,
    nn.SyncBatchNorm,
    nn.InstanceNorm1d,
    nn.InstanceNorm2d,
    nn.InstanceNorm3d,
    nn.GroupNorm,
    nn.LayerNorm,
    nn.RMSNorm,
    nn.PReLU,
)
"""Types of modules that stay digital, because their parameters are not matrices."""


def to_analog(network: _Network, chip: Hardware, keep_digital: Collection[str] = ()) -> _Network:
    """A copy of the network whose convolutions and linear layers are analog layers of the chip.

    Args:
        network: any module made of `Conv2d`, `Linear`, norms and modules without parameters. Plain chains of
            convolution, batch norm and ReLU are computed in one step.
        chip: chip with the tiles and converters of the layers.
        keep_digital: paths of modules and parameters that stay digital. The path of a module includes all inside it.

    Returns:
        A network of the same type; a bare layer becomes an analog layer.

    Raises:
        InvalidValueError: a module has parameters but cannot be converted, a layer is shared, a path does not exist,
            or no layer is left to convert.
    """
    convertible(network, keep_digital)  # before the copy: a network that cannot be converted may not be copyable
    return convert(copy.deepcopy(network), chip, keep_digital)


def convert(network: _Network, chip: Hardware, keep_digital: Collection[str] = ()) -> _Network:
    """Convert a network in place, without a copy, and return it. A bare layer is not changed, but replaced.

    Raises:
        InvalidValueError: as for `to_analog`.
    """
    analog: nn.Module = network
    for path in convertible(network, keep_digital):
        layer = analog.get_submodule(path)
        converted = _ANALOG[type(layer)](layer, chip)
        converted.path = path
        converted.train(layer.training)
        if not path:
            return cast(_Network, converted)
        parent, _, name = path.rpartition(".")
        setattr(analog.get_submodule(parent), name, converted)
    for chain in _chains(analog):
        _absorb_norms(chain)
    return cast(_Network, analog)


def convertible(network: nn.Module, keep_digital: Collection[str] = ()) -> list[str]:
    """Paths of the layers that `to_analog` converts.

    Raises:
        InvalidValueError: as for `to_analog`.
    """
    modules = dict(network.named_modules(remove_duplicate=False))
    parameters = dict(network.named_parameters(remove_duplicate=False))
    unknown = [path for path in keep_digital if not path or (path not in modules and path not in parameters)]
    if unknown:
        raise InvalidValueError(f"the network has no {', '.join(map(repr, unknown))} to keep digital")

    places: dict[int, list[str]] = {}
    for path, parameter in parameters.items():
        places.setdefault(id(parameter), []).append(path)

    paths, refused = [], list[str]()
    skipped = [*keep_digital]
    for path, module in modules.items():
        if _lies_in(path, skipped):
            continue
        own = {name for name, _ in module.named_parameters(recurse=False, remove_duplicate=False)}
        own = {name for name in own if _joined(path, name) not in keep_digital}
        if not own or type(module) in DIGITAL:
            continue
        fault = _fault(module, own)
        if fault is None:
            fault = _sharing(path, module, places)
        if fault is not None:
            refused.append(f"{path or 'the network'} ({type(module).__name__}{fault})")
            skipped.append(path)
        else:
            paths.append(path)
    if refused:
        names = "; ".join(refused)
        raise InvalidValueError(f"no analog layers for {names}: replace them, or list their paths in keep_digital")
    if not paths:
        raise InvalidValueError("the network has no convolution or linear layer to convert")
    return paths


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _lies_in(path: str, containers: list[str]) -> bool:
    return any(path == one or path.startswith(f"{one}.") for one in containers)


def _fault(module: nn.Module, own: set[str]) -> str | None:
    """Reason why a module cannot be converted: None if it can, an empty string if its type is the reason."""
    if type(module) not in _ANALOG:
        standard = type(module).__module__.startswith("torch.")
        return "" if standard else f" with parameters {', '.join(sorted(own))}"
    if not {"weight"} <= own <= {"weight", "bias"}:
        return f" with parameters {', '.join(sorted(own))}"
    return " with hooks or its own forward" if not _is_plain(module) else None


def _is_plain(module: nn.Module) -> bool:
    """True if a call of the module only runs the `forward` of its class."""
    hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)
    return not any(hooks) and "forward" not in vars(module)


def _sharing(path: str, module: nn.Module, places: dict[int, list[str]]) -> str | None:
    """Other layers that use the same weight, as text; None if no other layer uses it."""
    own = _joined(path, "weight")
    others = [place.removesuffix(".weight") for place in places[id(module.weight)] if place != own]
    return f", shared with {', '.join(others)}" if others else None


def _chains(module: nn.Module, inside: bool = False) -> Iterator[nn.Sequential]:
    """The `nn.Sequential` chains that always run as a whole. Only their layers can be fused.

    In all other chains, a module may call single layers.

    Args:
        module: a network or a part of one.
        inside: whether it is a part of a module that runs its chains as a whole.
    """
    if type(module).forward is nn.Sequential.forward and isinstance(module, nn.Sequential):
        yield module
    elif isinstance(module, RunsChains):
        inside = True
    elif not (inside and isinstance(module, nn.ModuleDict | nn.ModuleList)):
        return
    for child in module.children():
        yield from _chains(child, inside)


def _absorb_norms(chain: nn.Sequential) -> None:
    """Fuse each analog convolution with its batch norm and the ReLU or sum after it, which become identities."""
    names = _children(chain)
    for index in range(len(chain) - 1):
        layer, norm = chain[index], chain[index + 1]
        if isinstance(layer, AnalogConv2d) and type(norm) is nn.BatchNorm2d and _is_plain(norm):
            layer.norm = norm
            setattr(chain, names[index + 1], nn.Identity())
            after = chain[index + 2] if index + 2 < len(chain) else None
            if type(after) is nn.ReLU and _is_plain(after):
                layer.relu = True
            elif type(after) is BranchSum:
                layer.sum = after
            else:
                continue
            setattr(chain, names[index + 2], nn.Identity())


def _children(module: nn.Module) -> list[str]:
    """Names of a module's children, including repeated ones."""
    return [name for name, child in module._modules.items() if child is not None]


def to_digital(network: _Network) -> _Network:
    """The inverse of `to_analog`: a copy with torch's own layers and the same parameters and statistics."""
    digital: nn.Module = copy.deepcopy(network)
    if isinstance(digital, AnalogLayer):
        return cast(_Network, digital.to_torch())
    for parent in list(digital.modules()):
        if isinstance(parent, AnalogLayer):
            continue
        names = _children(parent)
        for position, name in enumerate(names):
            child = getattr(parent, name)
            if isinstance(child, AnalogLayer):
                setattr(parent, name, child.to_torch())
                for offset, module in enumerate(child.absorbed(), start=1):
                    setattr(parent, names[position + offset], module)
    return cast(_Network, digital)


def check_chip(network: nn.Module, chip: Hardware) -> None:
    """Check that a network was converted for a chip; `AFTER_TRAINING` settings may differ.

    Raises:
        InvalidValueError: the network was converted for another chip.
    """
    for layer in analog_layers(network):
        found = [
            f"{name} is {getattr(layer.chip, name)} in the network and {getattr(chip, name)} on the chip"
            for name in (field.name for field in fields(Hardware))
            if name not in AFTER_TRAINING and getattr(layer.chip, name) != getattr(chip, name)
        ]
        if found:
            raise InvalidValueError(
                f"the network was converted for a chip other than {chip.name!r}: {'; '.join(found)}; "
                "convert and train it for this chip"
            )


def analog_layers(network: nn.Module) -> Iterator[AnalogLayer]:
    """The analog layers of a network, in the order of `torch.nn.Module.modules`."""
    return (module for module in network.modules() if isinstance(module, AnalogLayer))


def set_mode(network: nn.Module, mode: Mode) -> None:
    """Make every analog layer compute as its tiles do ("analog") or exactly ("digital")."""
    for layer in analog_layers(network):
        layer.mode = mode


def set_precision(network: nn.Module, precision: torch.dtype) -> None:
    """Set the number format of fused convolutions (`FusedConv2d`): float32 or bfloat16."""
    for layer in analog_layers(network):
        if isinstance(layer, FusedConv2d):
            layer.precision = precision


def set_noise(network: nn.Module, noise: Noise | None) -> None:
    """Set the layers' source of noise. None: no output noise, and training noise from torch's global generator."""
    for layer in analog_layers(network):
        layer.noise = noise
