"""Files in the format of AnalogNAS-Bench, with made-up values."""

from __future__ import annotations

import pickle
import sys
from types import ModuleType
from typing import Any

import numpy as np

TIMES = (60, 3600, 86400, 2592000)


def made_cells(count: int, seed: int = 0) -> list[tuple[int, ...]]:
    """Different cells in the numbers of the file."""
    rng = np.random.default_rng(seed)
    numbers = rng.choice(5**6, size=count, replace=False)
    return [tuple(int(code) for code in cell) for cell in np.array(np.unravel_index(numbers, (5,) * 6)).T]


def made_values(cell: tuple[int, ...]) -> dict[str, Any]:
    """Plain values of a row: convolutions raise the accuracies, and they fall with time."""
    rng = np.random.default_rng(list(cell))
    base = 40.0 + 8.0 * sum(code in (2, 3) for code in cell) - 3.0 * sum(code == 1 for code in cell)
    readings = {
        f"analog_drift_{time}": (base - 0.6 * step + float(rng.normal(0, 0.3)), 0.4 + 0.1 * step + float(rng.random()))
        for step, time in enumerate(TIMES)
    }
    return {"architecture": cell, "baseline_accuracy": min(base + 2.0, 100.0), "noisy_accuracy": base - 9.0, **readings}


def made_file(rows: dict[tuple[int, ...], dict[str, Any]], protocol: int = 4) -> bytes:
    """Pickle rows as the package does; tuples of two numbers become readings."""
    module = ModuleType("analognasbench.data")
    classes = {
        name: type(name, (), {"__module__": "analognasbench.data"}) for name in ("Architecture", "DriftMeasurement")
    }
    vars(module).update(classes)
    packages = {"analognasbench": ModuleType("analognasbench"), "analognasbench.data": module}
    data = {}
    for cell, values in rows.items():
        row = classes["Architecture"]()
        for name, value in values.items():
            kept = value
            if isinstance(value, tuple) and len(value) == 2:
                kept = classes["DriftMeasurement"]()
                vars(kept).update(value=value[0], uncertainty=value[1])
            vars(row)[name] = kept
        data[cell] = row
    before = {name: sys.modules.get(name) for name in packages}
    sys.modules.update(packages)
    try:
        return pickle.dumps(data, protocol)
    finally:
        for name, there in before.items():
            if there is None:
                del sys.modules[name]
            else:
                sys.modules[name] = there


def made(count: int = 60, seed: int = 0) -> bytes:
    """A file with so many rows."""
    return made_file({cell: made_values(cell) for cell in made_cells(count, seed)})
