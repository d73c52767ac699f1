"""Names of a surrogate's targets, in the order of its columns."""

from __future__ import annotations

from typing import Final

from ohmnas.targets import DEFAULTS

HEADS: Final = tuple(target.name for target in DEFAULTS)
"""1-day accuracy, its standard deviation over chips, accuracy variation over one month."""
