"""Engines that simulate a chip, with one interface: ohmnas's own layers, or aihwkit's layers.

`native` is fast. `aihwkit` is the reference for validating `native` and the results of searches. Both accept the same
network, chip, recipe and seed, but each draws its own noise.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import torch
from aihwkit.nn import AnalogConv2d, AnalogLinear
from aihwkit.nn.conversion import convert_to_analog, convert_to_digital
from aihwkit.nn.modules.base import AnalogLayerBase
from torch import Tensor, nn

from ohmnas.analog.convert import analog_layers, check_chip, convertible, to_analog, to_digital
from ohmnas.analog.drift import Readings, accuracy, digital_accuracy, read_over_time, readings
from ohmnas.analog.images import Images
from ohmnas.analog.layers import RANGE_MOMENTUM, RANGE_MULTIPLE, AnalogLayer, padding_of
from ohmnas.analog.noise import whole_seed
from ohmnas.analog.norms import average_statistics
from ohmnas.analog.recipe import Recipe
from ohmnas.analog.rpu import differences, rpu_config
from ohmnas.analog.snapshot import Snapshot
from ohmnas.analog.train import AfterEpoch, Stops, Training, fit, train
from ohmnas.errors import InvalidValueError
from ohmnas.hardware import Hardware

_Network = TypeVar("_Network", bound=nn.Module)


class Engine(Protocol):
    """Training, programming, drift and evaluation of a network on a chip."""

    def to_analog(self, network: nn.Module, chip: Hardware) -> nn.Module:
        """A copy of a torch network with the engine's analog layers."""
        ...

    def train(
        self,
        network: nn.Module,
        images: Images,
        labels: Tensor,
        recipe: Recipe,
        seed: int,
        after_epoch: AfterEpoch | None = None,
        snapshot: Snapshot | None = None,
        stops: Stops | None = None,
    ) -> Training:
        """Train the result of `to_analog` in place, as `train.train` does. Only the native engine uses the snapshot.

        Raises:
            DivergedError: the loss is not finite.
        """
        ...

    def to_native(self, network: nn.Module, digital: nn.Module, chip: Hardware) -> nn.Module:
        """The trained network with native layers; weights, batch norm statistics and input ranges are kept.

        Args:
            network: a result of `to_analog` for the chip, trained.
            digital: the same network with torch's own layers and any weights, which may be overwritten.
            chip: chip that the network is trained for.
        """
        ...

    def digital_accuracy(self, network: nn.Module, images: Images, labels: Tensor, calibration: Images) -> float:
        """Accuracy of the trained weights in exact arithmetic; calibration images give exact batch norm statistics."""
        ...

    def read_over_time(
        self,
        network: nn.Module,
        chip: Hardware,
        images: Images,
        labels: Tensor,
        chips: int,
        seed: int,
        calibration: Images,
    ) -> Readings:
        """Program chips, and read each chip at all `drift.TIMES`. The network does not change."""
        ...


class Native:
    """Engine with ohmnas's own layers."""

    def to_analog(self, network: nn.Module, chip: Hardware) -> nn.Module:
        """See `Engine`."""
        return to_analog(network, chip)

    def train(
        self,
        network: nn.Module,
        images: Images,
        labels: Tensor,
        recipe: Recipe,
        seed: int,
        after_epoch: AfterEpoch | None = None,
        snapshot: Snapshot | None = None,
        stops: Stops | None = None,
    ) -> Training:
        """See `Engine`."""
        return train(network, images, labels, recipe, seed, after_epoch, snapshot, stops)

    def to_native(self, network: nn.Module, digital: nn.Module, chip: Hardware) -> nn.Module:
        """See `Engine`. Returns the network itself."""
        del digital, chip
        return network

    def digital_accuracy(self, network: nn.Module, images: Images, labels: Tensor, calibration: Images) -> float:
        """See `Engine`."""
        return digital_accuracy(network, images, labels, calibration)

    def read_over_time(
        self,
        network: nn.Module,
        chip: Hardware,
        images: Images,
        labels: Tensor,
        chips: int,
        seed: int,
        calibration: Images,
    ) -> Readings:
        """See `Engine`."""
        return read_over_time(network, chip, images, labels, chips, seed, calibration)


class Aihwkit:
    """Engine with aihwkit's layers on its pure torch tiles, whose weights any torch optimizer can train."""

    def to_analog(self, network: nn.Module, chip: Hardware) -> nn.Module:
        """See `Engine`. Aihwkit rejects grouped convolutions, so they become one convolution per group.

        Raises:
            InvalidValueError: as in `convert.to_analog`, or aihwkit does not support the padding of a convolution.
        """
        return _converted(network, chip, convertible(network))

    def from_native(self, network: _Network, chip: Hardware) -> _Network:
        """A trained native network with aihwkit's layers; weights, batch norm statistics and input ranges are kept.

        Raises:
            InvalidValueError: the network was converted for another chip, or aihwkit does not support the padding of a
                convolution.
        """
        check_chip(network, chip)
        paths = [path for path, module in network.named_modules() if isinstance(module, AnalogLayer)]
        analog = _converted(to_digital(network), chip, paths)
        tiles = iter(_layers(analog))
        for layer in analog_layers(network):
            for _ in range(layer.groups):
                _set_input_range(next(tiles), layer.input_range)
        return analog

    def train(
        self,
        network: nn.Module,
        images: Images,
        labels: Tensor,
        recipe: Recipe,
        seed: int,
        after_epoch: AfterEpoch | None = None,
        snapshot: Snapshot | None = None,
        stops: Stops | None = None,
    ) -> Training:
        """See `Engine`. Each input range is a fixed multiple of the input's running root mean square."""
        del snapshot  # not supported: aihwkit stores the state of its tiles as pickles
        layers = _layers(network)
        handles = [layer.register_forward_pre_hook(_Calibrate()) for layer in layers]
        try:
            return fit(network, images, labels, recipe, whole_seed(seed), _TileHooks(layers), after_epoch, stops=stops)
        finally:
            for handle in handles:
                handle.remove()

    @torch.no_grad()
    def to_native(self, network: nn.Module, digital: nn.Module, chip: Hardware) -> nn.Module:
        """See `Engine`."""
        paths = convertible(digital)
        known = network.state_dict()
        for name, value in digital.state_dict().items():
            if name.rpartition(".")[0] not in paths:
                value.copy_(known[name])
        ranges = {}
        for path in paths:
            layer, plain = network.get_submodule(path), digital.get_submodule(path)
            parts: list[Any] = [*layer.parts] if isinstance(layer, _Groups) else [layer]
            weights, biases = zip(*(part.get_weights() for part in parts), strict=True)
            own = dict(plain.named_parameters())
            own["weight"].copy_(torch.cat(weights).view_as(own["weight"]))
            if "bias" in own:
                own["bias"].copy_(torch.cat(biases))
            each = [next(part.analog_tiles()).input_range.detach() for part in parts]
            ranges[path] = torch.stack(each).amax(dim=0)  # the layer has one range for all groups
        native = to_analog(digital, chip)
        for one in analog_layers(native):
            one.set_range(ranges[one.path])
        return native

    def digital_accuracy(self, network: nn.Module, images: Images, labels: Tensor, calibration: Images) -> float:
        """See `Engine`."""
        digital = convert_to_digital(copy.deepcopy(network))
        average_statistics(digital, calibration)
        return accuracy(digital, images, labels)

    @torch.no_grad()
    def read_over_time(
        self,
        network: nn.Module,
        chip: Hardware,
        images: Images,
        labels: Tensor,
        chips: int,
        seed: int,
        calibration: Images,
    ) -> Readings:
        """See `Engine`.

        Raises:
            InvalidValueError: the network was converted for another chip, or the number of chips is not at least 1.
        """
        network = copy.deepcopy(network).eval()
        layers = _layers(network)
        _let_read(layers, chip)

        def program() -> Callable[[float], None]:
            for layer in layers:
                layer.program_analog_weights()  # from the target weights, which the tile stores
            return drift

        def drift(seconds: float) -> None:
            for layer in layers:
                layer.drift_analog_weights(seconds)

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(whole_seed(seed))
            return readings(network, program, chip, images, labels, chips, calibration)


ENGINES: dict[str, Engine] = {"native": Native(), "aihwkit": Aihwkit()}
"""Name -> engine; `datasets.campaign.options.ENGINE_NAMES` lists the names without importing torch."""


class _TileHooks:
    """Noise strength and weight clipping of aihwkit's tiles."""

    def __init__(self, layers: list[AnalogLayerBase]) -> None:
        self._tiles = [tile for layer in layers for tile in layer.analog_tiles()]
        self._modifiers = [tile.rpu_config.modifier for tile in self._tiles]
        self._full = [modifier.std_dev for modifier in self._modifiers]

    def before_step(self, strength: float | Tensor) -> None:
        for modifier, full in zip(self._modifiers, self._full, strict=True):
            modifier.std_dev = full * strength

    def after_step(self) -> None:
        for tile in self._tiles:
            tile.post_update_step()


class _Calibrate:
    """Forward pre-hook: sets a layer's input range to `RANGE_MULTIPLE` times the running root mean square of its input.

    Unlike in `AnalogLayer.calibrate`, the multiple is not trained, and layers that read images are not special.
    """

    def __init__(self) -> None:
        self._range: Tensor | None = None

    def __call__(self, layer: AnalogLayerBase, inputs: tuple[Tensor]) -> None:
        if not layer.training:
            return
        now = RANGE_MULTIPLE * inputs[0].detach().square().mean().sqrt() + 1e-6
        self._range = now if self._range is None else torch.lerp(self._range, now, RANGE_MOMENTUM)
        _set_input_range(layer, self._range)


def _layers(network: nn.Module) -> list[AnalogLayerBase]:
    return [module for module in network.modules() if isinstance(module, AnalogConv2d | AnalogLinear)]


def _set_input_range(layer: AnalogLayerBase, value: Tensor) -> None:
    for tile in layer.analog_tiles():
        tile.input_range.data.fill_(float(value))


def _let_read(layers: list[AnalogLayerBase], chip: Hardware) -> None:
    """Set a chip's noise model and drift compensation in all tiles; aihwkit stores both in each tile.

    Raises:
        InvalidValueError: the tiles or converters of the layers differ from those of the chip.
    """
    wanted = rpu_config(chip, torch_tile=True)
    for tile in (tile for layer in layers for tile in layer.analog_tiles()):
        config = tile.rpu_config
        config.noise_model, config.drift_compensation = wanted.noise_model, wanted.drift_compensation
        if found := differences(config, wanted):
            raise InvalidValueError(
                f"the network was converted for a chip other than {chip.name!r}: "
                f"{'; '.join(found)}; convert and train it for this chip"
            )


class _Groups(nn.Module):
    """A grouped convolution, computed as one convolution per group."""

    def __init__(self, layer: nn.Conv2d) -> None:
        super().__init__()
        self.groups = layer.groups
        self.parts = nn.ModuleList()
        for group, weight in enumerate(layer.weight.chunk(layer.groups)):
            bias = None if layer.bias is None else layer.bias.chunk(layer.groups)[group]
            self.parts.append(_plain_convolution(layer, weight, bias))

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, c, h, w)`` -> ``(batch, o, h', w')``."""
        return torch.cat([part(one) for part, one in zip(self.parts, x.chunk(self.groups, dim=1), strict=True)], dim=1)


def _plain_convolution(layer: nn.Conv2d, weight: Tensor, bias: Tensor | None) -> nn.Conv2d:
    """A convolution without groups and with numeric padding, as aihwkit requires."""
    outputs, inputs, *kernel = weight.shape
    geometry: dict[str, Any] = {"stride": layer.stride, "padding": padding_of(layer)[0], "dilation": layer.dilation}
    plain = nn.Conv2d(inputs, outputs, (kernel[0], kernel[1]), bias=bias is not None, **geometry)
    plain.weight = nn.Parameter(weight.detach().clone())
    if bias is not None:
        plain.bias = nn.Parameter(bias.detach().clone())
    return plain


def _converted(network: _Network, chip: Hardware, paths: list[str]) -> _Network:
    """A copy with aihwkit's layers at these paths."""
    result = copy.deepcopy(network)
    for path in paths:
        layer = result.get_submodule(path)
        if not isinstance(layer, nn.Conv2d):
            continue
        if any(padding_of(layer)[1]):
            raise InvalidValueError(
                f"{path} (Conv2d) has the padding {layer.padding!r} and the padding mode {layer.padding_mode!r}, but "
                "aihwkit's layers pad both sides with the same number of zeros"
            )
        parent, _, name = path.rpartition(".")
        plain = _Groups(layer) if layer.groups > 1 else _plain_convolution(layer, layer.weight, layer.bias)
        setattr(result.get_submodule(parent), name, plain)
    kinds = nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.Linear
    wanted = tuple(f"{path}." for path in paths)
    kept = [n for n, m in result.named_modules() if isinstance(m, kinds) and not f"{n}.".startswith(wanted)]
    analog: _Network = convert_to_analog(result, rpu_config(chip, torch_tile=True), exclude_modules=kept)
    return analog
