"""What the tests of cells share."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from ohmnas.spaces.cells import Cell, CellSpace
from ohmnas.spaces.genes import Population

SPACE = CellSpace((3, 32, 32), 10)
PUBLISHED = Path(os.environ.get("OHMNAS_DATA", "data")) / "nas-bench-201" / "nb201_zc_proxies.csv"
"""Cells of NAS-Bench-201 with their published parameters and FLOPs."""
codes = st.lists(st.integers(0, 4), min_size=6, max_size=6).map(tuple)
"""Of one cell, canonical or not."""


@cache
def every() -> Population:
    """``(15625, 6)``: all genomes, canonical or not, in the order of their numbers; not to be written to."""
    population = SPACE.everything.nth(np.arange(5**6))
    population = population[np.lexsort(population.T[::-1])]
    population.setflags(write=False)
    return population


def cell(*operations: int) -> Cell:
    return Cell.from_codes(operations)
