"""Blocks side by side give what blocks in turn give, and BLAS gets its threads back."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from ohmnas import threads
from ohmnas.threads import by_blocks, one_blas_thread


class Library:
    """A BLAS that uses three threads."""

    num_threads = 3

    def set_num_threads(self, threads: int) -> None:
        self.num_threads = threads


def test_a_blas_that_is_loaded_later_has_one_thread_too() -> None:
    """SciPy's is not NumPy's, and spaces need NumPy's alone."""
    script = (
        "from threadpoolctl import threadpool_info\n"
        "from ohmnas.threads import one_blas_thread\n"
        "with one_blas_thread(): pass\n"
        "import scipy.linalg\n"
        "with one_blas_thread(): print({i['num_threads'] for i in threadpool_info() if i['user_api'] == 'blas'})"
    )
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "{1}"


def test_blocks_come_back_in_their_order() -> None:
    rows = np.arange(40).reshape(20, 2)
    for most in (3, 19, 20, 100):
        assert_array_equal(by_blocks(lambda block: block * 2, rows, most), rows * 2)
    assert by_blocks(lambda block: block, rows[:0], 5).shape == (0, 2)


def test_blas_has_one_thread_until_the_last_has_left(monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library()
    monkeypatch.setattr(threads, "_libraries", lambda _: [library])
    inside, leave = threading.Event(), threading.Event()

    def stay() -> None:
        with one_blas_thread():
            inside.set()
            leave.wait(30)

    other = threading.Thread(target=stay)
    with one_blas_thread():
        other.start()
        inside.wait(30)
        with one_blas_thread():
            assert library.num_threads == 1
    assert library.num_threads == 1
    leave.set()
    other.join()
    assert library.num_threads == 3
