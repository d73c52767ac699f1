from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from ohmnas.errors import InvalidValueError
from ohmnas.estimate import Estimate
from ohmnas.refine.batch import Split, candidates, choose, scaled
from ohmnas.search import Limits, Problem
from ohmnas.search.objectives import objective
from ohmnas.spaces.genes import Population
from ohmnas.testing.formula import SPACE, Formula
from tests.refine.conftest import SMALL

PROBLEM = Problem(SPACE, Formula(), Limits(max_params=50_000), objective("accuracy"))


def test_candidates_are_affordable_new_and_contain_mutants_of_the_leaders(rng: np.random.Generator) -> None:
    measured = PROBLEM.sample(30, rng)
    pool = candidates(PROBLEM, measured[:5], measured, 0, SMALL)
    assert PROBLEM.affordable(pool).all()
    keys = [genome.tobytes() for genome in pool]
    assert len(keys) == len(set(keys)) > 100
    assert not {genome.tobytes() for genome in measured} & set(keys)
    distance = np.abs(scaled(PROBLEM, pool)[:, None] - scaled(PROBLEM, measured[:5])[None]).sum(axis=2).min(axis=1)
    assert (distance < 0.5).sum() > 20
    assert (candidates(PROBLEM, measured[:5], measured, 0, SMALL) == pool).all()


class Interrupted(Formula):
    """Ctrl-C comes at the third question."""

    def __init__(self) -> None:
        super().__init__()
        self.questions = 0

    def estimate(self, population: Population) -> Estimate:
        self.questions += 1
        if self.questions == 3:
            raise KeyboardInterrupt
        return super().estimate(population)


def test_an_interrupted_search_gives_no_candidates(rng: np.random.Generator) -> None:
    problem = Problem(SPACE, Interrupted(), Limits(max_params=50_000), objective("accuracy"))
    measured = problem.sample(30, rng)
    with pytest.raises(KeyboardInterrupt):
        candidates(problem, measured[:5], measured, 0, SMALL)


def test_candidates_are_there_if_nothing_is_predicted_to_meet_the_limits(rng: np.random.Generator) -> None:
    hopeless = Problem(SPACE, Formula(avm_offset=0.8), Limits(max_params=50_000, max_avm=0.01), objective("accuracy"))
    measured = hopeless.sample(30, rng)
    assert len(candidates(hopeless, measured[:0], measured, 0, SMALL)) > 100


def test_a_batch_has_its_parts_without_twins(rng: np.random.Generator) -> None:
    measured, pool = np.split(PROBLEM.sample(400, rng), [50])
    evaluation = PROBLEM.evaluate(pool)
    chosen = choose(PROBLEM, pool, evaluation, measured, measured[:5], 12)
    assert [part for _, part in chosen] == ["best"] * 6 + ["uncertain"] * 3 + ["mutant"] * 3
    assert chosen[0][0] == evaluation.order()[0]
    rows = [row for row, _ in chosen]
    assert len(set(rows)) == 12
    here = scaled(PROBLEM, pool[rows])
    assert all(np.abs(one - other).sum() > 0.1 for one, other in combinations(here[:6], 2))
    front = set(evaluation.order()[:35].tolist())
    assert all(row in front for row, part in chosen if part == "uncertain")


def test_a_batch_is_no_larger_than_its_candidates(rng: np.random.Generator) -> None:
    pool = PROBLEM.sample(5, rng)
    chosen = choose(PROBLEM, pool, PROBLEM.evaluate(pool), pool[:0], pool[:0], 12)
    assert sorted(row for row, _ in chosen) == [*range(len(pool))]


@pytest.mark.parametrize("shares", [(1.0, 0.0), (0.0, 1.0), (0.0, 0.0)])
def test_a_batch_may_have_one_part(shares: tuple[float, float], rng: np.random.Generator) -> None:
    measured, pool = np.split(PROBLEM.sample(300, rng), [20])
    chosen = choose(PROBLEM, pool, PROBLEM.evaluate(pool), measured, measured[:5], 8, Split(*shares))
    assert len({part for _, part in chosen}) == 1
    assert len(chosen) == 8


def test_invalid_shares_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="add up to at most 1"):
        Split(0.8, 0.4)
    assert Split(0.5, 0.5).counts(1) == (0, 0, 1) or sum(Split(0.5, 0.5).counts(1)) == 1
