"""The Dask backend: the rows of the local one, also when a worker dies."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import joblib
import pytest

from ohmnas.datasets.backends import backend, results
from ohmnas.datasets.schema import Row
from ohmnas.datasets.store import Store
from ohmnas.errors import InvalidValueError, OhmnasError

from .conftest import comparable
from .test_kill import campaign

distributed: Any = pytest.importorskip("distributed")


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_gives_the_rows_of_one_process_though_a_worker_is_killed(tmp_path: Path) -> None:
    killed: list[int] = []
    rows: list[Row] = []
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=2, dashboard_address=None, silence_logs=logging.CRITICAL
    )

    def report(row: Row) -> None:
        rows.append(row)
        if not killed:
            killed.append(next(iter(cluster.workers.values())).pid)
            os.kill(killed[0], signal.SIGKILL)

    with cluster, backend("dask", cluster.scheduler_address), Store(tmp_path / "cluster.sqlite") as store:
        campaign(6).run(store, -1, report)
        found = comparable(store.frame())
    assert killed
    assert len(rows) == 12
    with Store(tmp_path / "local.sqlite") as store:
        campaign(6).run(store, 1, lambda _: None)
        assert found.equals(comparable(store.frame()))


GROWS = """
import os, time
import joblib
from ohmnas.datasets.backends import results
def grow(size):
    time.kept = b"1" * size  # whatever outlives the call
    time.sleep(1.1)
    return os.getpid()
print(len(set(results([joblib.delayed(grow)(size) for size in (1, 1, 1, 4 * 10**8, 1, 1, 1, 1)], 2))))
"""


def test_a_worker_that_has_grown_is_replaced_without_a_word(tmp_path: Path) -> None:
    (tmp_path / "grows.py").write_text(GROWS, encoding="utf-8")
    done = subprocess.run([sys.executable, tmp_path / "grows.py"], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 2
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (distributed.KilledWorker("one", None, 3), "a worker process was killed"),
        (TimeoutError("no worker after 60 seconds"), "no worker that answers: no worker after 60 seconds"),
        (MemoryError(), "not enough memory"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_ends_a_cluster_is_one_sentence(error: Exception, message: str) -> None:
    def fails() -> None:
        raise error

    with pytest.raises(OhmnasError, match=message):
        list(results([joblib.delayed(fails)()], 1))


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_that_does_not_answer_is_named() -> None:
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with (
        pytest.raises(OhmnasError, match=r"tcp://127\.0\.0\.1:9 does not answer"),
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
