"""Sampling populations: uniform over genes, Latin hypercube, and stratified by cost.

Uniform genes give almost only huge networks: most of the space has hundreds of millions of parameters. `stratified`
spreads its sample evenly over the logarithm of the parameters instead, within bounds on parameters and MACs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InfeasibleError
from ohmnas.spaces import genes
from ohmnas.spaces.bounds import EVERYTHING, Bounds
from ohmnas.spaces.genes import Population

Costs = Callable[[Population], tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]
"""Exact parameters and MACs of a population."""

STRATA: Final = 24
"""Intervals of log parameters; at 24, neighbours differ by a quarter where the bounds are two decades apart."""
PROPOSALS: Final = 2048
"""Architectures proposed at once; a batch costs 2 ms."""
MAX_BATCHES: Final = 64
"""Batches after which a stratum that is still short is taken as empty, unless a caller is in a hurry."""


def from_unit_cube(points: npt.NDArray[np.float64], within: Bounds = EVERYTHING) -> Population:
    """Map points of the unit cube to genomes, gene by gene, uniformly over each gene's values.

    Args:
        points: ``(n, g)`` in [0, 1).
        within: what values each gene has.

    Returns:
        ``(n, g)``, canonical.
    """
    population = np.zeros(points.shape, dtype=np.int16)
    low, high = np.array(within.low), np.array(within.high)
    population[:] = low + np.floor(points * (high - low + 1.0))
    kernels = within.choices(genes.KS0)
    population[:, genes.KS0] = kernels[(points[:, genes.KS0] * len(kernels)).astype(np.intp)]
    return genes.clear_inactive(population)


def uniform(n: int, rng: np.random.Generator, within: Bounds = EVERYTHING) -> Population:
    """``(n, g)``: each gene uniform over its values."""
    return from_unit_cube(rng.random((n, len(within.low))), within)


def latin_hypercube(n: int, rng: np.random.Generator, within: Bounds = EVERYTHING) -> Population:
    """``(n, g)``: each gene covers its values evenly, independently of the others (McKay et al., 1979)."""
    from scipy.stats import qmc  # takes long to import, and few need it

    return from_unit_cube(qmc.LatinHypercube(d=len(within.low), rng=rng).random(n), within)


def _tilted(n: int, rng: np.random.Generator, within: Bounds) -> Population:
    """Proposals of every size: each row has its own leaning towards small values of the genes that cost."""
    points = rng.random((n, len(within.low)))
    lean = rng.uniform(0.0, 6.0, size=(n, 1))
    costly = np.zeros(points.shape[1], dtype=bool)
    costly[genes.OC0] = True
    for gene in (genes.R, genes.B, genes.WF):
        costly[genes.FIRST_BLOCK_GENE + gene : genes.GENES : genes.GENES_PER_BLOCK] = True
    points[:, costly] **= 1.0 + lean * rng.random((n, int(costly.sum())))
    return from_unit_cube(points, within)


def stratified(
    n: int,
    rng: np.random.Generator,
    costs: Costs,
    max_params: float,
    max_macs: float,
    min_params: float = 0,
    min_macs: float = 0,
    at_least: int | None = None,
    within: Bounds = EVERYTHING,
    max_batches: int = MAX_BATCHES,
) -> Population:
    """Sample evenly over log parameters within bounds; all rows differ.

    Args:
        n: architectures wanted.
        rng: the generator to draw from.
        costs: exact parameters and MACs of a population.
        max_params: at most so many parameters; may be infinite.
        max_macs: at most so many MACs for one image; may be infinite.
        min_params: at least so many parameters.
        min_macs: at least so many MACs.
        at_least: be content with so many rows where the bounds leave no more; None is n.
        within: bounds on the genes.
        max_batches: of `PROPOSALS` each, after which a stratum that is still short stays so.

    Returns:
        ``(n, g)``, canonical, in random order; fewer rows only if `at_least` allows.

    Raises:
        InfeasibleError: fewer than `at_least` different architectures within the bounds were found.
    """
    if n == 0:
        return np.empty((0, len(within.low)), dtype=np.int16)
    room = -(-2 * n // STRATA)  # no stratum can be asked for more than this before the others are full too
    found: list[Population] = [np.empty((0, len(within.low)), dtype=np.int16)]
    strata: list[npt.NDArray[np.intp]] = [np.empty(0, dtype=np.intp)]
    have = np.zeros(STRATA, dtype=np.int64)
    seen: set[bytes] = set()
    spare: dict[bytes, tuple[npt.NDArray[np.int16], int]] = {}
    edges: npt.NDArray[np.float64] | None = None
    waiting, sizes = np.empty((0, len(within.low)), dtype=np.int16), np.empty(0, dtype=np.int64)
    smallest = least_work = np.iinfo(np.int64).max
    for batch_number in range(1, max_batches + 1):
        batch = _tilted(PROPOSALS, rng, within)
        cost, work = costs(batch)
        smallest, least_work = min(smallest, int(cost.min())), min(least_work, int(work.min()))
        keep = (cost <= max_params) & (cost >= min_params) & (work <= max_macs) & (work >= min_macs)
        waiting, sizes = np.concatenate([waiting, batch[keep]]), np.concatenate([sizes, cost[keep]])
        if edges is None:
            if len(waiting) < STRATA and batch_number < max_batches:
                continue  # too few to see the range that the bounds leave
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
    if total < n and spare:  # the bounds leave so few sizes that their strata have to give more
        more = [*spare.values()][: n - total]
        found.append(np.array([genome for genome, _ in more], dtype=np.int16))
        strata.append(np.array([place for _, place in more], dtype=np.intp))
        total += len(more)
    if total < (n if at_least is None else at_least):
        raise InfeasibleError(
            f"found only {total} of {n} architectures with {min_params:,.0f} to {max_params:,.0f} parameters and "
            f"{min_macs:,.0f} to {max_macs:,.0f} MACs; the space begins at about "
            f"{smallest:,} parameters and {least_work:,} MACs"
        )
    return _even_choice(np.concatenate(found), np.concatenate(strata), n, rng)


def _even_choice(population: Population, stratum: npt.NDArray[np.intp], n: int, rng: np.random.Generator) -> Population:
    """Choose n rows, as evenly from the strata as they allow: one from each in turn until n are there."""
    shuffled = rng.permutation(len(population))
    order = shuffled[np.argsort(stratum[shuffled], kind="stable")]
    first = np.searchsorted(stratum[order], stratum[order], side="left")
    turn = np.arange(len(order)) - first  # the how-manieth of its stratum
    chosen = order[np.argsort(turn + rng.random(len(order)) * 0.5, kind="stable")[:n]]
    result: Population = population[rng.permutation(chosen)]
    return result
