"""What is remembered is what a list of all that was ever added would tell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmnas.search import pareto
from ohmnas.search.archive import APART, ELITE, FRONT, Archive
from ohmnas.search.evaluation import Evaluation
from ohmnas.search.limits import Limits
from ohmnas.search.problem import Problem
from ohmnas.spaces.genes import Population

from .conftest import SPACE, Formula, judged, some

POOL = 40
SPANS = Problem(SPACE, Formula(), Limits()).spans


@dataclass
class Told:
    """Architectures, what is known of them, and the batches of rows in which an archive is told."""

    population: Population
    evaluation: Evaluation
    batches: list[list[int]]

    def archive(self, front: bool = True) -> Archive:
        archive = Archive()
        for batch in self.batches:
            rows = np.array(batch, dtype=np.intp)
            some_of_it = self.evaluation.take(rows)
            archive.add(
                self.population[rows],
                some_of_it if front else replace(some_of_it, losses=some_of_it.losses[:, :0]),
            )
        return archive

    @property
    def feasible(self) -> list[int]:
        told = {row for batch in self.batches for row in batch}
        return [row for row in sorted(told) if self.evaluation.feasible[row]]


@st.composite
def histories(draw: st.DrawFn) -> Told:
    """Few values, so that there are ties; batches that repeat what is known, as those of a restart do."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shortfall = rng.integers(0, 4, POOL) * rng.integers(0, 2, POOL) / 10
    evaluation = judged(rng.integers(0, 12, POOL), shortfall, rng.integers(-1, 9, (POOL, 2)) / 8)
    rows = st.lists(st.integers(0, POOL - 1), min_size=1, max_size=12, unique=True)
    return Told(some(POOL), evaluation, draw(st.lists(rows, min_size=1, max_size=6)))


@given(histories())
def test_the_best_never_gets_worse_and_is_the_best_of_all(told: Told) -> None:
    archive, objectives, volumes = Archive(), [], []
    for batch in told.batches:
        rows = np.array(batch, dtype=np.intp)
        archive.add(told.population[rows], told.evaluation.take(rows))
        objectives.append(archive.best_objective)
        volumes.append(archive.hypervolume)
    known = [value for value in objectives if not np.isnan(value)]
    assert np.isnan(objectives[: len(objectives) - len(known)]).all()
    assert known == sorted(known)
    assert volumes == sorted(volumes)
    if told.feasible:
        assert archive.best is not None
        genome, evaluation = archive.best
        assert evaluation.objective[0] == known[-1] == told.evaluation.objective[told.feasible].max()
        row = np.flatnonzero((told.population == genome).all(axis=1))[0]
        assert told.evaluation.objective[row] == known[-1]
        assert told.evaluation.feasible[row]
    else:
        assert archive.best is archive.different(3, SPANS) is archive.front() is archive.elite(5) is None


@given(histories())
def test_the_elite_is_all_that_is_feasible_once_and_best_first(told: Told) -> None:
    found = told.archive().elite(1000)
    if found is None:
        assert not told.feasible
        return
    elite, evaluation = found
    rows = [int(np.flatnonzero((told.population == genome).all(axis=1))[0]) for genome in elite]
    assert sorted(rows) == told.feasible
    objectives = told.evaluation.objective[rows].tolist()
    assert objectives == sorted(objectives, reverse=True)
    assert evaluation.objective.tolist() == objectives
    first = told.archive().elite(3)
    assert first is not None
    np.testing.assert_array_equal(first[0], elite[:3])


@given(histories())
def test_the_nearest_miss_is_that_of_all(told: Told) -> None:
    missed = {row for batch in told.batches for row in batch if not told.evaluation.feasible[row]}
    nearest = told.archive().nearest
    if not missed:
        assert nearest is None
        return
    assert nearest is not None
    genome, evaluation = nearest
    assert evaluation.shortfall[0] == min(told.evaluation.shortfall[row] for row in missed)
    assert any((told.population[row] == genome[0]).all() for row in missed)


@given(histories())
def test_the_front_is_that_of_all(told: Told) -> None:
    archive = told.archive()
    found = archive.front()
    if found is None:
        assert not told.feasible
        return
    population, evaluation = found
    losses = told.evaluation.losses[told.feasible]
    expected = losses[pareto.front(losses)]
    np.testing.assert_array_equal(evaluation.losses, expected[np.lexsort(expected.T[::-1])])
    assert archive.hypervolume == pytest.approx(pareto.hypervolume(losses))
    for genome, of_it in zip(population, evaluation.losses, strict=True):
        row = np.flatnonzero((told.population == genome).all(axis=1))[0]
        np.testing.assert_array_equal(told.evaluation.losses[row], of_it)
    assert told.archive(front=False).front() is None


@given(histories(), st.integers(1, 60))
def test_the_different_ones_differ_and_the_best_is_first(told: Told, k: int) -> None:
    archive = told.archive(front=False)
    found = archive.different(k, SPANS)
    if found is None:
        assert not told.feasible
        return
    population, evaluation = found
    assert len(population) == len(np.unique(population, axis=0)) == min(k, len(told.feasible))
    assert archive.best is not None
    np.testing.assert_array_equal(population[:1], archive.best[0])
    assert evaluation.objective.tolist() == sorted(evaluation.objective, reverse=True)


@given(histories(), st.integers(1, 60))
def test_with_a_front_the_different_ones_are_on_it_and_its_best_is_first(told: Told, k: int) -> None:
    archive = told.archive()
    front, different = archive.front(), archive.different(k, SPANS)
    if front is None:
        assert different is None
        return
    assert different is not None
    members = front[0].tolist()
    assert [row for row in different[0].tolist() if row not in members] == []
    assert len(different[0]) == len(np.unique(different[0], axis=0)) == min(k, len(members))
    assert different[1].objective[0] == front[1].objective.max()


def test_without_a_front_the_best_is_found() -> None:
    archive = Archive()
    assert archive.different(1, SPANS) is None
    archive.add(some(3), judged([1, 3, 2], 0.0, np.empty((3, 0))))
    found = archive.different(1, SPANS)
    assert found is not None
    np.testing.assert_array_equal(found[0], some(3)[1:2])


def test_a_front_of_too_many_keeps_the_one_with_the_highest_objective() -> None:
    """Whoever stands closest to its neighbours is dropped, but the one that is to be found."""
    n = FRONT + 100
    first = np.sort(np.concatenate([np.linspace(0, 1, n - 3), 0.5 + np.array([1e-5, 2e-5, 3e-5])]))
    objective = np.zeros(n)
    objective[np.searchsorted(first, 0.5 + 2e-5)] = 1.0
    archive = Archive()
    archive.add(some(n), judged(objective, 0.0, np.column_stack([first, 1 - first])))
    found = archive.different(1, SPANS)
    assert found is not None
    assert found[1].objective[0] == 1.0
    front = archive.front()
    assert front is not None
    assert len(front[0]) <= FRONT


def distances(population: Population) -> list[float]:
    span = np.maximum(SPANS, 1.0)
    return [float(np.abs((one - other) / span).sum()) for one, other in pairwise(population.astype(float))]


def test_diverse_architectures_keep_a_distance_if_enough_exist() -> None:
    archive = Archive()
    near = SPACE.neighbours(some(1)[0])
    others = some(200, max_params=1e7)
    population = np.concatenate([some(1), near, others])
    archive.add(population, judged(-np.arange(len(population)), 0.0, np.zeros((len(population), 0))))
    found = archive.different(4, SPANS)
    assert found is not None
    assert min(distances(found[0])) >= APART
    np.testing.assert_array_equal(found[0][0], population[0])
    assert found[1].objective[1] <= -len(near)  # a neighbour of the best is nothing different


def test_only_the_best_of_many_are_remembered() -> None:
    population = some(ELITE + 200)
    objective = np.random.default_rng(0).permutation(len(population)).astype(float)
    archive = Archive()
    for start in range(0, len(population), 90):
        archive.add(population[start : start + 90], judged(objective[start : start + 90]))
    assert archive.best_objective == objective.max()
    elite = archive.elite(ELITE + 200)
    assert elite is not None
    np.testing.assert_array_equal(elite[0], population[np.argsort(-objective)[:ELITE]])


def test_a_front_of_too_many_keeps_those_that_stand_apart_and_its_volume() -> None:
    n = FRONT + 100
    first = np.random.default_rng(0).permutation(np.linspace(0, 1, n))
    evaluation = judged(np.zeros(n), 0.0, np.column_stack([first, 1 - first]))
    archive, volumes = Archive(), []
    for start in range(0, n, 40):
        rows = np.arange(start, start + 40)
        archive.add(some(n)[rows], evaluation.take(rows))
        volumes.append(archive.hypervolume)
    found = archive.front()
    assert found is not None
    assert len(found[0]) == FRONT
    assert volumes == sorted(volumes)
    assert found[1].losses[0].tolist() == [0, 1]
    assert found[1].losses[-1].tolist() == [1, 0]
    assert np.diff(found[1].losses[:, 0]).max() < 5 / n
    assert archive.hypervolume == pytest.approx(pareto.hypervolume(evaluation.losses), rel=0.01)
