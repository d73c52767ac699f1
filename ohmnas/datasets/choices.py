"""What a campaign that chooses as it goes has chosen, as its store keeps it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Final

import numpy as np

from ohmnas.datasets.cells import NAME_COLUMNS, cell_fault
from ohmnas.errors import BrokenFileError, OhmnasError, shown
from ohmnas.spaces.genes import GENE_NAMES, Population
from ohmnas.spaces.resnet import ResNetSpace

Key = tuple[str, str, str, int]
"""Task, hardware, fidelity, seed."""

CHOICES: Final = (
    "CREATE TABLE IF NOT EXISTS choices "
    "(task TEXT, hardware TEXT, fidelity TEXT, seed INTEGER, position INTEGER, genome TEXT, "
    "UNIQUE (task, hardware, fidelity, seed, position))"
)
"""A campaign must choose the same again after any interruption."""
_ANY: Final = ResNetSpace((1, 8, 8), 10)
"""Genomes are checked alike whatever the images are."""


def stored_choices(connection: sqlite3.Connection, path: Path) -> dict[Key, Population]:
    """What `Store.choose` noted under each key, in its order: ``(n, g)`` each.

    Raises:
        BrokenFileError: a choice is damaged; the message names it.
    """
    if connection.execute("SELECT 1 FROM sqlite_master WHERE type='table' AND name='choices'").fetchone() is None:
        return {}
    query = "SELECT task, hardware, fidelity, seed, position, genome FROM choices ORDER BY 1, 2, 3, 4, position"
    noted: dict[Key, list[Population]] = {}
    for task, hardware, fidelity, seed, position, genome in connection.execute(query):
        of = f"{path} is damaged: choice {shown(position)} of {shown(task)} on {shown(hardware)}"
        key = (task, hardware, fidelity, seed)
        for name, value in zip((*NAME_COLUMNS, "seed"), key, strict=True):
            if why := cell_fault(name, value):
                raise BrokenFileError(f"{of}: {why}")
        there = noted.setdefault(key, [])
        if position != len(there):
            raise BrokenFileError(f"{of} comes after {len(there)} others: some are missing")
        there.append(_genome(genome, of))
    return {key: np.array(genomes, dtype=np.int16).reshape(-1, len(GENE_NAMES)) for key, genomes in noted.items()}


def _genome(text: object, of: str) -> Population:
    """``(g,)``."""
    try:
        genes = json.loads(str(text))
        if isinstance(genes, list) and all(type(gene) is int and abs(gene) < 2**15 for gene in genes):
            (genome,) = _ANY.check(np.array([genes], dtype=np.int64))
            return np.asarray(genome, dtype=np.int16)
    except (ValueError, RecursionError, OhmnasError) as error:
        raise BrokenFileError(f"{of} is no genome: {error}") from error
    raise BrokenFileError(f"{of} is {shown(text)}, not a genome")
