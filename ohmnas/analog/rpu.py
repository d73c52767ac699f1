"""Convert between `Hardware` and aihwkit's `InferenceRPUConfig`, which describes the same chip for aihwkit's layers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import is_dataclass, replace
from enum import Enum
from numbers import Real
from typing import Any

from aihwkit.inference.compensation.drift import GlobalDriftCompensation
from aihwkit.simulator.configs import InferenceRPUConfig, TorchInferenceRPUConfig
from aihwkit.simulator.parameters.enums import (
    BoundManagementType,
    NoiseManagementType,
    WeightClipType,
    WeightModifierType,
    WeightRemapType,
)

from ohmnas.analog import device
from ohmnas.analog.device import noise_model
from ohmnas.errors import InvalidValueError, OhmnasError
from ohmnas.hardware import TECHNOLOGIES, Hardware
from ohmnas.hardware.chip_genes import GENE_TECHNOLOGIES
from ohmnas.hardware.presets import preset


def rpu_config(chip: Hardware, torch_tile: bool = False) -> InferenceRPUConfig:
    """Aihwkit's description of a chip, for its C++ tile or for its tile in pure torch.

    Weights are scaled column by column to the largest conductance. Biases stay digital. Input ranges are fixed
    (`input_range` of each tile). Inputs and outputs are not rescaled at run time.
    """
    config = TorchInferenceRPUConfig() if torch_tile else InferenceRPUConfig()
    config.mapping.digital_bias = True
    config.mapping.weight_scaling_omega = 1.0
    config.mapping.weight_scaling_columnwise = True
    config.mapping.max_input_size = _size(chip.tile_rows)
    config.mapping.max_output_size = _size(chip.tile_columns)
    config.remap.type = WeightRemapType.CHANNELWISE_SYMMETRIC

    forward = config.forward
    forward.inp_bound = 1.0 if chip.dac_bits else 0.0  # 0: unbounded
    forward.inp_res = _resolution(chip.dac_bits)
    forward.out_bound = chip.adc_bound if chip.adc_bits else 0.0
    forward.out_res = _resolution(chip.adc_bits)
    forward.out_noise = chip.output_noise
    forward.bound_management = BoundManagementType.NONE
    forward.noise_management = NoiseManagementType.NONE
    config.pre_post.input_range.enable = True
    config.pre_post.input_range.learn_input_range = False

    if chip.training_noise:
        config.modifier.type = WeightModifierType.ADD_NORMAL
        config.modifier.std_dev = chip.training_noise
        config.modifier.rel_to_actual_wmax = True
    if chip.clip_sigma:
        config.clip.type = WeightClipType.LAYER_GAUSSIAN
        config.clip.sigma = chip.clip_sigma

    config.noise_model = noise_model(chip)
    config.drift_compensation = GlobalDriftCompensation() if chip.drift_compensation else None
    return config


UNLIMITED = 1 << 20
"""Rows or columns of a tile that never splits a layer; aihwkit's `max_input_size` or `max_output_size` is then 0."""

_NOT_OF_INFERENCE = (
    "backward",
    "update",
    "device",
    "runtime",
    "tile_class",
    "tile_array_class",
    "simulator_tile_class",
)
"""Fields of aihwkit's configuration that have no effect on an inference chip."""


def hardware_of(config: InferenceRPUConfig, name: str) -> Hardware:
    """The chip that aihwkit's configuration describes.

    Args:
        config: configuration of aihwkit's layers.
        name: name of the chip in tables and commands.

    Raises:
        InvalidValueError: the configuration is not for inference, or ohmnas does not model some of its settings. The
            message lists these settings with their values and the modelled values.
    """
    missing = [part for part in _PARTS if getattr(config, part, None) is None]
    if missing:
        raise InvalidValueError(
            f"{type(config).__name__} is not a configuration for inference: it has no {', '.join(missing)}"
        )
    model = config.noise_model
    models = _models()
    technology = next((key for key, kind in models.items() if _is_ours(type(model), kind)), None)
    found: list[str] = []
    chip = Hardware(name=name, drift_compensation=config.drift_compensation is not None)
    if technology is None:
        known = ", ".join(kind.__name__ for kind in models.values())
        found.append(f"noise_model is {_shown(model)} (modelled: {known})")
    else:
        chip = replace(chip, technology=technology, g_max=preset(technology).g_max)
        chip, wrong = _with(chip, _of_devices(model))
        found += wrong
    chip, wrong = _with(chip, _of_tiles(config))
    found += wrong
    refused = tuple(text.partition(" is ")[0] for text in found)
    found += [text for text in differences(config, rpu_config(chip)) if not text.startswith(refused)]
    if found:
        raise InvalidValueError(f"not modelled: {'; '.join(found)}")
    return chip


def _is_ours(kind: type[Any], ours: type[Any]) -> bool:
    """True if a class is a technology's noise model, or the aihwkit class that this model extends in `device`."""
    return kind is ours or (kind in ours.__bases__ and ours.__module__ == device.__name__)


def _models() -> dict[str, type[Any]]:
    """Technology -> the class of its noise model; a plugin's class that cannot be imported is omitted."""
    found = {name: TECHNOLOGIES[name].load() for name in GENE_TECHNOLOGIES}
    for name in TECHNOLOGIES:
        with suppress(OhmnasError):
            found.setdefault(name, TECHNOLOGIES[name].load())
    return found


_PARTS = ("noise_model", "mapping", "forward", "modifier", "clip", "remap", "pre_post")
_Setting = tuple[str, str, Any, Any]
"""Path in aihwkit's configuration, name in `Hardware`, value in aihwkit, value in `Hardware` (None: not a number)."""


def _of_devices(model: Any) -> list[_Setting]:
    names = {
        "g_max": "g_max",
        "prog_noise_scale": "programming_noise",
        "read_noise_scale": "read_noise",
        "drift_scale": "drift",
    }
    values = {theirs: getattr(model, theirs) for theirs in names}
    return [(f"noise_model.{theirs}", names[theirs], v, _number(v)) for theirs, v in values.items()]


def _of_tiles(config: InferenceRPUConfig) -> list[_Setting]:
    mapping, forward, modifier, clip = config.mapping, config.forward, config.modifier, config.clip
    settings: list[_Setting] = [
        ("mapping.max_input_size", "tile_rows", mapping.max_input_size, _unlimited(mapping.max_input_size)),
        ("mapping.max_output_size", "tile_columns", mapping.max_output_size, _unlimited(mapping.max_output_size)),
        ("forward.inp_res", "dac_bits", forward.inp_res, _bits(forward.inp_res)),
        ("forward.out_res", "adc_bits", forward.out_res, _bits(forward.out_res)),
        ("forward.out_noise", "output_noise", forward.out_noise, _number(forward.out_noise)),
    ]
    if _bits(forward.out_res):
        settings.append(("forward.out_bound", "adc_bound", forward.out_bound, _number(forward.out_bound)))
    noisy, clipped = modifier.type == WeightModifierType.ADD_NORMAL, clip.type == WeightClipType.LAYER_GAUSSIAN
    settings += [
        ("modifier.std_dev", "training_noise", modifier.std_dev, _number(modifier.std_dev) if noisy else 0.0),
        ("clip.sigma", "clip_sigma", clip.sigma, _number(clip.sigma) if clipped else 0.0),
    ]
    return settings


def _with(chip: Hardware, settings: list[_Setting]) -> tuple[Hardware, list[str]]:
    """The chip with all valid settings, and a message for each invalid one."""
    wrong = []
    for path, name, theirs, ours in settings:
        try:
            if ours is None:
                raise InvalidValueError("it must be a finite number")
            chip = replace(chip, **{name: ours})
        except InvalidValueError as error:
            wrong.append(f"{path} is {_shown(theirs)} ({error})")
    return chip, wrong


def differences(found: Any, modelled: Any) -> list[str]:
    """Differences between two aihwkit configurations: one string each, with path, found value and modelled value."""
    return [
        f"{path} is {_shown(value)} (modelled: {_shown(other)})"
        for path, value, other in _differing(found, modelled, "")
    ]


def _differing(found: Any, modelled: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(found, Real) and isinstance(modelled, Real):
        if not math.isclose(_same(found, path), _same(modelled, path), rel_tol=1e-6, abs_tol=1e-12):
            yield path, found, modelled
    elif not hasattr(modelled, "__dict__") or isinstance(modelled, Enum | type):
        if found != modelled:
            yield path, found, modelled
    elif path and not _is_kind_of(found, modelled):
        yield path, found, modelled
    elif not _is_off(found, modelled):
        for name in sorted(vars(modelled).keys() | vars(found).keys()):
            if path or name not in _NOT_OF_INFERENCE:
                inner = f"{path}.{name}" if path else name
                yield from _differing(getattr(found, name, None), getattr(modelled, name, None), inner)


def _is_kind_of(found: Any, modelled: Any) -> bool:
    """Return True if two objects have the same kind of settings: the same class, or a class and its subclass."""
    if _is_ours(type(found), type(modelled)):
        return True
    return is_dataclass(found) and (isinstance(found, type(modelled)) or isinstance(modelled, type(found)))


def _is_off(found: Any, modelled: Any) -> bool:
    """Return True if both have the type NONE, which switches an effect off; its other settings then do not matter."""
    return all(getattr(getattr(one, "type", None), "name", "") == "NONE" for one in (found, modelled))


def _shown(value: Any) -> str:
    """A value in a message; for objects, their class."""
    plain = isinstance(value, Real | str | Enum | type(None) | list | tuple | dict)
    return str(value) if plain else type(value).__name__


def _same(value: Any, path: str) -> float:
    """Return the same number for all values that aihwkit treats alike.

    Resolutions above 1 are numbers of steps; 0 and below are ideal. A bound of 0 or infinity means no bound. Sizes of 0
    and below are unlimited.
    """
    if path.endswith("_res"):
        return 1.0 / value if value > 1.0 else max(float(value), 0.0)
    if path.endswith("_bound") and value == math.inf:
        return 0.0
    if path in ("mapping.max_input_size", "mapping.max_output_size"):
        return float(max(value, 0))
    return float(value)


def _number(value: Any) -> float | None:
    """The value as a float; None if it is not a finite number."""
    return float(value) if isinstance(value, Real) and math.isfinite(value) else None


def _unlimited(size: Any) -> int | float | None:
    """Rows or columns of a tile; the inverse of `_size`."""
    number = _number(size)
    if number is None or number % 1 != 0:
        return number
    return int(number) if number > 0 else UNLIMITED


def _size(rows: int) -> int:
    """Aihwkit's limit for the rows or columns of a tile; 0 is no limit."""
    return rows if rows < UNLIMITED else 0


def _bits(resolution: Any) -> int | None:
    """The inverse of `_resolution`, rounded. `differences` finds values without an exact match."""
    number = _number(resolution)
    if number is None:
        return None
    step = _same(number, "_res")
    return round(math.log2(1.0 / step + 2.0)) if step > 0 else 0


def _resolution(bits: int) -> float:
    """Aihwkit's step relative to the full range of a symmetric converter; a negative step is an ideal converter."""
    return 1.0 / (2**bits - 2) if bits else -1.0
