from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from ohmnas.search import Problem
from ohmnas.search.strategies.alphabet import MOST, Alphabet, Reward
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.resnet import genes
from tests.search.conftest import SPACE, problem

seeds = st.integers(0, 2**32 - 1)
widths = st.sampled_from([(8, 128), (8, 8), (20, 36), (20, 35), (64, 128)])
"""Of OC0: the one gene with more values than a gene has letters."""


def alphabet(within: Bounds | None = None) -> tuple[Alphabet, Problem]:
    one = replace(problem()[0], within=within)
    return Alphabet.of(one), one


@given(widths)
def test_the_bins_of_a_gene_are_all_its_values_in_order(width: tuple[int, int]) -> None:
    letters, one = alphabet(Bounds.of(SPACE.genes, {"OC0": width, "R": (3, 9), "KS0": (3, 5)}))
    for gene in range(genes.GENES):
        first, last, step = letters.first[gene], letters.last[gene], letters.step[gene]
        values = [value for low, high in zip(first, last, strict=True) for value in range(low, high + 1, step)]
        assert values == one.choices(gene).tolist()
        assert len(first) == letters.sizes[gene] == min(len(values), letters.sizes[gene])
        assert letters.sizes[gene] <= MOST
        assert len(values) > MOST or np.array_equal(first, last)  # small ranges have a letter for each value


def test_wide_ranges_have_finer_bins_where_values_are_small() -> None:
    letters, _ = alphabet()
    size = letters.last[genes.OC0] - letters.first[genes.OC0] + 1
    assert size[0] == 1
    assert size[-1] > 20
    assert (np.diff(size) >= -1).all()
    assert letters.sizes[genes.OC0] > 10


@given(seeds, widths)
@settings(max_examples=30)
def test_tokens_decode_to_the_same_bins(seed: int, width: tuple[int, int]) -> None:
    rng = np.random.default_rng(seed)
    letters, one = alphabet(Bounds.of(SPACE.genes, {"OC0": width}))
    population = one.repair(SPACE.sample_uniform(30, rng))
    read = letters.read(population)
    again = one.repair(letters.write(read, rng))
    assert np.array_equal(letters.read(again), read)
    others = [gene for gene in range(genes.GENES) if gene != genes.OC0]
    assert np.array_equal(again[:, others], population[:, others])
    place = read[:, genes.OC0]
    assert (again[:, genes.OC0] >= letters.first[genes.OC0][place]).all()
    assert (again[:, genes.OC0] <= letters.last[genes.OC0][place]).all()


@given(seeds)
@settings(max_examples=20)
def test_genes_of_blocks_that_do_not_exist_have_no_letter(seed: int) -> None:
    letters, _ = alphabet()
    population = SPACE.sample_uniform(20, np.random.default_rng(seed))
    read = letters.read(population)
    exists = np.repeat(genes.active_blocks(population), genes.GENES_PER_BLOCK, axis=1)
    assert np.array_equal(read[:, genes.FIRST_BLOCK_GENE :] >= 0, exists)
    assert (read[:, : genes.FIRST_BLOCK_GENE] >= 0).all()
    assert (read < np.array(letters.sizes)).all()


def test_every_value_of_a_bin_is_written(rng: np.random.Generator) -> None:
    letters, one = alphabet()
    every = np.zeros((4000, genes.GENES), dtype=np.intp)
    every[:, genes.OC0] = letters.sizes[genes.OC0] - 1
    values, counts = np.unique(letters.write(every, rng)[:, genes.OC0], return_counts=True)
    assert values.tolist() == list(range(letters.first[genes.OC0][-1], 129))
    assert counts.min() > 0.6 * counts.mean()
    every[:, genes.KS0] = 1
    assert set(letters.write(every, rng)[:, genes.KS0]) == {5}
    population = one.repair(letters.write(every, rng))
    assert np.array_equal(SPACE.check(population), population)


@given(seeds, st.integers(1, 40), st.integers(1, 40))
def test_rewards_are_shares_in_the_order_of_the_objectives(seed: int, before: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    reward = Reward()
    reward(rng.integers(20, size=before).astype(float), rng.random(before) < 0.5)
    objective, feasible = rng.integers(-20, 40, size=n).astype(float), rng.random(n) < 0.7
    given_: npt.NDArray[np.float64] = reward(objective, feasible)
    assert ((given_ >= 0) & (given_ <= 1)).all()
    assert (given_[~feasible] == 0).all()
    assert (given_[feasible] > 0).all()
    order = np.argsort(objective[feasible])
    here, there = given_[feasible][order], objective[feasible][order]
    assert ((np.diff(here) > 0) == (np.diff(there) > 0)).all()


def test_the_best_so_far_has_the_whole_reward_and_the_middle_a_quarter() -> None:
    reward = Reward()
    all_feasible = np.ones(100, dtype=bool)
    first = reward(np.arange(100.0), all_feasible)
    assert first[-1] == 1
    assert first[49] == 0.25
    assert reward(np.array([200.0]), all_feasible[:1]).tolist() == [1.0]
    assert reward(np.array([-5.0]), all_feasible[:1])[0] == (1 / 102) ** 2


def test_without_feasible_rows_no_row_has_a_reward() -> None:
    assert Reward()(np.array([5.0, 7.0]), np.zeros(2, dtype=bool)).tolist() == [0.0, 0.0]
