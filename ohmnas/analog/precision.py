"""Number formats of convolutions, and the choice of the fastest format for a device and a chip."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Final

from ohmnas.hardware import Hardware

SMALLEST_IMAGE = 256
"""Smallest number of pixels for bfloat16. With fewer, such as the 64 of `digits`, calls take longer than arithmetic."""
EXACT_BITS: Final = {"bfloat16": 9, "tf32": 12}
"""Number format -> largest number of bits of a converter whose levels it represents exactly."""
_AMPERE: Final = (8, 0)
"""Lowest compute capability of GPUs with TensorFloat-32."""


@lru_cache(maxsize=1)
def has_bfloat16() -> bool:
    """Return True if this CPU multiplies bfloat16 natively. On other CPUs, torch emulates it, which is slow."""
    try:
        flags = set(Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").split())
    except OSError:
        return False
    return bool(flags & {"avx512_bf16", "amx_bf16"})


@lru_cache(maxsize=8)
def has_tf32(device: str) -> bool:
    """Return True if a GPU supports TensorFloat-32."""
    import torch

    return torch.version.cuda is not None and torch.cuda.get_device_capability(device) >= _AMPERE


def fastest(device: str, pixels: int, chip: Hardware) -> str:
    """The fastest format on a device that represents the levels of the chip's converters exactly.

    A GPU uses TensorFloat-32 only to multiply the outputs of DACs. A CPU also stores the outputs of ADCs in bfloat16.

    Args:
        device: name of the torch device.
        pixels: number of pixels of an image.
        chip: the chip; ideal converters (0 bits) have no levels and need float32.

    Returns:
        One of `schema.PRECISIONS`.
    """
    if device == "cpu":
        wanted = "bfloat16" if pixels >= SMALLEST_IMAGE and has_bfloat16() else "float32"
        rounded = [chip.dac_bits, chip.adc_bits]
    else:
        wanted = "tf32" if has_tf32(device) else "float32"
        rounded = [chip.dac_bits]
    return wanted if all(0 < bits <= EXACT_BITS.get(wanted, 0) for bits in rounded) else "float32"


@contextmanager
def tf32(allowed: bool) -> Iterator[None]:
    """Allow or forbid TensorFloat-32 for convolutions on a GPU inside the block."""
    from torch.backends import cudnn

    before = cudnn.allow_tf32
    cudnn.allow_tf32 = allowed
    try:
        yield
    finally:
        cudnn.allow_tf32 = before
