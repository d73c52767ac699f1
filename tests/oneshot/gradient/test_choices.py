from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from ohmnas.errors import InfeasibleError
from ohmnas.oneshot.gradient import choices
from ohmnas.oneshot.gradient.cells import CellRelaxation
from ohmnas.oneshot.gradient.choices import check_feasible, drawn, log_probability, most_probable
from ohmnas.spaces.bounds import Bounds

from .conftest import SPACE, problem, random_probabilities


@pytest.mark.parametrize(("seed", "most"), [(0, 80_000), (1, 150_000), (2, 400_000), (3, np.inf)])
def test_the_most_probable_network_meets_the_limits_and_no_better_one_does(seed: int, most: float) -> None:
    relaxation, asked = CellRelaxation(SPACE, 4, 1), problem(max_params=most)
    probabilities = random_probabilities(seed)
    genome, log = most_probable(relaxation, asked, probabilities, np.random.default_rng(0))
    assert SPACE.layers(genome).params()[0] <= most
    every = relaxation.every()
    better = every[log_probability(every, probabilities) > log + 1e-9]
    genomes = relaxation.genomes(better)
    assert not (asked.affordable(genomes) & relaxation.works(genomes)).any()


def test_random_combinations_follow_the_probabilities() -> None:
    probabilities = np.array([[0.5, 0.5, 0.0], [0.1, 0.2, 0.7]])
    found = drawn(probabilities, 20_000, np.random.default_rng(0))
    for column in range(2):
        shares = np.bincount(found[:, column], minlength=3) / len(found)
        np.testing.assert_allclose(shares, probabilities[column], atol=0.02)


def test_no_missing_option_is_drawn_if_the_probabilities_are_rounded() -> None:
    class AlmostOne:
        def random(self, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
            return np.full(shape, np.nextafter(1.0, 0.0))

    rng = np.random.default_rng(0)
    for _ in range(100):
        two = rng.dirichlet([1.0, 1.0]).astype(np.float32).astype(np.float64)
        rows = np.array([[*two, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]])
        assert drawn(rows, 1, AlmostOne()).tolist() == [[1, 3]]  # type: ignore[arg-type]


def test_a_cell_without_a_path_is_never_found(relaxation: CellRelaxation) -> None:
    only_none = np.full((6, 5), 1e-6)
    only_none[:, 0] = 1.0 - 4e-6
    genome, _ = most_probable(relaxation, problem(), only_none, np.random.default_rng(0))
    assert (genome != 0).any()


def test_impossible_limits_name_the_nearest_network(relaxation: CellRelaxation) -> None:
    with pytest.raises(InfeasibleError, match=r"at most 1,000 params.* the nearest has 7\d,\d{3} params"):
        check_feasible(relaxation, problem(max_params=1000))


def test_the_nearest_network_is_within_the_bounds(relaxation: CellRelaxation) -> None:
    only_one = replace(problem(max_params=1000), within=Bounds.of(SPACE.genes, {SPACE.gene_names[0]: (3, 3)}))
    with pytest.raises(InfeasibleError, match=r"none of 1,960 cells .*: \|nor_conv_3x3~0\|"):
        check_feasible(relaxation, only_one)


def test_two_limits_that_exclude_each_other_are_refused(relaxation: CellRelaxation) -> None:
    with pytest.raises(InfeasibleError, match="the nearest has"):
        check_feasible(relaxation, problem(max_params=80_000, max_latency=1e-7))


def test_limits_that_were_feasible_stay_so_when_combinations_are_sampled(
    relaxation: CellRelaxation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choices, "ENUMERATED", 10)
    asked = problem(max_params=80_000)
    check_feasible(relaxation, asked)
    only_convolutions = np.full((6, 5), 1e-300)
    only_convolutions[:, 3] = 1.0
    genome, _ = most_probable(relaxation, asked, only_convolutions, np.random.default_rng(1))
    assert SPACE.layers(genome).params()[0] <= 80_000


@pytest.mark.parametrize("most", [72_000, 75_000, 80_000])
def test_a_search_never_ends_without_a_network_after_the_limits_were_checked(
    relaxation: CellRelaxation, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(choices, "ENUMERATED", 10)
    monkeypatch.setattr(choices, "SAMPLED", 400)
    asked = problem(max_params=most)
    try:
        check_feasible(relaxation, asked)
    except InfeasibleError:
        return
    for seed in range(5):
        genome, _ = most_probable(relaxation, asked, random_probabilities(seed), np.random.default_rng(seed))
        assert SPACE.layers(genome).params()[0] <= most
