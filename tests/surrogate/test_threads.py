"""Blocks side by side give what blocks in turn give, and BLAS gets its threads back."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from threadpoolctl import threadpool_limits

from ohmnas.surrogate import surrogate as module
from ohmnas.surrogate import threads
from ohmnas.surrogate.surrogate import Surrogate
from ohmnas.surrogate.threads import by_blocks, one_blas_thread

from .conftest import FAST, SPACE, learning_set


class Library:
    """A BLAS that uses three threads."""

    num_threads = 3

    def set_num_threads(self, threads: int) -> None:
        self.num_threads = threads


def test_blocks_come_back_in_their_order() -> None:
    rows = np.arange(40).reshape(20, 2)
    for most in (3, 19, 20, 100):
        assert_array_equal(by_blocks(lambda block: block * 2, rows, most), rows * 2)
    assert by_blocks(lambda block: block, rows[:0], 5).shape == (0, 2)


def test_blas_has_one_thread_until_the_last_has_left(monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library()
    monkeypatch.setattr(threads, "_libraries", lambda: [library])
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


def test_forecasts_do_not_depend_on_threads(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    surrogate = Surrogate.learn(learning_set(), **FAST)
    population = SPACE.sample_uniform(300, rng)
    monkeypatch.setattr(module, "_AT_ONCE", 40)
    found = []
    for workers in (1, 2, 5):
        monkeypatch.setattr(threads, "cpu_count", lambda workers=workers: workers)
        with threadpool_limits(workers, user_api="blas"):
            found.append(surrogate.predict(population))
    assert_array_equal(found[0], found[1])
    assert_array_equal(found[0], found[2])
    assert surrogate.predict(population[:0]).shape == (0, 3)
