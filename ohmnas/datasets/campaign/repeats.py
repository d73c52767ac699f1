"""Select networks to measure again with another seed, to estimate the label noise."""

from __future__ import annotations

from ohmnas.datasets.campaign.store import Store
from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.table import genomes
from ohmnas.datasets.tasks.task import Task
from ohmnas.errors import InvalidValueError
from ohmnas.spaces.genes import Population


def best_measured(store: Store, task: Task, hardware: str, fidelity: str, seed: int, n: int) -> Population:
    """``(k, g)``, k at most n: the most accurate networks that were measured with other seeds, best first.

    Raises:
        InvalidValueError: the store has no accuracies measured with another seed.
    """
    frame = store.frame()
    same = (frame["task"] == task.name) & (frame["hardware"] == hardware) & (frame["fidelity"] == fidelity)
    rows = frame[same & (frame["seed"] != seed) & (frame["status"] == schema.STATUS_OK)]
    if rows.empty:
        raise InvalidValueError(
            f"{store.path} has nothing to repeat: it has no rows of {task.name} on {hardware} at fidelity {fidelity} "
            f"with a seed other than {seed}"
        )
    best = rows.sort_values("accuracy_1d", ascending=False, kind="stable").drop_duplicates(
        list(schema.gene_columns(rows.columns))
    )
    return genomes(best.head(n))
