"""Process blocks of rows in parallel threads, each with single-threaded BLAS.

The results of a block, and therefore predictions, do not depend on the number of threads.
"""

from __future__ import annotations

import math
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import ThreadpoolController

Matrix = npt.NDArray[Any]


def by_blocks(function: Callable[[Matrix], Matrix], rows: Matrix, most: int) -> Matrix:
    """Apply a function to blocks of rows in parallel threads; NumPy and XGBoost release the interpreter lock.

    Args:
        function: ``(n, f)`` -> ``(n, k)``; it must compute each row independently of the others.
        rows: ``(n, f)``.
        most: largest number of rows in a block.
    """
    if len(rows) <= most:
        return function(rows)
    blocks = np.array_split(rows, math.ceil(len(rows) / most))
    workers = min(len(blocks), cpu_count())
    if workers == 1:
        return np.concatenate([function(block) for block in blocks])
    with one_blas_thread(), ThreadPoolExecutor(workers) as pool:
        return np.concatenate(list(pool.map(function, blocks)))


def cpu_count() -> int:
    """Number of CPUs that this process may use, within container limits."""
    import joblib  # slow to import, and not needed for a single block

    return int(joblib.cpu_count())


class _OneThread:
    """Limits BLAS to one thread in a block. The number is global: the first block sets it, the last restores it.

    Blocks may be nested, and several threads may be inside blocks at the same time.
    """

    def __init__(self) -> None:
        """Create an unused limit."""
        self._lock = threading.Lock()
        self._inside = 0
        self._before: list[tuple[Any, int]] = []

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._before = [(library, library.num_threads) for library in _libraries("scipy.linalg" in sys.modules)]
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
    """Use one BLAS thread in a block. More are not faster for small products, and their number affects rounding."""
    return _ONE_THREAD


@cache
def _libraries(with_scipy: bool) -> list[Any]:  # noqa: ARG001 - key of the cache
    """Loaded BLAS libraries. The slow search runs once, and once more after SciPy has loaded its own library."""
    libraries: list[Any] = ThreadpoolController().select(user_api="blas").lib_controllers
    return libraries
