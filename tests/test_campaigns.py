"""`benchmarks/campaigns.py`: killed at any moment, it goes on, and its tables are those of an undisturbed run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.table import read_table

ROOT = Path(__file__).parents[1]
STAGES = ("digits:active:6:0", "digits:best:2:1")
KILLS = 5


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


@pytest.mark.train
@pytest.mark.minutes
@pytest.mark.timeout(400)
def test_a_killed_run_goes_on_to_the_same_tables(tmp_path: Path) -> None:
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    for folder in (calm, killed):
        folder.mkdir()
    _run(calm)
    moments = np.random.default_rng(0)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for kill in range(KILLS):
        process = subprocess.Popen(
            _command(killed), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(moments.uniform(2.0, 9.0))
        process.send_signal(signal.SIGKILL if kill % 2 else signal.SIGTERM)
        process.wait()
    _run(killed)
    expected = _table(calm)
    assert list(expected["seed"].value_counts().sort_index()) == [6, 2]
    pd.testing.assert_frame_equal(_table(killed), expected)


@pytest.mark.train
@pytest.mark.timeout(200)
def test_a_new_store_begins_with_the_table(tmp_path: Path) -> None:
    _run(tmp_path)
    before = _table(tmp_path)
    (tmp_path / "s.sqlite").unlink()
    _run(tmp_path)
    pd.testing.assert_frame_equal(_table(tmp_path), before)
    out = _run(tmp_path, "--minutes", "0")
    assert "run the same command to continue" in out


def test_tasks_without_files_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OHMNAS_DATA", str(tmp_path / "none"))
    monkeypatch.setenv("OHMNAS_CACHE", str(tmp_path / "cache"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [*_command(tmp_path)[:4], "--store", str(tmp_path / "s.sqlite"), "--stage", "cifar10:plan:3:0"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    assert "cifar10:plan:3:0: skipped" in done.stdout
