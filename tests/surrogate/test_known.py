"""Known networks are found in any population, and others are left alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ohmnas.errors import InvalidValueError
from ohmnas.surrogate import known as module
from ohmnas.surrogate.known import KnownNetworks

genomes = st.integers(0, 12).flatmap(lambda n: arrays(np.int16, (n, 3), elements=st.integers(0, 3)))


@given(genomes, genomes)
def test_each_known_network_has_its_own_score_and_no_other_has_one(known: np.ndarray, population: np.ndarray) -> None:
    rows, scores = KnownNetworks(known, np.arange(float(len(known)))).find(population)
    first = {genome.tobytes(): row for row, genome in reversed([*enumerate(known)])}
    places = [first.get(genome.tobytes()) for genome in population]
    assert rows.tolist() == [row for row, place in enumerate(places) if place is not None]
    assert scores.tolist() == [place for place in places if place is not None]


def test_genomes_with_the_same_key_are_distinguished(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_keys", lambda population: np.zeros(len(population), dtype=np.uint64))
    known = KnownNetworks(np.array([[1, 2]], dtype=np.int16), np.array([7.0]))
    rows, scores = known.find(np.array([[2, 1], [1, 2]], dtype=np.int16))
    assert (rows.tolist(), scores.tolist()) == ([1], [7.0])


def test_scores_are_one_for_each_genome() -> None:
    with pytest.raises(InvalidValueError, match="known networks"):
        KnownNetworks(np.zeros((2, 3), dtype=np.int16), np.zeros((2, 2)))
