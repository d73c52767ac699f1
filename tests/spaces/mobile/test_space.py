from __future__ import annotations

import numpy as np

from ohmnas.spaces.mobile import REFERENCES, MobileArchitecture, MobileStage

from .conftest import SPACE

NETWORK = MobileArchitecture(6, 16, 3, 2, 2, (MobileStage(3, 4, 5, 24, 2), MobileStage(1, 0, 3, 32, 1)))


def test_genomes_of_references_are_canonical() -> None:
    population = SPACE.encode(REFERENCES.values())
    assert SPACE.decode(population) == [*REFERENCES.values()]


def test_structure_counts_what_its_names_say() -> None:
    population = SPACE.encode([NETWORK])
    found = SPACE.structure(population, SPACE.layers(population))[:, 0]
    values = dict(zip(SPACE.structure_names, found.tolist(), strict=True))
    assert values["resolution"] == 9
    assert values["depth"] == NETWORK.depth == 14
    assert (values["blocks"], values["separable_share"]) == (4, 0.25)
    assert (values["mean_expansion"], values["mean_kernel"]) == (13 / 4, 18 / 4)
    assert values["log2_width2"] == 5


def test_traits_are_means_over_blocks() -> None:
    traits = SPACE.traits(NETWORK)
    assert (traits["separable"], traits["expansion"], traits["kernel"]) == (0.25, 13 / 4, 18 / 4)
    assert traits["last_channels"] == 64


def test_every_mutation_group_changes_only_its_genes(rng: np.random.Generator) -> None:
    parents = SPACE.sample_uniform(60, rng)
    for group in SPACE.mutation_groups:
        mutants = SPACE.mutate(parents, rng, {**dict.fromkeys(SPACE.mutation_groups, 0.0), group: 1.0})
        own = np.array([gene.group == group for gene in SPACE.genes])
        there = SPACE.genes.exists(parents) & SPACE.genes.exists(mutants)
        assert ((parents == mutants) | own | ~there).all()
        assert (parents != mutants).any(axis=1).all()
