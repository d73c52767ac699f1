"""`Technology`: how a kind of memory device changes the weights that it stores."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from ohmnas.errors import InvalidValueError, MissingDependencyError
from ohmnas.lookup import check_plain_name


@dataclass(frozen=True, slots=True)
class Technology:
    """A device technology. A chip refers to it by name, in ``Hardware.technology``."""

    name: str
    """Name in tables and commands; unique among presets and technologies."""
    noise_model: str
    """``"module:class"`` of the noise model: a subclass of aihwkit's ``BaseNoiseModel`` that takes the arguments
    ``g_max``, ``prog_noise_scale``, ``read_noise_scale`` and ``drift_scale``. It is imported to program a chip."""
    spread_1d: float
    """Standard deviation of the weight errors one day after programming, with drift compensation, in units of the
    tile's largest weight. Measure it on 200,000 normally distributed weights, clipped at 2.5 standard deviations."""
    spread_1mo: float
    """Standard deviation of the weight errors one month after programming, in the same units."""
    offset_1d: float = 0.0
    """Mean of the weight errors one day after programming, in the same units."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings of its preset chip that differ from the defaults of `Hardware`, such as ``g_max``."""
    smallest_conductance: float = 0.0
    """Smallest conductance in uS. Weights are mapped to conductances between this value and ``g_max``."""
    largest_conductance: float = math.inf
    """Largest ``g_max`` in uS for which the devices were measured."""

    def __post_init__(self) -> None:
        """Check the fields.

        Raises:
            InvalidValueError: a number is out of range, or the name or the path of the noise model is invalid.
        """
        check_plain_name("technology", self.name)
        module, colon, name = self.noise_model.partition(":")
        if not colon or not all(part.isidentifier() for part in (*module.split("."), name)):
            raise InvalidValueError(f"the noise model of {self.name} must be 'module:class', not {self.noise_model!r}")
        for name in ("spread_1d", "spread_1mo"):
            if not 0 <= getattr(self, name) <= 1:
                raise InvalidValueError(f"{name} of {self.name} must be from 0 to 1, not {getattr(self, name)}")
        if not -1 <= self.offset_1d <= 1:
            raise InvalidValueError(f"offset_1d of {self.name} must be from -1 to 1, not {self.offset_1d}")
        if not 0 <= self.smallest_conductance < self.largest_conductance:
            raise InvalidValueError(
                f"smallest_conductance of {self.name} must be at least 0 and below its largest_conductance of "
                f"{self.largest_conductance}, not {self.smallest_conductance}"
            )

    @property
    def device_errors(self) -> dict[str, float]:
        """Name of the surrogate's feature -> device error."""
        return {
            "device_spread_1d": self.spread_1d,
            "device_spread_1mo": self.spread_1mo,
            "device_offset_1d": self.offset_1d,
        }

    def load(self) -> type[Any]:
        """Import and return the class of the noise model.

        Raises:
            MissingDependencyError: aihwkit or the model's own package is not installed.
            InvalidValueError: the module does not have this class.
        """
        module, _, kind = self.noise_model.partition(":")
        try:
            found: type[Any] | None = getattr(import_module(module), kind, None)
        except ImportError as error:
            raise MissingDependencyError.of(
                f"the technology {self.name} needs its noise model", "train", error
            ) from error
        if found is None:
            raise InvalidValueError(
                f"the technology {self.name} needs the noise model {kind}, which is not in {module}"
            )
        return found
