from __future__ import annotations

import numpy as np

from ohmnas.spaces.mobile import MobileSpace, genes


def test_resolutions_that_give_one_image_are_one_genome() -> None:
    space = MobileSpace((1, 3, 3), 2)
    population = space.sample_uniform(50, np.random.default_rng(0))
    wild = population.copy()
    wild[:, genes.RES] = 8
    assert set(space.canonical(wild)[:, genes.RES].tolist()) == {6}  # 6/8 of 3 pixels are 3, rounded up
    assert set(population[:, genes.RES].tolist()) <= {4, 6}


def test_sides_are_rounded_up() -> None:
    assert genes.resized(np.array([4, 5, 8], dtype=np.int16), 9).tolist() == [5, 6, 9]


def test_stage_genes_are_those_of_the_columns() -> None:
    population = MobileSpace((1, 8, 8), 2).sample_uniform(5, np.random.default_rng(0))
    for row, family in enumerate(("D", "E", "K", "W", "S")):
        assert (population[:, genes.TABLE.columns(family)] == genes.by_gene(population)[row].T).all()
