"""`Schedule`: how a microcontroller runs a network. It determines the memory for activations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from ohmnas.errors import InvalidValueError

MOST_PATCHES: Final = 16
"""Largest number of patches along one side."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Order of the computation, and where its results are stored."""

    in_place_depthwise: bool = False
    """True if a depthwise convolution overwrites its input, channel by channel, with a buffer of one output channel
    (TinyEngine; Lin et al., NeurIPS 2020). The input of a residual connection is never overwritten."""
    patches: int = 1
    """Patches along each side: the first blocks compute their output patch by patch, and the others run layer by layer
    (Lin et al., NeurIPS 2021). The number of blocks in patches is chosen for the smallest peak. With 1, all blocks run
    layer by layer."""

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            InvalidValueError: the number of patches is out of range, or `in_place_depthwise` is not a bool.
        """
        if type(self.patches) is not int or not 1 <= self.patches <= MOST_PATCHES:
            raise InvalidValueError(f"patches must be a whole number from 1 to {MOST_PATCHES}, not {self.patches!r}")
        if not isinstance(self.in_place_depthwise, bool):
            raise InvalidValueError(f"in_place_depthwise must be true or false, not {self.in_place_depthwise!r}")

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"in_place_depthwise": self.in_place_depthwise, "patches": self.patches}


LAYER_BY_LAYER: Final = Schedule()
"""Each layer writes its whole output next to its input."""
