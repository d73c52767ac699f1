"""Cells that compute the same have one genome: against the rule of the authors, and against what torch computes."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.testing import assert_array_equal

from ohmnas.spaces.cells.cell import EDGES, OPERATIONS
from ohmnas.spaces.cells.genes import CONV1, CONV3, NONE, POOL, SKIP, TABLE, canonical

from .conftest import SPACE, cell, codes, every


def published_name(text: str) -> str:
    """`Structure.to_unique_str(consider_zero=True)` of NAS-Bench-201, from its description.

    Each node is a text: the sorted terms of its edges, joined by +. An edge of zeros, or from a node that is ``#``, is
    ``#``; a skip is the text of its source; any other is ``(source)@operation``.
    """
    names = {0: "0"}
    for target, node in enumerate(text.split("+"), 1):
        terms = []
        for edge in node.strip("|").split("|"):
            operation, _, source = edge.partition("~")
            before = names[int(source)]
            if before == "#" or operation == "none":
                terms.append("#")
            else:
                terms.append(before if operation == "skip_connect" else f"({before})@{operation}")
        names[target] = "+".join(sorted(terms))
    return names[3]


def test_the_space_has_5260_different_cells() -> None:
    stands = canonical(every())
    assert len(np.unique(stands, axis=0)) == 5260
    assert_array_equal(canonical(stands), stands)
    assert stands.dtype == np.int16


def test_of_cells_that_the_authors_call_the_same_only_separate_convolutions_differ() -> None:
    """Their names do not tell one convolution that is read twice from two convolutions of the same input."""
    stands = canonical(every())
    ours: dict[str, set[tuple[int, ...]]] = defaultdict(set)
    for genome, one in zip(every().tolist(), stands.tolist(), strict=True):
        ours[published_name(str(cell(*genome)))].add(tuple(one))
    assert len(ours) == 6466
    assert sum(map(len, ours.values())) > 6466
    for those in ours.values():
        without_twins = [genome for genome in those if genome.count(CONV1) < 2 and genome.count(CONV3) < 2]
        assert len(without_twins) <= 1


def test_a_cell_and_its_representative_have_equal_working_weights() -> None:
    """Weights that are read: those of convolutions with an input, on a way to the output."""

    def working(genome: list[int]) -> list[int]:
        full, read = {0}, {3}
        edges = list(zip(EDGES, genome, strict=True))
        for (source, target), code in edges:
            if source in full and code != NONE:
                full.add(target)
        for (source, target), code in reversed(edges):
            if target in read and code != NONE:
                read.add(source)
        return sorted(
            code for (source, target), code in edges if code in (CONV1, CONV3) and source in full and target in read
        )

    for genome, one in zip(every().tolist(), canonical(every()).tolist(), strict=True):
        assert working(genome) == working(one)


def test_no_isomorph_is_cheaper_than_the_canonical_cell() -> None:
    params, macs = SPACE.params_and_macs(every())
    best, work = SPACE.params_and_macs(canonical(every()))
    assert (best <= params).all()
    assert (work <= macs).all()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # the inner nodes change their names
        ((CONV3, CONV1, NONE, NONE, SKIP, SKIP), (CONV1, CONV3, NONE, NONE, SKIP, SKIP)),
        # nothing reads node 1
        ((CONV3, CONV1, NONE, NONE, NONE, POOL), (NONE, CONV1, NONE, NONE, NONE, POOL)),
        # node 1 is nothing
        ((NONE, SKIP, CONV3, NONE, POOL, CONV1), (NONE, SKIP, NONE, NONE, NONE, CONV1)),
        # a skip hands a sum on
        ((SKIP, NONE, NONE, NONE, CONV3, NONE), (NONE, NONE, NONE, CONV3, NONE, NONE)),
        ((SKIP, CONV3, NONE, NONE, SKIP, SKIP), (CONV3, NONE, NONE, SKIP, SKIP, NONE)),
        # nothing comes out
        ((CONV3, CONV3, CONV3, NONE, NONE, NONE), (NONE,) * 6),
    ],
)
def test_other_ways_to_write_a_cell_are_the_same_cell(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    assert_array_equal(*canonical(np.array([[one], [other]], dtype=np.int16)[:, 0])[:, None])


def test_equal_sums_of_different_convolutions_are_not_one() -> None:
    """Two convolutions of one input have weights of their own: their sum is not one of them."""
    two, one = (CONV3, NONE, NONE, CONV3, SKIP, NONE), (NONE, NONE, NONE, CONV3, NONE, NONE)
    read_twice = (CONV3, NONE, SKIP, NONE, SKIP, SKIP)
    found = canonical(np.array([two, one, read_twice], dtype=np.int16))
    assert len(np.unique(found, axis=0)) == 3


@given(codes, codes)
@settings(max_examples=200)
def test_a_genome_among_others_is_canonical_as_it_is_alone(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    both = np.array([one, other], dtype=np.int16)
    both.setflags(write=False)
    assert_array_equal(canonical(both)[1], canonical(both[1:])[0])


def test_genes_are_operations_of_edges() -> None:
    assert TABLE.names == ("E01", "E02", "E12", "E03", "E13", "E23")
    assert {gene.labels for gene in TABLE} == {OPERATIONS}
    assert not any(gene.ordered for gene in TABLE)
    assert [OPERATIONS[code] for code in (NONE, SKIP, CONV1, CONV3, POOL)] == list(OPERATIONS)
