"""Stored selections: the architectures that active campaigns selected for measurement."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Final

import numpy as np

from ohmnas.datasets.tables.cells import NAME_COLUMNS, cell_fault
from ohmnas.errors import BrokenFileError, OhmnasError, shown
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space

Key = tuple[str, str, str, int]
"""Task, hardware, fidelity, seed."""

CHOICES: Final = (
    "CREATE TABLE IF NOT EXISTS choices "
    "(task TEXT, hardware TEXT, fidelity TEXT, seed INTEGER, position INTEGER, genome TEXT, "
    "UNIQUE (task, hardware, fidelity, seed, position))"
)
"""Selections are stored because a campaign must measure the same architectures after an interruption."""


def stored_choices(connection: sqlite3.Connection, path: Path, kind: type[Space]) -> dict[Key, Population]:
    """Read the selections that `Store.choose` stored: key -> ``(n, g)`` architectures, in order.

    Args:
        connection: connection to the store.
        path: path of the store, for messages.
        kind: space of the store's genomes.

    Raises:
        BrokenFileError: a selection is damaged; the message names it.
    """
    if connection.execute("SELECT 1 FROM sqlite_master WHERE type='table' AND name='choices'").fetchone() is None:
        return {}
    query = "SELECT task, hardware, fidelity, seed, position, genome FROM choices ORDER BY 1, 2, 3, 4, position"
    noted: dict[Key, list[Population]] = {}
    space = kind((1, 8, 8), 10)  # the image shape does not matter for the check of genomes
    for task, hardware, fidelity, seed, position, genome in connection.execute(query):
        subject = f"{path} is damaged: choice {shown(position)} of {shown(task)} on {shown(hardware)}"
        key = (task, hardware, fidelity, seed)
        for name, value in zip((*NAME_COLUMNS, "seed"), key, strict=True):
            if why := cell_fault(name, value):
                raise BrokenFileError(f"{subject}: {why}")
        there = noted.setdefault(key, [])
        if position != len(there):
            raise BrokenFileError(f"{subject} comes after {len(there)} others: some are missing")
        there.append(_genome(genome, subject, space))
    return {key: np.array(genomes, dtype=np.int16).reshape(-1, len(space.genes)) for key, genomes in noted.items()}


def _genome(text: object, subject: str, space: Space) -> Population:
    """Parse a stored genome, ``(g,)``.

    Raises:
        BrokenFileError: the text is not a genome of the space.
    """
    try:
        genes = json.loads(str(text))
        if isinstance(genes, list) and all(type(gene) is int and abs(gene) < 2**15 for gene in genes):
            (genome,) = space.check(np.array([genes], dtype=np.int64))
            return np.asarray(genome, dtype=np.int16)
    except (ValueError, RecursionError, OhmnasError) as error:
        raise BrokenFileError(f"{subject} is not a genome: {error}") from error
    raise BrokenFileError(f"{subject} is {shown(text)}, not a genome")
