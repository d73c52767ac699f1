"""Checks of single rows: values in range, costs that match the genome, and an AVM that matches the accuracies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.cells import NAME_COLUMNS
from ohmnas.hardware import TECHNOLOGIES
from ohmnas.lookup import name_fault
from ohmnas.spaces.space import Space

Mask = npt.NDArray[np.bool_]

_TOLERANCE: Final = 1e-9
"""Largest rounding error of avm - (accuracy_1s - accuracy_1mo)."""
_PROTOCOL_WITH_CURVES: Final = 4
"""First protocol with `schema.SPREAD_COLUMNS` and `schema.CURVE_COLUMNS`."""
_LARGEST_VARIANCE: Final = 0.5
"""Largest possible (n-1) variance of a fraction over two or more chips."""


def faults(frame: pd.DataFrame, space: Space) -> Iterator[tuple[Mask, str, str]]:
    """Yield the result of each check of the rows of one task: ``(rows,)`` mask of faulty rows, column, reason.

    Args:
        frame: rows with the columns of a table; numeric columns hold numbers.
        space: space of the task.
    """
    ok = (frame["status"] == schema.STATUS_OK).to_numpy()
    known = frame["status"].isin(schema.STATUSES).to_numpy()
    yield ~known, "status", f"none of {', '.join(schema.STATUSES)}"
    matrix = frame[list(space.gene_names)].to_numpy(dtype=np.int64)
    repaired = space.repair(matrix)
    for column, name in enumerate(space.gene_names):
        yield matrix[:, column] != repaired[:, column], name, "out of its range or not canonical"
    costs = space.layers(repaired)
    yield frame["params"].to_numpy() != costs.params(), "params", "not the number of parameters of its genome"
    yield frame["macs"].to_numpy() != costs.macs(), "macs", "not the number of MACs of its genome"
    for name in schema.EFFORT_COLUMNS:
        yield frame[name].to_numpy() < 1, name, "not above 0"
    for name in (*schema.HARDWARE_COLUMNS, *schema.SECONDS_COLUMNS):
        values = frame[name].to_numpy()
        needed = ok if name in schema.SECONDS_COLUMNS else np.ones(len(frame), dtype=bool)
        yield needed & ~np.isfinite(values), name, "not a finite number"
    for name in ("hardware", "fidelity", "technology", *schema.SOFTWARE_COLUMNS):
        yield frame[name].isna().to_numpy(), name, "not allowed"
    for name in NAME_COLUMNS:
        whys = {each: name_fault(str(each)) for each in frame[name].unique()}
        for why in dict.fromkeys(filter(None, whys.values())):
            yield frame[name].map(whys).eq(why).to_numpy(), name, f"not a valid name: {why}"
    precise = frame["precision"].isin(schema.PRECISIONS).to_numpy()
    yield ~precise, "precision", f"none of {', '.join(schema.PRECISIONS)}"
    unknown = [name for name in frame["technology"].unique() if name not in TECHNOLOGIES]
    if unknown:
        yield frame["technology"].isin(unknown).to_numpy(), "technology", f"none of {', '.join(TECHNOLOGIES)}"
    for name in schema.ACCURACY_COLUMNS:
        low = -1.0 if name == "avm" else 0.0
        values = frame[name].to_numpy()
        yield ok & ~((values >= low) & (values <= 1.0)), name, "not a fraction"
    yield from _faulty_additions(frame, ok & (frame["protocol"] >= _PROTOCOL_WITH_CURVES).to_numpy())
    difference = frame["avm"] - (frame["accuracy_1s"] - frame["accuracy_1mo"])
    yield ok & (difference.abs() > _TOLERANCE).to_numpy(), "avm", "not accuracy_1s - accuracy_1mo"


def _faulty_additions(frame: pd.DataFrame, measured: Mask) -> Iterator[tuple[Mask, str, str]]:
    """Yield the results of the checks of the columns that protocol 4 added."""
    for name in schema.SPREAD_COLUMNS:
        values = frame[name].to_numpy()
        low = 0.0 if name == "spread_flips" else -_LARGEST_VARIANCE
        yield measured & ~((values >= low) & (values <= _LARGEST_VARIANCE)), name, "not the variance of a fraction"
    for name in schema.CURVE_COLUMNS:
        broken = [bool(here) and not _is_curve(text) for here, text in zip(measured, frame[name], strict=True)]
        yield np.array(broken, dtype=bool), name, "not a learning curve"


def _is_curve(text: object) -> bool:
    if not isinstance(text, str):  # an empty cell
        return True
    try:
        return all(np.isfinite(value) for value in schema.points(text).values())
    except ValueError:
        return False
