"""Memory that a training step frees is memory that the next one needs."""

from __future__ import annotations

import ctypes
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # names of glibc's malloc.h
_LARGEST = 1 << 25
"""Bytes up to which glibc lets blocks live on its heap."""


def keep_freed() -> bool:
    """Let this process keep freed memory instead of giving it back to the system and asking again each step.

    A page that comes back is zeroed and mapped anew, which costs more than a pass over it: without this a tenth of a
    campaign's time goes there, and half of an evaluation's. Costs the process its peak memory for as long as it lives.

    Returns:
        Whether it took effect: on Linux with glibc.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST) and mallopt(_TRIM_THRESHOLD, 2**31 - 1))
