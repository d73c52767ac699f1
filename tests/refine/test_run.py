from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ohmnas.datasets.campaign.measure import measure
from ohmnas.datasets.campaign.plan import plan
from ohmnas.datasets.campaign.store import Store
from ohmnas.datasets.campaign.trained import TrainedNetwork
from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.schema import Row
from ohmnas.errors import AllFailedError, InfeasibleError, InvalidValueError
from ohmnas.hardware import RERAM, Hardware
from ohmnas.refine.journal import Journal
from ohmnas.refine.run import FURTHER_REPEATS, Effort, Progress, refine
from ohmnas.search import Limits, SearchResult, read_result, write_result
from tests.datasets.conftest import DIGITS
from tests.refine.conftest import PLAN, SMALL, campaign, formula, line, true_accuracy

LIMITS = Limits(max_params=50_000, max_macs=2e6)
EFFORT = Effort(rounds=2, each=6, repeats=2)
EXTRAPOLATED = pytest.mark.filterwarnings("ignore:the found network has:UserWarning")
"""The limits of these small refinements are wider than their few measured networks."""
pytestmark = pytest.mark.usefixtures("measured_by_formula")


def run(folder: Path, effort: Effort = EFFORT, **others: Any) -> SearchResult:
    with Store(folder / "s.sqlite") as store:
        return refine(
            campaign(),
            store,
            line(LIMITS),
            effort,
            budget=SMALL,
            journal=folder / "refine.json",
            **others,
        )


def test_it_finds_a_better_network_than_its_plan_and_records_each_stage(tmp_path: Path) -> None:
    result = run(tmp_path)
    best = result.best
    assert best.trainings == 2
    assert min(best.measured["accuracy_1d"], best.held_out["accuracy_1d"]) <= best.predicted["accuracy_1d"]
    assert {"accuracy_1s", "accuracy_1mo", "accuracy_digital"} <= best.measured.keys()  # for drift curves
    planned = max(true_accuracy(genome) for genome in campaign().population)
    assert true_accuracy(np.array(best.genome)) > planned
    assert best.params <= 50_000
    assert [entry["iteration"] for entry in result.history] == [0, 1, 2, 3]
    assert [entry["evaluations"] for entry in result.history] == [PLAN, PLAN + 6, PLAN + 12, PLAN + 14]
    assert result.evaluations == PLAN + 14
    assert "optimism" in result.history[1]
    reference = next(one for one in result.references if one.name == result.constraints["reference"])
    assert reference.trainings >= 1
    assert best.predicted["accuracy_1d"] >= reference.predicted["accuracy_1d"]
    write_result(tmp_path / "result.json", result)
    assert read_result(tmp_path / "result.json").to_dict() == result.to_dict()
    chosen = [one.genome for stage in Journal(tmp_path / "refine.json", _asked()).stages for one in stage.chosen]
    assert [one.genome for one in result.tried] == [*dict.fromkeys(chosen)]
    assert len(result.tried) == PLAN + 12
    assert max(one.trainings for one in result.tried) == 2
    assert all("accuracy_1d" in one.measured for one in result.tried)
    assert result.to_frame()["role"].value_counts()["tried"] == PLAN + 12


def test_a_stage_has_the_parts_of_a_batch(tmp_path: Path) -> None:
    run(tmp_path)
    stages = Journal(tmp_path / "refine.json", _asked()).stages
    assert [stage.kind for stage in stages] == ["plan", "round", "round", "repeat"]
    assert Counter(one.part for one in stages[2].chosen) == {"best": 3, "uncertain": 2, "mutant": 1}
    assert {one.seed for one in stages[3].chosen} == {1}
    assert all("accuracy_1d" in one.predicted for one in stages[1].chosen)
    genomes = [one.genome for stage in stages[:3] for one in stage.chosen]
    assert len(genomes) == len(set(genomes))


def _asked() -> dict[str, object]:
    names = {"task": "digits", "space": "ResNetSpace", "hardware": "pcm", "fidelity": "smoke"}
    return {**names, "space": campaign().protocol.task.space.name, "measuring_seed": 0, "seed": 0}


def without_seconds(result: SearchResult) -> dict[str, object]:
    history = [{**entry, "seconds": 0.0} for entry in result.history]
    return replace(result, seconds=0.0, history=history).to_dict()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchResult]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ohmnas.datasets.campaign.campaign.measure", formula)
        yield run(tmp_path_factory.mktemp("undisturbed"))


@pytest.mark.parametrize("rows", [3, PLAN, PLAN + 4, PLAN + 13])
def test_an_interrupted_refinement_ends_like_an_undisturbed_one(
    rows: int, tmp_path: Path, undisturbed: SearchResult
) -> None:
    seen = 0

    def interrupt(progress: Progress) -> None:
        nonlocal seen
        seen += progress.row is not None
        if seen == rows:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, report=interrupt)
    measured = []
    again = run(tmp_path, report=lambda progress: measured.append(progress.row) if progress.row else None)
    assert len(measured) == PLAN + 14 - rows
    assert without_seconds(again) == without_seconds(undisturbed)
    assert without_seconds(run(tmp_path)) == without_seconds(undisturbed)  # nothing is left to do


_KILLED = """
import os, signal, sys
from pathlib import Path
import ohmnas.datasets.campaign.campaign as campaigns
from tests.refine.conftest import formula
from tests.refine.test_run import run
campaigns.measure = formula
left = int(sys.argv[2])
def kill(progress):
    global left
    left -= progress.row is not None
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
run(Path(sys.argv[1]), report=kill)
"""


@pytest.mark.timeout(120)
@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_a_killed_refinement_resumes(tmp_path: Path, undisturbed: SearchResult) -> None:
    done = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path), str(PLAN + 3)], check=False)
    assert done.returncode == -signal.SIGKILL
    with Store(tmp_path / "s.sqlite") as store:
        assert len(store.identities()) == PLAN + 3
    assert without_seconds(run(tmp_path)) == without_seconds(undisturbed)


def test_more_rounds_continue_the_refinement(tmp_path: Path) -> None:
    first = run(tmp_path)
    more = run(tmp_path, replace(EFFORT, rounds=3))
    kinds = [stage.kind for stage in Journal(tmp_path / "refine.json", _asked()).stages]
    assert (kinds[:4], kinds[4]) == (["plan", "round", "round", "repeat"], "round")
    assert {*kinds[5:]} == {"repeat"}
    assert len(kinds) <= 6 + FURTHER_REPEATS
    assert more.best.trainings > 1
    assert more.history[: len(first.history)] == first.history
    assert more.evaluations > first.evaluations


def test_rows_and_seconds_are_limits(tmp_path: Path) -> None:
    few = run(tmp_path, replace(EFFORT, rows=PLAN + 8))
    assert few.evaluations == PLAN + 8
    times = iter(range(10_000))
    late = tmp_path / "late"
    late.mkdir()
    result = run(late, replace(EFFORT, seconds=PLAN), clock=lambda: float(next(times)))
    assert result.stopped == "seconds"
    with Store(late / "s.sqlite") as store:
        there = len(store.identities())
    assert 10 <= there < PLAN
    assert run(late).evaluations == PLAN + 14
    times = iter(range(10_000))
    with pytest.raises(InvalidValueError, match=r"needs 13 measured networks, but had .* at the time limit: run it"):
        run(_folder(tmp_path / "later"), replace(EFFORT, seconds=5), clock=lambda: float(next(times)))


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def test_rows_of_the_store_are_learned_from_without_a_plan(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite") as store:
        campaign().run(store, 1, lambda _: None)
    result = run(tmp_path)
    assert result.evaluations == 14
    assert result.history[-1]["networks"] == PLAN + 12


def test_rows_of_another_protocol_are_refused(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite") as store:
        campaign(2).run(store, 1, lambda _: None)
        store._connection.execute("UPDATE rows SET protocol=3, checksum=NULL")
    with pytest.raises(InvalidValueError, match="protocol 3, but this campaign measures with"):
        run(tmp_path)


@EXTRAPOLATED
def test_failures_are_tried_once_and_not_learned_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = dict.fromkeys((*schema.ACCURACY_COLUMNS, *schema.SPREAD_COLUMNS))

    def failing(*words: Any, every: int = 4) -> list[Row]:
        fails = int(np.sum(words[1])) % every == 0
        failed: Row = {**empty, "status": "failed", "reason": "made"} if fails else {}
        return [row | failed for row in formula(*words)]

    monkeypatch.setattr("ohmnas.datasets.campaign.campaign.measure", failing)
    result = run(tmp_path)
    with Store(tmp_path / "s.sqlite") as store:
        statuses = Counter(row["status"] for row in store.rows() if row["seed"] == 0)
    assert statuses["failed"] > 3
    assert result.history[-1]["networks"] == statuses["ok"]
    monkeypatch.setattr("ohmnas.datasets.campaign.campaign.measure", partial(failing, every=1))
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(AllFailedError, match="made"):
        run(other)


def test_networks_that_were_stopped_early_are_open(tmp_path: Path, undisturbed: SearchResult) -> None:
    best = campaign()
    best = replace(best, population=np.array([undisturbed.best.genome], dtype=np.int16))
    with Store(tmp_path / "s.sqlite") as store:
        best.run(store, 1, lambda _: None)
        store._connection.execute("UPDATE rows SET status='stopped', checksum=NULL")
    assert without_seconds(run(tmp_path)) == without_seconds(undisturbed)


def test_limits_that_no_measured_network_meets_are_reported(tmp_path: Path) -> None:
    effort, limits = replace(EFFORT, rounds=1), replace(LIMITS, max_avm=0.001)
    with Store(tmp_path / "s.sqlite") as store, pytest.raises(InfeasibleError, match="AVM"):
        refine(campaign(), store, line(limits), effort, above_reference=False, budget=SMALL)


def test_one_chip_is_measured() -> None:
    two = replace(campaign(), chips=(Hardware(), RERAM))
    with pytest.raises(InvalidValueError, match="exactly one chip"):
        refine(two, None, line(LIMITS))  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="must not retry failed rows"):
        refine(replace(campaign(), retry_failed=True), None, line(LIMITS))  # type: ignore[arg-type]
    for wrong in ({"rounds": -1}, {"each": 0}, {"seconds": float("nan")}):
        with pytest.raises(InvalidValueError, match="must be at least"):
            Effort(**wrong)
    for wrong in ({"each": float("nan")}, {"rounds": 1.5}, {"references": 1.0}):
        with pytest.raises(InvalidValueError, match="must be a whole number"):
            Effort(**wrong)  # type: ignore[arg-type]


def test_too_few_first_networks_are_refused_before_a_training(tmp_path: Path) -> None:
    for few, effort in ((campaign(6), EFFORT), (campaign(), replace(EFFORT, rows=9))):
        with Store(tmp_path / "s.sqlite") as store:
            with pytest.raises(InvalidValueError, match=r"needs at least 13 networks .* would have [69]"):
                refine(few, store, line(LIMITS), effort, budget=SMALL)
            assert not store.identities()


def test_plan_networks_that_are_stored_count_once(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite") as store:
        few = campaign(9)
        for genome in few.population[:6]:
            store.add(measure(few.protocol, genome, few.chips, few.seed))
        with pytest.raises(InvalidValueError, match="would have 9"):
            refine(few, store, line(LIMITS), EFFORT, budget=SMALL)


@EXTRAPOLATED
@pytest.mark.train
@pytest.mark.timeout(120)
def test_the_weights_of_the_best_networks_are_kept_and_others_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ohmnas.datasets.campaign.campaign.measure", measure)
    monkeypatch.setattr("ohmnas.refine.run.WEIGHTS", 2)
    others = tmp_path / "networks" / "found-smoke-0"
    others.mkdir(parents=True)
    small = replace(DIGITS, max_params=4_000)
    measuring = replace(campaign(), population=plan(small, 13), keep=tmp_path / "networks")
    with Store(tmp_path / "s.sqlite") as store:
        result = refine(measuring, store, line(Limits(max_params=4_000)), Effort(1, 1, 1, references=0), budget=SMALL)
        stored = {(row["seed"], *genome_of(row)): row["accuracy_1d"] for row in store.rows()}
    assert len(result.best.weights) == result.best.trainings
    for name in result.best.weights:
        trained = TrainedNetwork.load(tmp_path / "networks" / name)
        assert trained.genome == result.best.genome
        assert trained.split == "validation"
        assert trained.provenance["measured"]["accuracy_1d"] == stored[trained.provenance["seed"], *trained.genome]
    kept = {path.name for path in (tmp_path / "networks").iterdir()} - {others.name}
    assert others.is_dir()
    assert {*result.best.weights} <= kept
    assert len({name.split("-")[0] for name in kept}) <= 2
    write_result(tmp_path / "result.json", result)
    assert read_result(tmp_path / "result.json").best.weights == result.best.weights


def genome_of(row: Row) -> tuple[int, ...]:
    return tuple(int(row[name]) for name in DIGITS.space.gene_names)  # type: ignore[arg-type]
