"""Where calls run, what workers that die say, and that none outlives its driver."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import joblib
import pytest

from ohmnas.datasets.campaign.backends import backend, results
from ohmnas.errors import InvalidValueError, MissingDependencyError, OhmnasError

GROWS = """
import os, time
from itertools import cycle, takewhile
import joblib
from ohmnas.datasets.campaign.backends import results
def grow(size):
    time.kept = b"1" * size  # whatever outlives the call
    time.sleep(1.1)
    return os.getpid()
seen = set()
sizes = takewhile(lambda _: len(seen) < 3, cycle([1, 1, 1, 4 * 10**8]))
for pid in results((joblib.delayed(grow)(size) for size in sizes), 2):
    seen.add(pid)
"""


def test_a_worker_that_has_grown_is_replaced_silently(tmp_path: Path) -> None:
    """Two workers work until a third one has."""
    (tmp_path / "grows.py").write_text(GROWS, encoding="utf-8")
    done = subprocess.run([sys.executable, tmp_path / "grows.py"], capture_output=True, text=True, check=True)
    assert done.stderr == ""


STAYS = """
import threading
import joblib
from ohmnas.datasets.campaign.backends import results
def stay(_):
    print("here", flush=True)
    threading.Event().wait()
list(results((joblib.delayed(stay)(x) for x in range(2)), 2))
"""


def test_workers_end_with_a_driver_that_is_killed() -> None:
    driver = subprocess.Popen([sys.executable, "-c", STAYS], stdout=subprocess.PIPE, text=True)
    assert driver.stdout is not None
    assert [driver.stdout.readline() for _ in range(2)] == ["here\n"] * 2
    driver.kill()
    assert driver.stdout.read() == ""  # ends when no worker holds it open
    driver.wait()
    driver.stdout.close()


def _imports(name: str) -> object:
    return importlib.import_module(name)


@pytest.mark.filterwarnings("ignore")
def test_a_worker_that_lacks_something_is_one_sentence() -> None:
    with pytest.raises(MissingDependencyError, match=r"cannot import a package .*nowhere.*ohmnas\[train\]"):
        list(results([joblib.delayed(_imports)("nowhere")], 1))


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_that_does_not_answer_is_named() -> None:
    with (
        pytest.raises(OhmnasError, match=r"tcp://127\.0\.0\.1:9 does not respond"),
        backend("dask", "tcp://127.0.0.1:9", timeout=1),
    ):
        pytest.fail("there is no cluster")


@pytest.mark.parametrize(("name", "scheduler"), [("dask", None), ("local", "tcp://127.0.0.1:9")])
def test_an_address_goes_with_a_cluster(name: str, scheduler: str | None) -> None:
    with pytest.raises(InvalidValueError, match="--scheduler"), backend(name, scheduler):
        pytest.fail("that is no backend")


def _square(x: int) -> int:
    return x * x


def _short_of_memory(x: int) -> int:
    raise MemoryError(x)


def _wrong(x: int) -> int:
    raise RuntimeError(f"{x} is wrong")


def _dies(x: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return x


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_as_they_are_there(jobs: int) -> None:
    assert sorted(results((joblib.delayed(_square)(x) for x in range(5)), jobs)) == [0, 1, 4, 9, 16]


@pytest.mark.filterwarnings("ignore")
def test_a_worker_that_dies_and_memory_that_is_short_are_one_sentence() -> None:
    with pytest.raises(OhmnasError, match="worker process was killed"):
        list(results((joblib.delayed(_dies)(x) for x in range(3)), 2))
    with pytest.raises(OhmnasError, match="not enough memory"):
        list(results([joblib.delayed(_short_of_memory)(1)], 1))
    with pytest.raises(RuntimeError, match="1 is wrong"):
        list(results([joblib.delayed(_wrong)(1)], 1))


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("CUDA out of memory. Tried to allocate 2 GiB", True),
        ("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes", True),
        ("CUDA error: an illegal memory access was encountered", False),
        ("unsupported memory format option Preserve", False),
    ],
)
def test_only_an_allocation_that_fails_is_want_of_memory(text: str, short: bool) -> None:
    def fails() -> None:
        raise RuntimeError(text)

    with pytest.raises(OhmnasError if short else RuntimeError, match="not enough memory" if short else text[:20]):
        list(results([joblib.delayed(fails)()], 1))
