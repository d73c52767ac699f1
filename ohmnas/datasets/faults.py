"""What can be wrong with rows by themselves: ranges, costs that their genome does not have, sums that do not add up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ohmnas.datasets import schema
from ohmnas.datasets.cells import NAME_COLUMNS
from ohmnas.lookup import name_fault
from ohmnas.spaces.genes import GENE_NAMES
from ohmnas.spaces.hardware import TECHNOLOGIES
from ohmnas.spaces.resnet import ResNetSpace

Mask = npt.NDArray[np.bool_]

_TOLERANCE: Final = 1e-9
"""Of avm against the accuracies it is the difference of."""
_PROTOCOL_WITH_CURVES: Final = 4
"""Since then rows have `schema.SPREAD_COLUMNS` and `schema.CURVE_COLUMNS`."""
_LARGEST_VARIANCE: Final = 0.5
"""Of a fraction over at least two chips, as estimated (n-1)."""


def faults(frame: pd.DataFrame, space: ResNetSpace) -> Iterator[tuple[Mask, str, str]]:
    """What is wrong with rows of one task by themselves, check by check: ``(rows,)``, the column, and why.

    Args:
        frame: `schema.COLUMNS`, numbers as numbers.
        space: of the task.
    """
    ok = (frame["status"] == schema.STATUS_OK).to_numpy()
    known = frame["status"].isin([schema.STATUS_OK, schema.STATUS_FAILED]).to_numpy()
    yield ~known, "status", "not ok or failed"
    matrix = frame[list(GENE_NAMES)].to_numpy(dtype=np.int64)
    repaired = space.repair(matrix)
    for column, name in enumerate(GENE_NAMES):
        yield matrix[:, column] != repaired[:, column], name, "out of its range or not canonical"
    costs = space.layer_table(repaired)
    yield frame["params"].to_numpy() != costs.params(), "params", "not what its genome has"
    yield frame["macs"].to_numpy() != costs.macs(), "macs", "not what its genome has"
    for name in schema.EFFORT_COLUMNS:
        yield frame[name].to_numpy() < 1, name, "not above 0"
    for name in (*schema.HARDWARE_COLUMNS, *schema.SECONDS_COLUMNS):
        values = frame[name].to_numpy()
        needed = ok if name in schema.SECONDS_COLUMNS else np.ones(len(frame), dtype=bool)
        yield needed & ~np.isfinite(values), name, "not a finite number"
    for name in ("hardware", "fidelity", "technology", *schema.COMPUTING_COLUMNS):
        yield frame[name].isna().to_numpy(), name, "missing"
    for name in NAME_COLUMNS:
        whys = {each: name_fault(str(each)) for each in frame[name].unique()}
        for why in dict.fromkeys(filter(None, whys.values())):
            yield frame[name].map(whys).eq(why).to_numpy(), name, f"no name: {why}"
    precise = frame["precision"].isin(schema.PRECISIONS).to_numpy()
    yield ~precise, "precision", f"none of {', '.join(schema.PRECISIONS)}"
    technologies = frame["technology"].isin(list(TECHNOLOGIES)).to_numpy()
    yield ~technologies, "technology", f"none of {', '.join(TECHNOLOGIES)}"
    for name in schema.ACCURACY_COLUMNS:
        low = -1.0 if name == "avm" else 0.0
        values = frame[name].to_numpy()
        yield ok & ~((values >= low) & (values <= 1.0)), name, "not a fraction"
    yield from _faulty_additions(frame, ok & (frame["protocol"] >= _PROTOCOL_WITH_CURVES).to_numpy())
    difference = frame["avm"] - (frame["accuracy_1s"] - frame["accuracy_1mo"])
    yield ok & (difference.abs() > _TOLERANCE).to_numpy(), "avm", "not accuracy_1s - accuracy_1mo"


def _faulty_additions(frame: pd.DataFrame, measured: Mask) -> Iterator[tuple[Mask, str, str]]:
    """Faults of the columns that rows have since protocol 4."""
    for name in schema.SPREAD_COLUMNS:
        values = frame[name].to_numpy()
        low = 0.0 if name == "spread_flips" else -_LARGEST_VARIANCE
        yield measured & ~((values >= low) & (values <= _LARGEST_VARIANCE)), name, "not the variance of a fraction"
    for name in schema.CURVE_COLUMNS:
        broken = [bool(here) and not _is_curve(text) for here, text in zip(measured, frame[name], strict=True)]
        yield np.array(broken, dtype=bool), name, "no learning curve"


def _is_curve(text: object) -> bool:
    if not isinstance(text, str):  # an empty cell
        return True
    try:
        return all(np.isfinite(value) for value in schema.points(text).values())
    except ValueError:
        return False
