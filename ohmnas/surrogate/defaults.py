"""Defaults that help texts show. Imports no heavy module, so help is fast."""

from __future__ import annotations

from typing import Final

MARGINS: Final = (0.05, 0.1, 0.15, 0.2)
"""Margins of the pairwise hinge loss. AnalogNAS tried these and uses 0.1, as ohmnas does."""
RESAMPLES: Final = 8
"""Number of resampled tables for a study's intervals. An interval's half-width is the standard deviation over these
tables times a quantile of Student's t, corrected for shared rows."""
