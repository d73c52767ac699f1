"""Which networks to measure again, with another seed: repeats say how noisy labels are."""

from __future__ import annotations

from ohmnas.datasets import schema
from ohmnas.datasets.store import Store
from ohmnas.datasets.table import genomes
from ohmnas.datasets.task import Task
from ohmnas.errors import InvalidValueError
from ohmnas.spaces.genes import GENE_NAMES, Population


def best_measured(store: Store, task: Task, hardware: str, fidelity: str, seed: int, n: int) -> Population:
    """``(k, g)``, k at most n: the most accurate networks that a store has of other seeds, best first.

    Raises:
        InvalidValueError: it has none.
    """
    frame = store.frame()
    same = (frame["task"] == task.name) & (frame["hardware"] == hardware) & (frame["fidelity"] == fidelity)
    rows = frame[same & (frame["seed"] != seed) & (frame["status"] == schema.STATUS_OK)]
    if rows.empty:
        raise InvalidValueError(
            f"{store.path} has nothing to repeat: no rows of {task.name} on {hardware} at fidelity {fidelity} with "
            f"another seed than {seed}"
        )
    best = rows.sort_values("accuracy_1d", ascending=False, kind="stable").drop_duplicates(list(GENE_NAMES))
    return genomes(best.head(n))
