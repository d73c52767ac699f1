from __future__ import annotations

import numpy as np
import pytest

from ohmnas.errors import InvalidValueError
from ohmnas.oneshot.gradient.resnet import ResNetRelaxation
from ohmnas.spaces.resnet import ResNetSpace

SPACE = ResNetSpace((1, 8, 8), 10)


@pytest.mark.parametrize(("blocks", "depth"), [(1, 1), (2, 3)])
def test_choices_and_genomes_are_inverse(blocks: int, depth: int) -> None:
    relaxation = ResNetRelaxation(SPACE, 8, blocks, depth)
    every = relaxation.every()[::5]
    genomes = relaxation.genomes(every)
    np.testing.assert_array_equal(SPACE.check(genomes), genomes)
    np.testing.assert_array_equal(relaxation.choices_of(genomes), every)
    assert relaxation.works(genomes).all()
    assert {(len(one.blocks), one.blocks[0].residual_blocks) for one in SPACE.decode(genomes[:9])} == {(blocks, depth)}


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ((4, 2, 1), "channels must be from 8 to 42 for resnet-1, not 4"),
        ((43, 2, 1), "not 43"),
        ((8, 6, 1), "blocks must be from 1 to 5"),
        ((8, 2, 17), "residual blocks of a main block, must be from 1 to 16"),
    ],
)
def test_networks_outside_of_the_space_are_refused(size: tuple[int, int, int], message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        ResNetRelaxation(SPACE, *size)
