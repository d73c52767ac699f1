"""Sampling of populations: uniform over genes, Latin hypercube, and stratified by cost.

Uniform sampling gives mostly large networks: in the ResNet space, half of them have more than 100 million parameters.
`stratified` samples evenly over the logarithm of the parameter count instead, within bounds on parameters and MACs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InfeasibleError
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.genes import Population

Costs = Callable[[Population], tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]
"""Exact parameters and MACs of a population."""
Canonical = Callable[[Population], Population]

STRATA: Final = 24
"""Number of intervals of the logarithm of the parameter count. With 24 and bounds two decades apart, the sizes of
neighbouring intervals differ by a fifth."""
PROPOSALS: Final = 2048
"""Architectures per batch of proposals; a batch takes 2 ms."""
MAX_BATCHES: Final = 64
"""Default number of batches after which incomplete strata are accepted."""


def uniform(n: int, rng: np.random.Generator, within: Bounds) -> Population:
    """``(n, g)``: each gene uniform over its values."""
    return within.from_unit_cube(rng.random((n, len(within.low))))


def latin_hypercube(n: int, rng: np.random.Generator, within: Bounds) -> Population:
    """``(n, g)``: the rows cover the values of each gene evenly, independently of other genes (McKay et al., 1979)."""
    from scipy.stats import qmc  # slow to import and rarely needed

    return within.from_unit_cube(qmc.LatinHypercube(d=len(within.low), rng=rng).random(n))


def _tilted(n: int, rng: np.random.Generator, within: Bounds) -> Population:
    """Proposals of every size: each row has its own bias towards small values of costly genes."""
    points = rng.random((n, len(within.low)))
    lean = rng.uniform(0.0, 6.0, size=(n, 1))
    costly = within.genes.costly
    points[:, costly] **= 1.0 + lean * rng.random((n, int(costly.sum())))
    return within.from_unit_cube(points)


def stratified(
    n: int,
    rng: np.random.Generator,
    within: Bounds,
    costs: Costs,
    canonical: Canonical,
    max_params: float,
    max_macs: float,
    min_params: float = 0,
    min_macs: float = 0,
    at_least: int | None = None,
    max_batches: int = MAX_BATCHES,
) -> Population:
    """Sample evenly over the logarithm of the parameter count within bounds, without duplicates.

    Args:
        n: number of architectures.
        rng: random generator.
        within: bounds on the genes.
        costs: exact parameters and MACs of a population.
        canonical: maps equal networks to equal genomes.
        max_params: largest number of parameters; may be infinite.
        max_macs: largest number of MACs per image; may be infinite.
        min_params: smallest number of parameters.
        min_macs: smallest number of MACs.
        at_least: smallest acceptable number of rows; None is n.
        max_batches: largest number of batches of `PROPOSALS`; then incomplete strata are accepted.

    Returns:
        ``(n, g)``, canonical, in random order; fewer rows only if `at_least` allows it.

    Raises:
        InfeasibleError: fewer than `at_least` different architectures were found within the bounds.
    """
    if n == 0:
        return np.empty((0, len(within.low)), dtype=np.int16)
    room = -(-2 * n // STRATA)  # largest number of rows that a stratum can contribute
    found: list[Population] = [np.empty((0, len(within.low)), dtype=np.int16)]
    strata: list[npt.NDArray[np.intp]] = [np.empty(0, dtype=np.intp)]
    have = np.zeros(STRATA, dtype=np.int64)
    seen: set[bytes] = set()
    spare: dict[bytes, tuple[npt.NDArray[np.int16], int]] = {}
    edges: npt.NDArray[np.float64] | None = None
    waiting, sizes = np.empty((0, len(within.low)), dtype=np.int16), np.empty(0, dtype=np.int64)
    smallest = least_work = np.iinfo(np.int64).max
    for batch_number in range(1, max_batches + 1):
        batch = canonical(_tilted(PROPOSALS, rng, within))
        cost, work = costs(batch)
        smallest, least_work = min(smallest, int(cost.min())), min(least_work, int(work.min()))
        keep = (cost <= max_params) & (cost >= min_params) & (work <= max_macs) & (work >= min_macs)
        waiting, sizes = np.concatenate([waiting, batch[keep]]), np.concatenate([sizes, cost[keep]])
        if edges is None:
            if len(waiting) < STRATA and batch_number < max_batches:
                continue  # too few to estimate the range of sizes
            if not len(waiting):
                break
            edges = np.geomspace(sizes.min(), sizes.max() + 1.0, STRATA + 1)
        stratum = np.clip(np.searchsorted(edges, sizes, side="right") - 1, 0, STRATA - 1)
        rows = []
        for row, place in enumerate(stratum):
            key = waiting[row].tobytes()
            if key in seen:
                continue
            if have[place] < room:
                seen.add(key)
                have[place] += 1
                rows.append(row)
            elif len(spare) < n:
                spare[key] = (waiting[row], place)
        found.append(waiting[rows])
        strata.append(stratum[rows])
        waiting, sizes = waiting[:0], sizes[:0]
        if have.sum() >= n and (have >= -(-n // STRATA)).all():
            break
    total = sum(map(len, found))
    if total < n and spare:  # few sizes within the bounds: their strata contribute more
        more = [*spare.values()][: n - total]
        found.append(np.array([genome for genome, _ in more], dtype=np.int16))
        strata.append(np.array([place for _, place in more], dtype=np.intp))
        total += len(more)
    if total < (n if at_least is None else at_least):
        raise InfeasibleError(
            f"found only {total} of {n} architectures with {min_params:,.0f} to {max_params:,.0f} parameters and "
            f"{min_macs:,.0f} to {max_macs:,.0f} MACs; the smallest architectures have about "
            f"{smallest:,} parameters and {least_work:,} MACs"
        )
    return _even_choice(np.concatenate(found), np.concatenate(strata), n, rng)


def _even_choice(population: Population, stratum: npt.NDArray[np.intp], n: int, rng: np.random.Generator) -> Population:
    """Choose n rows evenly from the strata: one from each in turn."""
    shuffled = rng.permutation(len(population))
    order = shuffled[np.argsort(stratum[shuffled], kind="stable")]
    first = np.searchsorted(stratum[order], stratum[order], side="left")
    turn = np.arange(len(order)) - first  # index within the stratum
    chosen = order[np.argsort(turn + rng.random(len(order)) * 0.5, kind="stable")[:n]]
    result: Population = population[rng.permutation(chosen)]
    return result
