"""In which number format convolutions compute fastest on this machine. Loads no torch."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

SMALLEST_IMAGE = 256
"""Pixels from which on bfloat16 pays; for the digits' 64 it is the calls that take the time, not the arithmetic."""


@lru_cache(maxsize=1)
def has_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 itself; on others torch would only imitate it, slowly."""
    try:
        flags = set(Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").split())
    except OSError:
        return False
    return bool(flags & {"avx512_bf16", "amx_bf16"})


def fastest(pixels: int) -> str:
    """float32 or bfloat16, for images of so many pixels on this CPU."""
    return "bfloat16" if pixels >= SMALLEST_IMAGE and has_bfloat16() else "float32"
