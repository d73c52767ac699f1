"""Searching networks and chips together, with every strategy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ohmnas.costs.crossbar import crossbar_costs
from ohmnas.errors import BrokenFileError, InvalidValueError
from ohmnas.estimate import Estimate
from ohmnas.hardware import chip_genes as chips
from ohmnas.hardware import hardware
from ohmnas.hardware.chip_genes import ADC, DAC, TECH, TILE
from ohmnas.search import STRATEGIES, Budget, Limits, Problem, SearchResult, read_result, search, write_result
from ohmnas.search.objective import Accuracy
from ohmnas.search.strategies.evolution import Evolution
from ohmnas.search.strategy import Strategy
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.codesign import CoDesignSpace
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.spaces.resnet.references import REFERENCES

from .conftest import Formula, predicted

SPACE = CoDesignSpace.on(ResNetSpace((1, 8, 8), 10))
FEW: dict[str, tuple[int, int]] = {"M": (1, 1), "KS0": (3, 3), "OC0": (8, 9), "R": (1, 1), "B": (1, 2), "WF": (1, 1)}
NARROW = Bounds.of(SPACE.genes, {**FEW, "TILE": (6, 7), "DAC": (8, 8)})
ENERGY = 4e-6
MADE: dict[str, Callable[..., Strategy]] = dict(STRATEGIES)


class OfDesigns(Formula):
    """Bits of the ADC help, ReRAM hurts; all else is the formula of networks."""

    def estimate(self, population: Population) -> Estimate:
        said = super().estimate(population)
        chip = SPACE.chips(population)
        gain = 0.02 * (chip[:, ADC] - chips.LOW[ADC]) - 0.05 * (chip[:, TECH] == 2)
        return predicted(said["accuracy_1d"] + gain, said["accuracy_1d_std"], said["avm"])


def problem(within: Bounds | None = None, **limits: Any) -> Problem:
    return Problem(SPACE, OfDesigns(), replace(Limits(50_000, max_avm=0.05), **limits), within=within)


def energy(population: Population) -> Any:
    """``(n,)``: each network's on its own chip."""
    own = chips.descriptions(SPACE.chips(population))
    return crossbar_costs(SPACE.layers(population), own).energy


@pytest.fixture(params=list(STRATEGIES))
def make(request: pytest.FixtureRequest) -> Any:
    needs = {"nsga2": "pymoo", "bayesian": "optuna"}
    if request.param in needs:
        pytest.importorskip(needs[request.param])
    if request.param == "bayesian":
        return partial(MADE["bayesian"], startup=8, candidates=4)
    return MADE[request.param]


def test_every_strategy_finds_a_design_within_the_limits_of_its_own_chip(make: Any) -> None:
    one = problem(NARROW, max_energy=ENERGY)
    found = search(one, make, 0, Budget(12, 5))
    asked = np.concatenate(one.estimator.asked)  # type: ignore[attr-defined]
    assert np.array_equal(SPACE.check(asked), asked)
    inside = asked[one.bounds.contain(asked)]  # the others are references on their best chip
    assert (energy(inside) <= ENERGY).all()
    best = np.array([found.best.genome], dtype=np.int16)
    assert energy(best)[0] == found.best.costs["energy"] <= ENERGY
    assert found.best.chip == chips.to_hardware(SPACE.chips(best))[0].name
    assert hardware(found.best.chip).dac_bits == 8


@pytest.fixture(scope="module")
def found() -> SearchResult:
    return search(replace(problem(), objective=Accuracy()), Evolution, 0, Budget(60, 30), top=3)


def test_chips_are_searched_too(found: SearchResult) -> None:
    chip = hardware(found.best.chip)
    assert chip.adc_bits == chips.HIGH[ADC]
    assert chip.technology != "reram"


def test_bounds_hold_chips_where_they_are(make: Any) -> None:
    fixed = Bounds.of(SPACE.genes, {**FEW, "TECH": (1, 1), "TILE": (8, 8), "ADC": (5, 6)})
    asked = make(one := problem(fixed))
    population = one.repair(asked.ask(20, np.random.default_rng(0)))
    assert one.bounds.contain(population).all()
    assert (SPACE.chips(population)[:, [TECH, TILE]] == [1, 8]).all()


def test_a_grid_goes_through_all_networks_on_chips() -> None:
    one = problem(NARROW)
    result = search(one, STRATEGIES["grid"], 0, Budget(1000, 100))
    population = NARROW.nth(np.arange(NARROW.size))
    assert result.evaluations == one.affordable(population).sum() == NARROW.size
    assert len(np.unique(SPACE.chips(population), axis=0)) == 3 * 2 * 5


def test_the_same_seed_finds_the_same_design(found: SearchResult) -> None:
    again = search(replace(problem(), objective=Accuracy()), Evolution, 0, Budget(60, 30), top=3)
    assert again.best == found.best
    assert again.top == found.top


def test_results_come_back_from_their_file(found: SearchResult, tmp_path: Path) -> None:
    write_result(tmp_path / "result.json", found)
    back = read_result(tmp_path / "result.json")
    assert (back.best, back.top, back.references, back.space) == (found.best, found.top, found.references, SPACE)
    assert np.array_equal(back.population, found.population)


@pytest.mark.parametrize("chip", ["pcm", "pcm-t64-d4-a5", "pcm-t256-d8-a16", "nothing"])
def test_a_chip_that_its_genome_does_not_have_is_refused(found: SearchResult, chip: str, tmp_path: Path) -> None:
    wrong = replace(found, best=replace(found.best, chip=chip))
    write_result(tmp_path / "result.json", wrong)
    with pytest.raises(BrokenFileError, match="is not a search result"):
        read_result(tmp_path / "result.json")


def test_references_are_on_the_best_chip_for_them(found: SearchResult) -> None:
    assert {reference.name for reference in found.references} <= set(REFERENCES)
    assert len({reference.name for reference in found.references}) == len(found.references) > 0
    assert all(hardware(reference.chip).adc_bits == chips.HIGH[ADC] for reference in found.references)


def test_references_keep_to_the_bounds_of_the_chip() -> None:
    coarse = Bounds.of(SPACE.genes, {"ADC": (5, 6), "TECH": (0, 0)})
    result = search(problem(coarse), Evolution, 0, Budget(20, 2))
    assert result.references
    assert all(hardware(one.chip).technology == "pcm" for one in result.references)
    assert all(hardware(one.chip).adc_bits <= 6 for one in result.references)


def test_a_search_resumes_from_its_result(found: SearchResult) -> None:
    further = search(replace(problem(), objective=Accuracy()), Evolution, 1, Budget(60, 5), resume=found)
    assert further.evaluations > found.evaluations
    assert further.history[-1]["objective"] >= found.history[-1]["objective"]


def test_fronts_can_be_of_networks_and_chips() -> None:
    one = replace(problem(max_energy=ENERGY), pareto=("accuracy_1d", "energy", "cells"))
    result = search(one, Evolution, 0, Budget(60, 15))
    assert len({candidate.chip for candidate in result.front}) > 1
    assert result.to_dict()["front"][0]["chip"]


def test_bounds_of_networks_alone_do_not_fit() -> None:
    with pytest.raises(InvalidValueError, match=r"the bounds are not for the genes of resnet-1\+chips-1"):
        problem(Bounds.of(SPACE.networks.genes, {"M": (1, 2)}))


def test_mutation_of_the_chip_can_be_turned_off() -> None:
    one = problem()
    population = one.sample(50, np.random.default_rng(0))
    never = {"depth": 1.0, "width": 1.0, "other": 1.0, "chip": 0.0}
    children = one.mutate(population, np.random.default_rng(1), never)
    assert np.array_equal(SPACE.chips(children), SPACE.chips(population))
    always = one.mutate(population, np.random.default_rng(1), {**never, "chip": 1.0})
    assert (SPACE.chips(always) != SPACE.chips(population)).any(axis=1).all()
    assert (SPACE.chips(population)[:, DAC] >= chips.LOW[DAC]).all()
