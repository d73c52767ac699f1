"""`benchmarks/campaigns.py`: killed at any moment, it goes on, and its tables are those of an undisturbed run."""

from __future__ import annotations

import importlib
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from shutil import copyfile

import numpy as np
import pandas as pd
import pytest

from ohmnas.datasets.campaign.store import Store
from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.table import read_table
from ohmnas.errors import OhmnasError

ROOT = Path(__file__).parents[1]
STAGES = ("digits:active:6:0", "digits:best:2:1")
KILLS = (0, 1, 3, 6)
"""Rows after which a run is killed, within a second."""


def _command(folder: Path, *more: str) -> list[str]:
    words = ["--store", str(folder / "s.sqlite"), "--tables", str(folder), "--jobs", "1", "--fidelity", "smoke"]
    words += [word for stage in STAGES for word in ("--stage", stage)]
    return [sys.executable, "-W", "ignore", str(ROOT / "benchmarks" / "campaigns.py"), *words, *more]


def _run(folder: Path, *more: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(_command(folder, *more), env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _table(folder: Path) -> pd.DataFrame:
    frame = read_table(str(folder / f"digits-protocol{schema.PROTOCOL_VERSION}.csv")).frame
    return frame.drop(columns=list(schema.SECONDS_COLUMNS))


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an undisturbed run."""
    folder = tmp_path_factory.mktemp("calm")
    _run(folder)
    return folder


def _stored(folder: Path) -> int:
    """Rows of the store; 0 while there is none."""
    path = folder / "s.sqlite"
    if not path.exists() or not path.stat().st_size:
        return 0
    try:
        with Store(path, read_only=True) as store:
            return len(store.identities())
    except OhmnasError:  # it is being made
        return 0


@pytest.mark.train
@pytest.mark.minutes
@pytest.mark.timeout(900)
def test_a_killed_run_resumes_and_gives_the_same_tables(calm: Path, tmp_path: Path) -> None:
    moments = np.random.default_rng(0)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for kill, rows in enumerate(KILLS):
        process = subprocess.Popen(
            _command(tmp_path), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while process.poll() is None and _stored(tmp_path) < rows:
            time.sleep(0.05)
        time.sleep(moments.uniform(0.0, 1.0))
        process.send_signal(signal.SIGKILL if kill % 2 else signal.SIGTERM)
        process.wait()
    _run(tmp_path)
    expected = _table(calm)
    assert list(expected["seed"].value_counts().sort_index()) == [6, 2]
    pd.testing.assert_frame_equal(_table(tmp_path), expected)


@pytest.mark.train
@pytest.mark.timeout(600)
def test_a_new_store_starts_with_the_rows_of_the_table(
    calm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (table,) = calm.glob("*.csv")
    for name in (table.name, table.with_suffix(".json").name):
        copyfile(calm / name, tmp_path / name)
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    campaigns = importlib.import_module("campaigns")
    stages = [campaigns.Stage.of(stage) for stage in STAGES]
    campaigns.Campaigns(tmp_path / "s.sqlite", tmp_path, 1, "smoke", math.inf).run(stages)
    assert _stored(tmp_path) == 8
    pd.testing.assert_frame_equal(read_table(tmp_path / table.name).frame, read_table(table).frame)  # and its seconds
    campaigns.Campaigns(tmp_path / "s.sqlite", tmp_path, 1, "smoke", 0.0).run(stages)
    assert "run the same command to continue" in capfd.readouterr().out


def test_tasks_without_files_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OHMNAS_DATA", str(tmp_path / "none"))
    monkeypatch.setenv("OHMNAS_CACHE", str(tmp_path / "cache"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [*_command(tmp_path)[:4], "--store", str(tmp_path / "s.sqlite"), "--stage", "cifar10:plan:3:0"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    assert "cifar10:plan:3:0: skipped" in done.stdout
