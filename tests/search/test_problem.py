from __future__ import annotations

import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmnas.errors import InfeasibleError, InvalidValueError, UnknownNameError
from ohmnas.estimate import Estimate
from ohmnas.search.limits import Limits
from ohmnas.search.problem import Problem
from ohmnas.search.quantity_names import COSTS
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import MUTATION_RATES, ResNetSpace, genes

from .conftest import CHIP, FEW, SPACE, Formula, Monthly, exact_cost, predicted, problem, some

BOUNDS = [
    FEW,
    Bounds.of(SPACE.genes, {"M": (2, 3), "KS0": (5, 7), "R": (2, 5), "R1": (1, 1), "skip": (1, 1)}),
    Bounds.of(SPACE.genes, {"M": (5, 5), "OC0": (9, 9), "CT": (2, 2), "B2": (3, 4), "WF": (1, 2)}),
]
KNOWN = (*(target.name for target in Monthly().targets), *COSTS)
"""All quantities of an estimator's targets, and costs."""
within = st.sampled_from(BOUNDS)
seeds = st.integers(0, 2**32 - 1)


def bounded(bounds: Bounds) -> Problem:
    return Problem(SPACE, Formula(), Limits(), within=bounds, chip=CHIP)


def test_affordable_means_within_every_cost_limit_exactly(rng: np.random.Generator) -> None:
    one, _ = problem()
    population = SPACE.sample(500, rng, 1e5, 4e6)
    params, macs = SPACE.params(population), SPACE.macs(population)
    expected = (params <= 50_000) & (params >= 1000) & (macs <= 2e6)
    assert np.array_equal(one.affordable(population), expected)
    exactly = Problem(SPACE, Formula(), Limits(max_params=float(params[0]), min_params=float(params[0])))
    assert exactly.affordable(population)[0]


def test_affordable_checks_limits_and_bounds_and_fits_checks_limits_only() -> None:
    population = np.concatenate([some(200), FEW.nth(np.arange(FEW.size, dtype=np.int64))])
    one = Problem(SPACE, Formula(), Limits(max_params=5000), within=FEW)
    fits = SPACE.params(population) <= 5000
    np.testing.assert_array_equal(one.fits(population), fits)
    np.testing.assert_array_equal(one.affordable(population), fits & FEW.contain(population))
    assert one.affordable(population).any()
    assert (one.affordable(population) != fits).any()


def test_samples_are_affordable_and_all_different(rng: np.random.Generator) -> None:
    one, _ = problem(20_000)
    population = one.sample(200, rng)
    assert one.affordable(population).all()
    assert len(np.unique(population, axis=0)) == len(population) == 200
    assert one.sample(0, rng).shape == (0, genes.GENES)


def test_samples_meet_limits_on_all_costs(rng: np.random.Generator) -> None:
    half = {name: float(np.median(exact_cost(name, some(200)))) for name in ("tiles", "memory", "energy")}
    limits = Limits(max_tiles=half["tiles"], max_memory=half["memory"], max_energy=half["energy"])
    population = Problem(SPACE, Formula(), limits, chip=CHIP).sample(100, rng)
    assert 0 < len(population) <= 100
    assert all((exact_cost(name, population) <= most).all() for name, most in half.items())


def test_limits_that_nothing_meets_end_a_sample_with_a_message(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ohmnas.search.problem._DRAWS", 3)  # the usual ones take seconds
    with pytest.raises(InfeasibleError, match=r"found only 0 of 2000 architectures .* and 0 to 10 MACs"):
        Problem(SPACE, Formula(), Limits(max_macs=10)).sample(10, rng)
    with pytest.raises(InfeasibleError, match="none of the 2,020 sampled architectures meets all limits on costs"):
        Problem(SPACE, Formula(), Limits(max_energy=1e-30), chip=CHIP).sample(10, rng)


@given(within, seeds)
def test_all_that_a_problem_makes_is_canonical_and_within_its_bounds(bounds: Bounds, seed: int) -> None:
    rng = np.random.default_rng(seed)
    one = bounded(bounds)
    mothers, fathers = (one.repair(SPACE.sample_uniform(8, rng)) for _ in range(2))
    made: dict[str, Population] = {
        "repaired": mothers,
        "from anything": one.repair(rng.integers(-300, 300, (8, genes.GENES))),
        "mutants": one.mutate(mothers, rng, MUTATION_RATES),
        "children": one.cross(mothers, fathers, rng),
        "neighbours": one.neighbours(mothers[0]),
    }
    for name, population in made.items():
        assert bounds.contain(SPACE.check(population)).all(), name
    np.testing.assert_array_equal(one.repair(mothers), mothers)
    assert len(made["mutants"]) == len(made["children"]) == 8


@pytest.mark.parametrize("bounds", BOUNDS)
def test_samples_are_within_bounds(bounds: Bounds, rng: np.random.Generator) -> None:
    population = bounded(bounds).sample(30, rng)
    assert bounds.contain(SPACE.check(population)).all()
    assert len(population) > 10


@given(within, seeds)
def test_neighbours_within_bounds_are_the_neighbours_that_are_within(bounds: Bounds, seed: int) -> None:
    one = bounded(bounds)
    genome = one.repair(SPACE.sample_uniform(1, np.random.default_rng(seed)))[0]
    found = one.neighbours(genome)
    near = {row.tobytes() for row in found}
    everywhere = SPACE.neighbours(genome)
    assert {row.tobytes() for row in everywhere[bounds.contain(everywhere)]} <= near
    assert bounds.contain(found).all()
    assert genome.tobytes() not in near
    assert len(near) == len(found)


def test_within_bounds_that_forbid_small_blocks_a_main_block_can_still_be_added() -> None:
    bounds = Bounds.of(SPACE.genes, {"M": (1, 3), "R": (2, 4), "B": (3, 3)})
    one = bounded(bounds)
    genome = bounds.project(SPACE.sample_uniform(1, np.random.default_rng(0)))[0]
    genome = Bounds.of(SPACE.genes, {"M": (1, 1), "R": (2, 4), "B": (3, 3)}).project(genome[None])[0]
    assert genome[genes.M] == 1
    assert 2 in one.neighbours(genome)[:, genes.M]


def test_without_bounds_operators_are_those_of_the_space() -> None:
    one, _ = problem()
    mothers, fathers = some(20), some(20, seed=1)
    for mine, theirs in (
        (
            one.mutate(mothers, np.random.default_rng(3), MUTATION_RATES),
            SPACE.mutate(mothers, np.random.default_rng(3)),
        ),
        (
            one.cross(mothers, fathers, np.random.default_rng(3)),
            SPACE.cross(mothers, fathers, np.random.default_rng(3)),
        ),
        (one.neighbours(mothers[0]), SPACE.neighbours(mothers[0])),
    ):
        np.testing.assert_array_equal(mine, theirs)
    assert [one.choices(gene).tolist() for gene in (genes.KS0, genes.M)] == [[3, 5, 7], [1, 2, 3, 4, 5]]
    assert bounded(FEW).choices(genes.OC0).tolist() == list(range(8, 15))


def test_the_objective_is_accuracy_over_std_and_excess_is_beyond_the_limit(rng: np.random.Generator) -> None:
    one, formula = problem()
    population = one.sample(50, rng)
    found, said = one.evaluate(population), formula.estimate(population)
    assert np.array_equal(found.objective, said["accuracy_1d"] / said["accuracy_1d_std"])
    assert np.array_equal(found.shortfall > 0, said["avm"] > 0.02)
    assert found.losses.shape == (50, 0)


def test_a_front_has_the_losses_of_its_quantities() -> None:
    limits = Limits(max_params=50_000, max_avm=0.04)
    one = Problem(SPACE, Formula(), limits, pareto=("accuracy_1d", "avm", "params"), chip=CHIP)
    population = some(40)
    said = Formula().estimate(population)
    worst = 1.0 - one.scale("accuracy_1d")[1]
    by_hand = [(1 - said["accuracy_1d"]) / worst, said["avm"] / 0.04, SPACE.params(population) / 50_000]
    np.testing.assert_allclose(one.evaluate(population).losses, np.column_stack(by_hand))


def test_a_scale_ends_at_the_limit_or_else_at_the_worst_of_a_sample() -> None:
    limits = Limits(max_params=50_000, max_avm=0.04, min_accuracy=0.4, soft={"macs": 1e5})
    one = Problem(SPACE, Formula(), limits, chip=CHIP)
    assert one.scale("params") == (0.0, 50_000)
    assert one.scale("avm") == (0.0, 0.04)
    assert one.scale("accuracy_1d") == (1.0, 0.4)
    assert one.scale("macs") == (0.0, 1e5)
    sample = one.sample(256, np.random.default_rng(0))
    assert one.scale("tiles") == (0.0, exact_cost("tiles", sample).max())
    assert one.scale("accuracy_1d_std") == (0.0, Formula().estimate(sample)["accuracy_1d_std"].max())
    free = replace(one, limits=Limits(max_params=50_000))
    assert free.scale("accuracy_1d") == (1.0, Formula().estimate(sample)["accuracy_1d"].min())


@pytest.mark.parametrize("name", KNOWN)
def test_losses_are_0_at_best_1_at_the_end_and_larger_for_worse(name: str) -> None:
    one = Problem(SPACE, Monthly(), Limits(max_params=50_000), chip=CHIP)
    best, worst = one.scale(name)
    losses = one.loss(name, np.linspace(best, worst, 5))
    np.testing.assert_allclose(losses, [0, 0.25, 0.5, 0.75, 1], atol=1e-12)
    assert (worst < best) == (name in {"accuracy_1d", "accuracy_1mo"})


def test_scales_are_the_same_whenever_and_wherever_they_are_asked_for() -> None:
    one, two = (Problem(SPACE, Monthly(), Limits(max_params=50_000), chip=CHIP) for _ in range(2))
    forwards = {name: one.scale(name) for name in KNOWN}
    two.evaluate(some(30))
    assert {name: two.scale(name) for name in reversed(KNOWN)} == forwards
    assert replace(one, estimator=two.estimator) == two  # what was computed is no part of the problem


def test_a_problem_with_other_limits_has_other_scales() -> None:
    one = Problem(SPACE, Formula(), Limits(max_params=50_000), chip=CHIP)
    assert one.scale("params") == (0.0, 50_000)
    assert replace(one, limits=Limits(max_params=9000)).scale("params") == (0.0, 9000)


@dataclass
class Constant(Formula):
    """Says the same of all."""

    accuracy: float = 1.0
    avm: float = 0.0

    def estimate(self, population: Population) -> Estimate:
        same = np.ones(len(population))
        return predicted(self.accuracy * same, 0.01 * same, self.avm * same)


def test_a_quantity_that_is_perfect_everywhere_has_no_loss() -> None:
    one = Problem(SPACE, Constant(), Limits(max_params=9000), pareto=("accuracy_1d", "avm"))
    assert one.evaluate(some(5)).losses.tolist() == [[0.0, 0.0]] * 5
    assert np.isfinite(one.loss("params", exact_cost("params", some(5)))).all()


def test_smaller_losses_are_better_beyond_the_best_possible_value() -> None:
    """An AVM below 0 is an accuracy that rose; a sample may have no other."""
    one = Problem(SPACE, Constant(avm=-0.02), Limits(max_params=9000))
    assert one.loss("avm", np.array([-0.03, -0.02, 0.0])).tolist() == [-0.03, -0.02, 0.0]
    limited = Problem(SPACE, Formula(), Limits(max_params=9000, max_avm=-0.01))
    losses = limited.loss("avm", np.array([-0.03, -0.02, 0.0]))
    assert losses.tolist() == sorted(losses.tolist())


class FormulaOfSpace(Formula):
    """An estimator of one space, as a surrogate is."""

    @property
    def space(self) -> ResNetSpace:
        return SPACE


@pytest.mark.parametrize("other", [ResNetSpace((1, 8, 8), 11), ResNetSpace((3, 8, 8), 10)])
def test_estimators_of_another_space_are_refused(other: ResNetSpace) -> None:
    Problem(SPACE, FormulaOfSpace(), Limits())
    with pytest.raises(InvalidValueError, match="the estimator is for"):
        Problem(other, FormulaOfSpace(), Limits())


def test_a_front_is_of_at_least_two_different_quantities() -> None:
    for names in (("avm",), ("avm", "avm"), ("avm", "macs", "avm")):
        with pytest.raises(InvalidValueError, match="at least two different quantities"):
            Problem(SPACE, Formula(), Limits(), pareto=names)
    with pytest.raises(UnknownNameError, match="unknown quantity 'speed'"):
        Problem(SPACE, Formula(), Limits(), pareto=("avm", "speed"))


def test_a_problem_is_json_with_bounds_where_there_are_any() -> None:
    one, _ = problem()
    assert one.constraints == one.limits.to_dict()
    bounds = json.loads(json.dumps(replace(one, within=BOUNDS[1]).constraints))["genes"]
    assert bounds["M"] == [2, 3]
    assert bounds["R1"] == [1, 1]
    assert bounds["R5"] == [2, 5]
    assert not {"OC0", "B1"} & bounds.keys()


def test_a_chip_is_known_if_it_is_given() -> None:
    assert Problem(SPACE, Formula(), Limits(), chip=CHIP).has_chip
    assert not Problem(SPACE, Formula(), Limits()).has_chip
