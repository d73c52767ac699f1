"""The measured networks that are most similar to a found network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.table import MeasuredTable, genomes, read_table, shipped_tables
from ohmnas.errors import InvalidValueError, OhmnasError
from ohmnas.search.result import SearchResult
from ohmnas.surrogate.features import chipless, feature_matrix, gene_feature_names
from ohmnas.surrogate.training_set import TrainingSet

NEAREST: Final = 8
"""Number of neighbours."""
_COSTS: Final = ("params", "macs")
_SAMPLE: Final = 400
"""Largest number of rows whose distance to their nearest row is computed."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Rows of a table near a network."""

    rows: pd.DataFrame
    """One row per architecture measured on the surrogate's chip and at its fidelity, with means over repeats. Columns:
    genes, `params`, `macs`, `schema.ACCURACY_COLUMNS`, the table's targets and `architecture`."""
    nearest: npt.NDArray[np.intp]
    """``(k,)``: row numbers in `rows`, nearest first."""
    distances: npt.NDArray[np.float64]
    """``(k,)``: distance of each, in units of the median distance from a measured network to its nearest neighbour."""

    def labels(self, genome: Sequence[int]) -> dict[str, float]:
        """Return a network's genes and measured values by column; empty if it is not in the table."""
        (places,) = np.nonzero((genomes(self.rows) == np.array(genome)).all(axis=1))
        if not len(places):
            return {}
        row = self.rows.iloc[places[0]]
        return {str(name): float(row[name]) for name in self.rows if name not in ("architecture", *_COSTS)}


def table_of(result: SearchResult, path: str | None = None) -> MeasuredTable | None:
    """Return the table that the surrogate of a result was trained on; None without a file or a matching shipped table.

    Args:
        result: result of a search.
        path: file of the table; None looks for the shipped table with the recorded name and checksum.

    Raises:
        OhmnasError: the file cannot be read.
        InvalidValueError: the file is a different table.
    """
    learned = result.provenance
    if path is None and learned.get("table_name") not in shipped_tables():
        return None
    table = read_table(str(learned["table_name"]) if path is None else path)
    if table.card["sha256"] == learned.get("table_sha256"):
        return table
    if path is not None:
        raise InvalidValueError(f"the surrogate of the result was trained on a table other than {path}")
    return None


def neighbours(result: SearchResult, table: MeasuredTable, count: int = NEAREST) -> Neighbours | None:
    """Find the measured networks that are most similar to the found network.

    The distance is Euclidean over the standardised features of structure and noise, as in a surrogate.

    Returns:
        The neighbours. None if chips were searched too, if the table lacks rows of the result's chip and fidelity, or
        if it has at most `count` architectures.
    """
    if result.space.has_chips:
        return None
    learned = result.provenance
    try:
        data = TrainingSet.of(table, str(learned["hardware"]), str(learned["fidelity"]))
        rows = table.select(str(learned["hardware"]), str(learned["fidelity"]))
    except (OhmnasError, KeyError):
        return None
    names = list(result.space.gene_names)
    means = dict.fromkeys([*_COSTS, *schema.ACCURACY_COLUMNS, *(one.name for one in table.targets)])
    rows = rows.groupby(names, sort=True)[[*means]].mean().reset_index()
    population = genomes(rows)
    if len(rows) <= count:
        return None
    found = np.array([result.best.genome], dtype=np.int16)
    features = feature_matrix(result.space, np.concatenate([population, found]), data.hardware).astype(np.float64)
    features = features[:, len(gene_feature_names(result.space)) : chipless(result.space)]
    spread = features[:-1].std(axis=0)
    features = (features / np.where(spread > 0, spread, 1.0))[:, spread > 0]
    away = np.sqrt(((features[:-1] - features[-1]) ** 2).sum(axis=1))
    nearest = np.argsort(away, kind="stable")[:count]
    unit = _typical(features[:-1])
    architectures = [str(one) for one in result.space.decode(population)]
    return Neighbours(rows.assign(architecture=architectures), nearest, away[nearest] / unit)


def _typical(features: npt.NDArray[np.float64]) -> float:
    """Return the median distance from a row to its nearest other row, over evenly chosen rows."""
    some = np.unique(np.linspace(0, len(features) - 1, min(_SAMPLE, len(features))).astype(int))
    squares = (features**2).sum(axis=1)
    between = squares[some, None] + squares[None] - 2 * features[some] @ features.T
    between[np.arange(len(some)), some] = np.inf
    return float(max(np.median(np.sqrt(np.maximum(between.min(axis=1), 0.0))), 1e-9))
