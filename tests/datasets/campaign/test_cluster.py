"""A Dask cluster that changes: workers come and are killed, the scheduler is killed, and the rows are those of one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import repeat
from pathlib import Path
from types import SimpleNamespace

import joblib
import pytest

from ohmnas.datasets.campaign import cluster
from ohmnas.datasets.campaign.backends import backend, results
from ohmnas.datasets.campaign.cluster import connected
from ohmnas.datasets.campaign.store import Store
from ohmnas.datasets.tables.schema import Row
from ohmnas.errors import OhmnasError
from tests.datasets.conftest import comparable

from .test_kill import campaign

psutil = pytest.importorskip("psutil")  # distributed brings it
KilledWorker = pytest.importorskip("distributed").KilledWorker

_SCHEDULER = """
import asyncio, distributed
async def run():
    async with distributed.Scheduler(host="127.0.0.1", port=0, dashboard=False) as scheduler:
        print(scheduler.address, flush=True)
        await scheduler.finished()
asyncio.run(run())
"""
_WORKER = """
import asyncio, sys, distributed
async def run():
    async with distributed.Worker(sys.argv[1], nthreads=1, dashboard=False) as worker:
        await worker.finished()
asyncio.run(run())
"""


class Machines:
    """Processes that are a cluster."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[str]] = []

    def _start(self, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "ignore", "-c", *words]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self._processes.append(process)
        return process

    def scheduler(self) -> tuple[str, subprocess.Popen[str]]:
        """Start one; its address."""
        process = self._start(_SCHEDULER)
        assert process.stdout is not None
        return process.stdout.readline().strip(), process

    def worker(self, address: str) -> subprocess.Popen[str]:
        """Start one of one thread."""
        return self._start(_WORKER, address)

    def end(self) -> None:
        """Kill all."""
        for process in self._processes:
            process.kill()
            process.communicate()


@pytest.fixture
def machines() -> Iterator[Machines]:
    some = Machines()
    yield some
    some.end()


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.filterwarnings("ignore")
def test_calls_go_to_the_workers_that_there_are(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "SAY_SECONDS", 0.0)
    address, scheduler = machines.scheduler()
    said: list[str] = []
    workers: list[subprocess.Popen[str]] = []

    def say(sentence: str) -> None:
        said.append(sentence)
        if len(workers) in {0, 2}:  # none yet, and all were killed
            workers.append(machines.worker(address))

    def wait_for(worker: int) -> None:
        for pid in pids:
            assert pid in {one.pid for one in workers}  # this process does nothing itself
            if pid == workers[worker].pid:
                return

    with connected(address, 30, say) as connection:
        pids = connection.results(repeat(joblib.delayed(os.getpid)()))
        wait_for(0)
        workers.append(machines.worker(address))
        wait_for(1)
        workers[0].kill()
        wait_for(1)
        workers[1].kill()
        until_now = len(said)
        wait_for(2)
        assert len(said) > until_now
        assert set(said) == {f"the cluster at {address} has no workers: waiting for one"}
        scheduler.kill()
        with pytest.raises(OhmnasError, match=rf"the scheduler {address} is gone; all finished rows are stored"):
            wait_for(-1)


def _cpu_seconds(process: subprocess.Popen[str]) -> float:
    times = psutil.Process(process.pid).cpu_times()
    return float(times.user + times.system)


@pytest.mark.slow
@pytest.mark.train
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore")
def test_a_cluster_with_killed_workers_and_scheduler_gives_the_rows_of_one_process(
    machines: Machines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cluster.sqlite"

    def measured(at: dict[int, Callable[[], object]]) -> list[Row]:
        """The rows of a run in which something happens after so many rows."""
        rows: list[Row] = []

        def report(row: Row) -> None:
            rows.append(row)
            at.pop(len(rows), lambda: None)()

        with backend("dask", address) as connection, Store(path) as store:
            campaign(4).run(store, 1, report, connection)
        return rows

    with Store(tmp_path / "local.sqlite") as store:
        campaign(4).run(store, 1, lambda _: None)
        expected = comparable(store.frame())
    monkeypatch.setattr("ohmnas.datasets.campaign.measure.train_network", lambda *_: pytest.fail("the driver measures"))
    address, scheduler = machines.scheduler()
    first = machines.worker(address)

    def replace_worker() -> None:
        first.kill()
        machines.worker(address)

    with pytest.raises(OhmnasError, match="is gone"):
        measured({1: replace_worker, 4: scheduler.kill})
    with Store(path) as store:
        stored = store.identities()
    assert 4 <= len(stored) < 8
    address, _ = machines.scheduler()
    worker = machines.worker(address)
    before, at_work = time.process_time(), _cpu_seconds(worker)
    assert len(measured({})) == 8 - len(stored)
    assert time.process_time() - before < _cpu_seconds(worker) - at_work
    with Store(path) as store:
        assert comparable(store.frame()).equals(expected)


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.filterwarnings("ignore")
def test_errors_of_a_worker_are_raised_in_the_driver(machines: Machines) -> None:
    address, _ = machines.scheduler()
    machines.worker(address)

    def fails(error: Exception) -> None:
        raise error

    killed = KilledWorker("measure-1", SimpleNamespace(address="tcp://127.0.0.1:9"), 3)
    with connected(address, 30, lambda _: None) as connection:
        for error, kind, message in (
            (FileNotFoundError("nowhere"), FileNotFoundError, "nowhere"),  # no sign of a lost connection
            (killed, OhmnasError, "worker process was killed several times"),
            (MemoryError(), OhmnasError, "not enough memory"),
        ):
            with pytest.raises(kind, match=message):
                list(results([joblib.delayed(fails)(error)], 1, connection))
