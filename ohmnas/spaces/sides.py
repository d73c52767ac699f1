"""Image sides per stage, and the share of a kernel inside the image."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def sides(height: int, width: int, stages: int) -> list[tuple[int, int]]:
    """Height and width of each stage. Each stage after the first halves both, rounding up."""
    return [(-(-height // 2**stage), -(-width // 2**stage)) for stage in range(stages)]


def inside(kernel: Any, height: Any, width: Any) -> npt.NDArray[np.float64]:
    """Mean share of an odd kernel inside the image, over all pixels."""
    result: npt.NDArray[np.float64] = _inside_line(kernel, height) * _inside_line(kernel, width)
    return result


def _inside_line(kernel: Any, size: Any) -> Any:
    """Share along one side, computed from the number of pixel pairs that are at most half a kernel apart."""
    reach = np.minimum(np.asarray(kernel) // 2, size - 1)
    return (size + reach * (2 * size - reach - 1)) / (size * np.asarray(kernel))
