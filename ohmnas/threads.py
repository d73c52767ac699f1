"""Blocks of rows side by side, each with a BLAS that uses no threads of its own.

What is computed of a block does not depend on how many threads there are, and so neither do predictions.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import cpu_count
from threadpoolctl import ThreadpoolController

Matrix = npt.NDArray[Any]


def by_blocks(function: Callable[[Matrix], Matrix], rows: Matrix, most: int) -> Matrix:
    """What a function makes of the rows of a matrix, which it meets in blocks; NumPy and XGBoost let threads run.

    Args:
        function: ``(n, f)`` -> ``(n, k)``, each row by itself.
        rows: ``(n, f)``.
        most: rows of a block.
    """
    if len(rows) <= most:
        return function(rows)
    blocks = np.array_split(rows, math.ceil(len(rows) / most))
    workers = min(len(blocks), cpu_count())
    if workers == 1:
        return np.concatenate([function(block) for block in blocks])
    with one_blas_thread(), ThreadPoolExecutor(workers) as pool:
        return np.concatenate(list(pool.map(function, blocks)))


class _OneThread:
    """How many threads BLAS uses is a setting of the whole process: the first to enter sets it, the last restores it.

    So it may be entered again, also by several threads at a time.
    """

    def __init__(self) -> None:
        """Nobody is inside."""
        self._lock = threading.Lock()
        self._inside = 0
        self._before: list[tuple[Any, int]] = []

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._before = [(library, library.num_threads) for library in _libraries()]
                for library, threads in self._before:
                    if threads != 1:
                        library.set_num_threads(1)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                for library, threads in self._before:
                    if threads != 1:
                        library.set_num_threads(threads)


_ONE_THREAD = _OneThread()


def one_blas_thread() -> _OneThread:
    """Where products are small, threads only wait for each other, and each number of them rounds otherwise."""
    return _ONE_THREAD


@cache
def _libraries() -> list[Any]:
    """That are loaded; finding them takes long, and is done once: SciPy brings a BLAS of its own, which counts too."""
    import scipy.linalg  # noqa: F401

    libraries: list[Any] = ThreadpoolController().select(user_api="blas").lib_controllers
    return libraries
