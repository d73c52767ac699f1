"""Campaigns: the plan, and what survives kill -9."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ohmnas.datasets import schema
from ohmnas.datasets.campaign import PLAN_BLOCK, Campaign, plan
from ohmnas.datasets.card import make_card
from ohmnas.datasets.fidelity import Fidelity
from ohmnas.datasets.measure import Protocol
from ohmnas.datasets.schema import Row
from ohmnas.datasets.store import Store
from ohmnas.datasets.table import read_table, write_table
from ohmnas.datasets.task import task
from ohmnas.errors import InfeasibleError, InvalidValueError
from ohmnas.spaces.hardware import Hardware
from ohmnas.spaces.reference import REFERENCES

DIGITS = task("digits")
TINY = Fidelity("tiny", epochs=1, chips=2, train_images=128)
KILLS = 20


def _campaign(n: int) -> Campaign:
    return Campaign(Protocol(DIGITS, TINY), plan(DIGITS, n), (Hardware(),), seed=0)


def _ignore(row: Row) -> None:
    pass


def _comparable(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(columns=list(schema.SECONDS_COLUMNS))


def test_a_plan_does_not_depend_on_how_long_it_is() -> None:
    long = plan(DIGITS, 2 * PLAN_BLOCK + 10)
    for n in (3, 50, PLAN_BLOCK + 20):
        assert np.array_equal(plan(DIGITS, n), long[:n])
    assert len(np.unique(long, axis=0)) == len(long)
    assert not np.array_equal(plan(DIGITS, 50, seed=1)[20:], long[20:50])


def test_a_plan_stays_in_the_bounds_and_begins_with_the_references_that_do() -> None:
    population = plan(DIGITS, 150)
    costs = DIGITS.space.layer_table(population)
    assert (costs.params() <= DIGITS.max_params).all()
    assert (costs.params() >= DIGITS.min_params).all()
    assert (costs.macs() <= DIGITS.max_macs).all()
    known = DIGITS.space.encode(REFERENCES.values())
    fitting = known[DIGITS.space.params(known) <= DIGITS.max_params]
    assert np.array_equal(population[: len(fitting)], fitting)


def test_a_plan_that_is_longer_than_its_bounds_allow_ends_with_a_message() -> None:
    tight = replace(DIGITS, min_params=0, max_params=400)
    assert len(plan(tight, 20)) == 20
    with pytest.raises(InfeasibleError, match="found only"):
        plan(tight, 100_000)


def test_a_campaign_goes_on_from_an_exported_table_alone(tmp_path: Path) -> None:
    with Store(tmp_path / "whole.sqlite") as whole:
        _campaign(4).run(whole, jobs=1, report=_ignore)
        expected = _comparable(whole.frame())
    with Store(tmp_path / "first.sqlite") as first:
        _campaign(2).run(first, jobs=1, report=_ignore)
        write_table(tmp_path / "part.csv", first.frame(), make_card(first.frame(), DIGITS))
    with Store(tmp_path / "second.sqlite") as second:
        second.add(read_table(str(tmp_path / "part.csv")).rows())
        measured: list[Row] = []
        _campaign(4).run(second, jobs=1, report=measured.append)
        assert len(measured) == 2
        assert _comparable(second.frame()).equals(expected)


@pytest.mark.parametrize(
    ("chip", "effort", "name"),
    [(replace(Hardware(), drift=0.0), TINY, "hw_drift"), (Hardware(), replace(TINY, epochs=2), "epochs")],
)
def test_rows_that_were_measured_otherwise_are_not_taken_for_ones_own(
    chip: Hardware, effort: Fidelity, name: str, tmp_path: Path
) -> None:
    with Store(tmp_path / "store.sqlite") as store:
        _campaign(1).run(store, jobs=1, report=_ignore)
        other = replace(_campaign(2), protocol=Protocol(DIGITS, effort), chips=(chip,))
        with pytest.raises(InvalidValueError, match=f"with {name} "):
            other.run(store, jobs=1, report=_ignore)
        assert len(store.identities()) == 1
        third = Protocol(DIGITS, replace(effort, name="other"))
        replace(_campaign(2), protocol=third).run(store, jobs=1, report=_ignore)
        assert len(store.identities()) == 3


@pytest.mark.slow
def test_two_workers_give_the_rows_of_one(tmp_path: Path) -> None:
    frames = []
    for jobs in (1, 2):
        with Store(tmp_path / f"{jobs}.sqlite") as store:
            _campaign(4).run(store, jobs=jobs, report=_ignore)
            frames.append(_comparable(store.frame()))
    assert frames[0].equals(frames[1])


_DRIVER = """
import sys
from pathlib import Path
from ohmnas.datasets.campaign import Campaign, plan
from ohmnas.datasets.fidelity import Fidelity
from ohmnas.datasets.measure import Protocol
from ohmnas.datasets.store import Store
from ohmnas.datasets.task import task
from ohmnas.errors import InfeasibleError
from ohmnas.spaces.hardware import Hardware
digits = task("digits")
protocol = Protocol(digits, Fidelity("tiny", 1, 2, 128))
campaign = Campaign(protocol, plan(digits, int(sys.argv[2])), (Hardware(),), 0)
with Store(Path(sys.argv[1])) as store:
    campaign.run(store, int(sys.argv[3]), lambda row: print("row", flush=True))
"""


def _start(path: Path, n: int, jobs: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "ignore", "-c", _DRIVER, str(path), str(n), str(jobs)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_campaign_killed_twenty_times_ends_with_the_rows_of_an_undisturbed_one(tmp_path: Path) -> None:
    """SIGKILL at random moments: of each life after its first row, in training, in measuring, in a commit.

    Every other life kills the driver alone, the rest its workers with it; a third of them run two workers. Four more
    lives end at any moment since their start, while modules load, the store opens or the first row is measured.
    """
    endless = (
        1000  # more rows than all lives together reach on any machine: each life ends by a kill, not for lack of work
    )
    rng = random.Random(0)  # noqa: S311 - moments, not secrets
    path = tmp_path / "killed.sqlite"
    for life in range(KILLS):
        process = _start(path, endless, jobs=2 if life % 3 == 0 else 1)
        assert process.stdout is not None
        assert process.stdout.readline() == "row\n", f"life {life} ended without a row"
        try:
            process.wait(timeout=rng.uniform(0.0, 0.15))
        except subprocess.TimeoutExpired:
            if life % 2:
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        with Store(path) as store:
            assert len(store.identities()) >= life + 1
    for _ in range(4):
        process = _start(path, endless, jobs=1)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=rng.uniform(0.1, 3.0))
        process.kill()
        process.communicate()
    missing = 10
    with Store(path) as store:
        n = len(store.identities()) + missing
    last = _start(path, n, jobs=2)
    output, _ = last.communicate()
    assert last.returncode == 0
    with Store(path) as store, Store(tmp_path / "undisturbed.sqlite") as undisturbed:
        assert output.count("row") == missing  # nothing that was stored is measured again
        _campaign(n).run(undisturbed, jobs=1, report=_ignore)
        assert len(store.frame()) == n
        assert _comparable(store.frame()).equals(_comparable(undisturbed.frame()))
