"""Chips: settings, presets, TOML files, and settings as genes. Only `chip_genes` imports NumPy.

The package can be called like its function: ``ohmnas.hardware("pcm")``.
"""

from ohmnas.hardware.presets import HERMES, IDEAL, PRESETS, RERAM, VARIED, has_name, is_varied, kind_of, varied
from ohmnas.hardware.settings import Hardware
from ohmnas.hardware.technologies import TECHNOLOGIES
from ohmnas.hardware.technology import Technology
from ohmnas.hardware.toml import hardware, read_hardware
from ohmnas.lazy import call_as_function

call_as_function(__name__)

__all__ = [
    "HERMES",
    "IDEAL",
    "PRESETS",
    "RERAM",
    "TECHNOLOGIES",
    "VARIED",
    "Hardware",
    "Technology",
    "hardware",
    "has_name",
    "is_varied",
    "kind_of",
    "read_hardware",
    "varied",
]
