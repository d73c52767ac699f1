"""In which number format convolutions compute, and which is the fastest on a device."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Final

from ohmnas.hardware import Hardware

SMALLEST_IMAGE = 256
"""Pixels from which on bfloat16 pays; for the digits' 64 it is the calls that take the time, not the arithmetic."""
EXACT_BITS: Final = {"bfloat16": 9, "tf32": 12}
"""Of a converter, at most: its levels, whole numbers, are exact in the format then."""
_AMPERE: Final = (8, 0)
"""Compute capability from which on GPUs multiply in TensorFloat-32."""


@lru_cache(maxsize=1)
def has_bfloat16() -> bool:
    """Return True if this CPU multiplies bfloat16 natively; torch's emulation on others is slow."""
    try:
        flags = set(Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").split())
    except OSError:
        return False
    return bool(flags & {"avx512_bf16", "amx_bf16"})


@lru_cache(maxsize=1)
def has_tf32() -> bool:
    """Return True if the GPU multiplies in TensorFloat-32."""
    import torch

    return torch.version.cuda is not None and torch.cuda.get_device_capability() >= _AMPERE


def fastest(device: str, pixels: int, chip: Hardware) -> str:
    """The format that is fastest on a device and in which the levels of the chip's converters are exact.

    A GPU only multiplies in TensorFloat-32, what a DAC gives; on a CPU also what an ADC gives is kept in bfloat16.

    Args:
        device: as torch names it.
        pixels: of an image.
        chip: an ideal converter, of 0 bits, has no levels.

    Returns:
        One of `schema.PRECISIONS`.
    """
    if device == "cpu":
        wanted = "bfloat16" if pixels >= SMALLEST_IMAGE and has_bfloat16() else "float32"
        rounded = [chip.dac_bits, chip.adc_bits]
    else:
        wanted = "tf32" if has_tf32() else "float32"
        rounded = [chip.dac_bits]
    return wanted if all(0 < bits <= EXACT_BITS.get(wanted, 0) for bits in rounded) else "float32"


@contextmanager
def tf32(allowed: bool) -> Iterator[None]:
    """Let convolutions on a GPU multiply in TensorFloat-32, or not, as long as the block runs."""
    from torch.backends import cudnn

    before = cudnn.allow_tf32
    cudnn.allow_tf32 = allowed
    try:
        yield
    finally:
        cudnn.allow_tf32 = before
