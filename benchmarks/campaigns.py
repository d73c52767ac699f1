"""Continue the campaigns of all tables at the lowest priority until stopped.

python benchmarks/campaigns.py [--jobs 2] [--minutes M] [--store FILE] [--tables DIR] [--stage TASK:CHOOSE:N:SEED ...]

Stages are measured in order of value (`STAGES`) if the data of their tasks exist. Every few minutes, and at the end,
the rows are exported to the tables with their cards. A table only grows: a new store starts with its rows. Ctrl-C or
SIGTERM stops after an export; after SIGKILL, the same command continues with the rows of the store. At the end, the
shipped surrogates of tables that grew are fitted again.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ohmnas.datasets.campaign.fidelity import FIDELITIES
from ohmnas.datasets.campaign.store import Store
from ohmnas.datasets.tables.schema import PROTOCOL_VERSION
from ohmnas.datasets.tasks.task import task
from ohmnas.errors import OhmnasError

ROOT = Path(__file__).resolve().parent.parent
TABLES = ROOT / "ohmnas" / "datasets" / "tables"
EXPORT_MINUTES = 5.0
_RUN = """
import ctypes, signal, sys
if sys.platform.startswith("linux"):  # two campaigns would measure the same rows: end when the parent dies
    ctypes.CDLL(None).prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG of sys/prctl.h
from ohmnas.cli.main import main
sys.exit(main())
"""
_OHMNAS = (sys.executable, "-W", "ignore", "-c", _RUN)


@dataclass(frozen=True)
class Stage:
    """A campaign up to a number of architectures."""

    task: str
    choose: str
    n: int
    seed: int = 0

    @classmethod
    def of(cls, text: str) -> Stage:
        """Parse ``TASK:CHOOSE:N:SEED``."""
        name, choose, n, seed = text.split(":")
        return cls(name, choose, int(n), int(seed))

    def __str__(self) -> str:
        """Return the text that `of` parses."""
        return f"{self.task}:{self.choose}:{self.n}:{self.seed}"


STAGES = (
    Stage("digits", "active", 160),
    Stage("cifar10", "active", 40),
    Stage("digits", "active", 304),
    Stage("cifar10", "active", 64),
    Stage("digits", "best", 40, 1),
    Stage("cifar10", "active", 112),
    Stage("cifar10", "best", 20, 1),
    Stage("people", "active", 64),
    Stage("spoken-digits", "active", 112),
    Stage("digits", "best", 100, 1),
    Stage("cifar10", "active", 208),
    Stage("cifar10", "best", 40, 1),
    Stage("people", "active", 160),
    Stage("spoken-digits", "active", 208),
    Stage("digits", "active", 1000),
    Stage("cifar10", "active", 1000),
)
"""Stages, most valuable first."""


class Stopped(Exception):  # noqa: N818 - it is not an error
    """The time is up, or a signal asked the run to stop."""


def table_name(name: str) -> str:
    """Return the name of a task's table for the current protocol."""
    return f"{name}-protocol{PROTOCOL_VERSION}"


@dataclass(frozen=True)
class Campaigns:
    """Store, tables and effort of all campaigns."""

    store: Path
    tables: Path
    jobs: int
    fidelity: str
    end: float
    """Value of `time.monotonic` at which the run stops."""

    def run(self, stages: Sequence[Stage]) -> None:
        """Measure stage after stage."""
        self.export()  # rows of a killed run, perhaps killed between writing a table and its card
        try:
            for stage in stages:
                if self._has_data(stage):
                    self._measure(stage)
        except Stopped:
            print("stopped; run the same command to continue", flush=True)
        finally:
            self.export()
            self._fit()

    @staticmethod
    def _has_data(stage: Stage) -> bool:
        try:
            task(stage.task).load()
        except OhmnasError as error:
            print(f"{stage}: skipped, {error}", flush=True)
            return False
        return True

    def _measure(self, stage: Stage) -> None:
        print(f"{stage}", flush=True)
        words = ["campaign", "--task", stage.task, "--choose", stage.choose, "--n", str(stage.n), "--json"]
        words += ["--seed", str(stage.seed), "--store", str(self.store), "--jobs", str(self.jobs)]
        words += ["--fidelity", self.fidelity]
        table = self.tables / f"{table_name(stage.task)}.csv"
        if table.exists():
            words += ["--start-from", str(table)]
        threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS", "NUMBA")}
        environment = {**os.environ, **threads, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen([*_OHMNAS, *words], env=environment, start_new_session=True)
        exported = time.monotonic()
        try:
            while process.poll() is None:
                time.sleep(0.2)
                if time.monotonic() > self.end:
                    raise Stopped
                if time.monotonic() > exported + 60 * EXPORT_MINUTES:
                    self.export()
                    exported = time.monotonic()
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
                process.wait()
        if process.returncode:
            raise SystemExit(f"{stage}: ohmnas campaign ended with code {process.returncode}")

    def export(self) -> None:
        """Write the tables of all tasks with rows in the store."""
        if not self.store.exists():
            return
        with Store(self.store, read_only=True) as store:
            names = sorted({str(row["task"]) for row in store.rows()})
        for name in names:
            out = self.tables / f"{table_name(name)}.csv"
            command = [*_OHMNAS, "export-table", "--store", str(self.store), "--task", name, "--out", str(out)]
            done = subprocess.run(command, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)})
            if done.returncode:
                print(f"the table {out} was not written", flush=True)

    def _fit(self) -> None:
        """Fit the shipped surrogates of the tables that grew: searches use them only while they match."""
        if self.tables.resolve() == TABLES:
            ship = [sys.executable, str(ROOT / "benchmarks" / "ship_surrogates.py"), "--stale"]
            subprocess.run(ship, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)})


def _stop(number: int, frame: object) -> None:
    del number, frame
    raise Stopped


def main() -> None:
    """Continue the campaigns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, default=ROOT / "campaigns.sqlite")
    parser.add_argument("--tables", type=Path, default=TABLES, help="folder of the tables")
    parser.add_argument("--jobs", type=int, default=2, help="worker processes (2)")
    parser.add_argument("--fidelity", default="table", choices=[name for name in FIDELITIES if name != "full"])
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after this many minutes")
    parser.add_argument("--stage", type=Stage.of, action="append", help="only these stages, TASK:CHOOSE:N:SEED")
    arguments = parser.parse_args()
    os.nice(19)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    end = time.monotonic() + 60 * arguments.minutes
    campaigns = Campaigns(arguments.store, arguments.tables, arguments.jobs, arguments.fidelity, end)
    campaigns.run(arguments.stage or STAGES)


if __name__ == "__main__":
    main()
