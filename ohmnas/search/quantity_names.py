"""Names of quantities. Imports no slow module, so help is fast."""

from __future__ import annotations

from typing import Final

from ohmnas.targets import TARGETS

COSTS: Final = {
    "params": "parameters",
    "macs": "multiply-accumulates per image",
    "size": "bytes: 8-bit weights, 32-bit digital parameters",
    "memory": "largest number of activations in memory at once",
    "tiles": "crossbar tiles",
    "cells": "crossbar cells",
    "energy": "joules per image (proxy)",
    "latency": "seconds per image (proxy)",
}
"""Cost -> meaning and unit."""
QUANTITIES: Final = (*TARGETS, *COSTS)
"""Predicted targets and exact costs."""


def larger_is_better(name: str) -> bool:
    """Return True if larger values of a quantity are better; smaller is better for every cost."""
    return name in TARGETS and TARGETS[name].larger_is_better
