"""What the tests of the mobile space share."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from ohmnas.spaces.genes import Population
from ohmnas.spaces.mobile import MobileSpace

SPACE = MobileSpace((3, 12, 10), 4)


@st.composite
def populations(draw: st.DrawFn, most: int = 6) -> Population:
    """Uniform over genes, or even over log parameters."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(1, most))
    if draw(st.booleans()):
        return SPACE.sample_uniform(n, rng)
    return SPACE.sample(n, rng, max_params=2e5, at_least=1, max_batches=2)
