from __future__ import annotations

import numpy as np

from ohmnas.oneshot.gradient.cells import CellRelaxation

from .conftest import SPACE


def test_choices_and_genomes_are_inverse_on_canonical_cells(relaxation: CellRelaxation) -> None:
    genomes = relaxation.genomes(relaxation.every()[::37])
    np.testing.assert_array_equal(relaxation.genomes(relaxation.choices_of(genomes)), genomes)


def test_exactly_one_function_does_not_work(relaxation: CellRelaxation) -> None:
    genomes = relaxation.genomes(relaxation.every())
    broken = genomes[~relaxation.works(genomes)]
    assert len(np.unique(broken, axis=0)) == 1
    assert len(broken) > 1
    assert SPACE.decode(broken[:1])[0].operations == ("none",) * 6
