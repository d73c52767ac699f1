"""Titles, units and number formats of quantities, the same in tables, pictures and reports."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ohmnas.targets import DEFAULTS, TARGETS, VARIATIONS


@dataclass(frozen=True, slots=True)
class QuantityWords:
    """Title, unit and number format of a quantity in reports."""

    title: str
    unit: str = ""
    """Empty for counts."""
    factor: float = 1.0
    """Shown number = factor x value in `search.quantities`."""
    decimals: int = 0
    is_signed: bool = False
    """True to show a plus sign for values of 0 or more."""
    is_log: bool = False
    """True for logarithmic axes."""

    @property
    def label(self) -> str:
        """Title with the unit, for axes and columns."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    def shown(self, value: float) -> float:
        """Return the value in the unit."""
        return self.factor * value

    def number(self, value: float) -> str:
        """Format a value without its unit."""
        return f"{self.factor * value:{'+' if self.is_signed else ''},.{self.decimals}f}"

    def text(self, value: float) -> str:
        """Format a value with its unit."""
        return f"{self.number(value)}\N{NO-BREAK SPACE}{self.unit}" if self.unit else self.number(value)


def _of_target(name: str) -> QuantityWords:
    target = TARGETS[name]
    is_difference = target in VARIATIONS
    unit = "%" if target.larger_is_better else "pt"
    title = "std over chips" if target is DEFAULTS[1] else target.title
    return QuantityWords(title, unit, 100.0, 2, is_difference)


WORDS: Final = {
    **{name: _of_target(name) for name in TARGETS},
    "device_latency": QuantityWords("latency on the device", "ms", 1e3, 3, is_log=True),
    "params": QuantityWords("parameters", is_log=True),
    "macs": QuantityWords("MACs per image", is_log=True),
    "size": QuantityWords("size", "kB", 1e-3, 1, is_log=True),
    "memory": QuantityWords("activations in memory", is_log=True),
    "tiles": QuantityWords("tiles", is_log=True),
    "cells": QuantityWords("crossbar cells", is_log=True),
    "energy": QuantityWords("energy per image, proxy", "µJ", 1e6, 3, is_log=True),
    "latency": QuantityWords("latency per image, proxy", "µs", 1e6, 1, is_log=True),
}
"""Quantity -> words. A point (pt) is one percentage point of accuracy, for differences and standard deviations."""


def in_words(objective: str) -> str:
    """Replace the names of quantities in an objective by their titles."""
    names = "|".join(re.escape(name) for name in sorted(WORDS, key=len, reverse=True))
    return re.sub(names, lambda name: WORDS[name[0]].title.removesuffix(", proxy"), objective)


def listed(parts: Sequence[str]) -> str:
    """Join words: ``a``, ``a and b``, ``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
