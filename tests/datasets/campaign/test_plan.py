from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ohmnas.datasets.campaign.options import PLANS
from ohmnas.datasets.campaign.plan import MUTATIONS, PLAN_BLOCK, fitting_references, mutants, plan
from ohmnas.datasets.tasks.task import task
from ohmnas.errors import InfeasibleError, UnknownNameError
from ohmnas.spaces.resnet.references import REFERENCES

DIGITS = task("digits")


@pytest.mark.parametrize("kind", PLANS)
def test_a_plan_does_not_depend_on_how_long_it_is(kind: str) -> None:
    long = plan(DIGITS, 2 * PLAN_BLOCK + 10, kind=kind)
    for n in (3, 50, PLAN_BLOCK + 20):
        assert np.array_equal(plan(DIGITS, n, kind=kind), long[:n])
    assert len(np.unique(long, axis=0)) == len(long)
    assert not np.array_equal(plan(DIGITS, 50, seed=1, kind=kind)[20:], long[20:50])


def test_every_second_network_of_a_mixed_plan_is_a_mutant_of_a_reference() -> None:
    known = fitting_references(DIGITS)
    mixed, spread = (plan(DIGITS, len(known) + 60, kind=kind)[len(known) :] for kind in PLANS)
    evenly = {genome.tobytes() for genome in spread}
    there = np.array([genome.tobytes() in evenly for genome in mixed])
    assert 28 <= there.sum() <= 32
    assert np.array_equal(mixed[there], spread[: there.sum()])
    ways = np.array([(np.abs(genome - known) > 0).sum(axis=1).min() for genome in mixed[~there]])
    others = np.array([(np.abs(genome - known) > 0).sum(axis=1).min() for genome in spread])
    assert ways.mean() < 0.7 * others.mean()


def test_mutants_are_one_to_four_steps_away(rng: np.random.Generator) -> None:
    parent = DIGITS.space.encode([REFERENCES["resnet14-w8"]])
    found = mutants(DIGITS, parent, 500, rng)
    assert 250 < len(found) <= 500
    assert np.array_equal(DIGITS.space.check(found), found)
    # blocks, channels and kernels change; no gene moves further than four of its largest steps
    assert (np.abs(found[:, 2] - parent[0, 2]) <= MUTATIONS).all()
    assert len(np.unique(found, axis=0)) > 200


def test_an_unknown_plan_names_those_that_exist() -> None:
    with pytest.raises(UnknownNameError, match="mixed, spread"):
        plan(DIGITS, 3, kind="winners")


def test_a_plan_stays_within_the_bounds_and_starts_with_references() -> None:
    population = plan(DIGITS, 150)
    costs = DIGITS.space.layers(population)
    assert (costs.params() <= DIGITS.max_params).all()
    assert (costs.params() >= DIGITS.min_params).all()
    assert (costs.macs() <= DIGITS.max_macs).all()
    known = DIGITS.space.encode(REFERENCES.values())
    fitting = known[DIGITS.space.params(known) <= DIGITS.max_params]
    assert np.array_equal(population[: len(fitting)], fitting)


def test_a_plan_that_is_longer_than_its_bounds_allow_ends_with_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ohmnas.datasets.campaign.plan._PATIENCE", 1)
    tight = replace(DIGITS, min_params=0, max_params=400)
    assert len(plan(tight, 20)) == 20
    with pytest.raises(InfeasibleError, match="found only"):
        plan(tight, 100_000)
