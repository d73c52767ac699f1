"""SIGKILL of drivers, workers and whole groups at random moments: no committed row is lost, none is measured twice."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ohmnas.datasets.campaign.campaign import Campaign
from ohmnas.datasets.campaign.fidelity import Fidelity
from ohmnas.datasets.campaign.plan import plan
from ohmnas.datasets.campaign.protocol import Protocol
from ohmnas.datasets.campaign.store import Store
from ohmnas.datasets.tasks.task import task
from ohmnas.hardware import RERAM, Hardware
from tests.datasets.conftest import comparable

DIGITS = task("digits")
TINY = Protocol(DIGITS, Fidelity("tiny", epochs=1, batch=32, chips=2, train_images=128))
CHIPS = (Hardware(), RERAM)
ENDLESS = 1000
"""More architectures than all lives together reach on any machine: each life ends by a kill, not for lack of work."""

_NURSERY = """
import os, sys
from pathlib import Path
import torch, ohmnas.analog.engine, ohmnas.spaces.resnet.network
from tests.datasets.campaign.test_kill import campaign
from ohmnas.datasets.campaign.store import Store
from ohmnas.errors import OhmnasError
torch.set_num_threads(1)
for line in sys.stdin:
    path, n, jobs = line.split()
    child = os.fork()
    if child == 0:
        os.setsid()
        print("pid", os.getpid(), flush=True)
        code = 0
        try:
            with Store(Path(path)) as store:
                campaign(int(n)).run(store, int(jobs), lambda row: print("row", flush=True))
        except OhmnasError as error:
            print("error", error, flush=True)
            code = 2
        os._exit(code)
    _, status = os.waitpid(child, 0)
    print("ended", status, flush=True)
"""


def campaign(n: int) -> Campaign:
    """A campaign of rows that take a tenth of a second each, on two kinds of chip."""
    return Campaign(TINY, plan(DIGITS, n), CHIPS, seed=0)


class Nursery:
    """A process that has loaded everything and forks a driver for each life, so that lives begin at once."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", _NURSERY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._drivers: list[int] = []
        self.rows = 0

    def begin(self, path: Path, n: int, jobs: int) -> int:
        """Start a driver; returns its process number."""
        assert self._process.stdin is not None
        print(path, n, jobs, file=self._process.stdin, flush=True)
        self._drivers.append(int(self.next_line("pid").split()[1]))
        return self._drivers[-1]

    def next_line(self, kind: str) -> str:
        """The next line of a kind; rows before it are counted."""
        assert self._process.stdout is not None
        while True:
            line = self._process.stdout.readline()
            self.rows += line == "row\n"
            assert line, "the nursery died"
            if line.startswith(kind):
                return line
            assert line.startswith(("row", "error")), line

    def close(self) -> None:
        """End it, and the workers whose drivers were killed: they hold its output open."""
        for driver in self._drivers:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(driver, signal.SIGKILL)
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    one = Nursery()
    yield one
    one.close()


def _workers(driver: int) -> list[int]:
    """Process numbers of a driver's workers, without joblib's helpers."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                stat = (entry / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
                command = (entry / "cmdline").read_text(encoding="utf-8")
            except OSError:
                continue
            if int(stat[1]) == driver and "resource_tracker" not in command:
                found.append(int(entry.name))
    return found


def _kill(driver: int, whom: str) -> None:
    if whom == "group":
        os.killpg(driver, signal.SIGKILL)
    elif whom == "worker":
        os.kill(random.choice(_workers(driver)), signal.SIGKILL)  # noqa: S311 - a victim, not a secret
    else:
        os.kill(driver, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.minutes
@pytest.mark.timeout(900)
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs Linux")
def test_a_campaign_killed_fifty_times_ends_with_the_rows_of_an_undisturbed_one(
    nursery: Nursery, tmp_path: Path
) -> None:
    """Each life ends at a random moment of training, measuring or committing, some before their first row.

    47 lives have the driver alone; 3 have two workers, and a worker, the driver or the whole group is killed.
    """
    rng = random.Random(0)  # noqa: S311 - moments, not secrets
    path = tmp_path / "killed.sqlite"
    stored: set[tuple[object, ...]] = set()
    for life in range(50):
        workers = life % 16 == 1 and life < 48
        driver = nursery.begin(path, ENDLESS, 2 if workers else 1)
        if workers or life % 3:
            nursery.next_line("row")
        time.sleep(rng.uniform(0.0, 0.25))
        _kill(driver, ("worker", "driver", "group")[life // 16] if workers else "driver")
        nursery.next_line("ended")
        with Store(path) as store:
            now = store.identities()
        assert now >= stored, f"life {life} lost rows"
        stored = now
    assert len(stored) > 50
    n = len(stored) // 2 + 10
    nursery.rows = 0
    nursery.begin(path, n, 2)
    assert nursery.next_line("ended") == "ended 0\n"
    with Store(path) as store, Store(tmp_path / "undisturbed.sqlite") as undisturbed:
        assert nursery.rows == 2 * n - len(stored)  # nothing that was stored is measured again
        campaign(n).run(undisturbed, 1, lambda _: None)
        assert comparable(store.frame()).equals(comparable(undisturbed.frame()))
