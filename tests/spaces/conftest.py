"""What the tests of spaces share."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from ohmnas.hardware.chip_genes import MOST_CHIPS, every_chip
from ohmnas.spaces.codesign import CoDesignSpace
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace

SPACE = ResNetSpace((1, 8, 8), 10)
DESIGNS = CoDesignSpace.on(ResNetSpace(SPACE.input_shape, SPACE.classes))


@st.composite
def populations(draw: st.DrawFn, most: int = 30) -> Population:
    """Populations of every size class: uniform over genes or even over log parameters."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(1, most))
    if draw(st.booleans()):
        return SPACE.sample_uniform(n, rng)
    return SPACE.sample(n, rng, max_params=draw(st.sampled_from([3e3, 2e5, 1e7])))


@st.composite
def designs(draw: st.DrawFn, most: int = 30) -> Population:
    """Networks of every size class, each on any chip."""
    networks = draw(populations(most))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return np.column_stack([networks, every_chip()[rng.integers(MOST_CHIPS, size=len(networks))]])
