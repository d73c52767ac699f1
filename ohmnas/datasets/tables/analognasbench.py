"""Read AnalogNAS-Bench: 15,625 cells of NAS-Bench-201, trained with analog noise on CIFAR-10 (Bessalah et al., 2025).

The user installs the package ``analog-nasbench``, whose data file is a pickle. This module reads the file without the
package's loader. Its own unpickler accepts only plain data and two stand-in classes, so the file cannot run code.

Columns with the same meaning as in tables of ohmnas have the same names. The differences:

- There is no reading after 1 second. The variation is ``avm_60s``: accuracy after 60 seconds minus accuracy after
  30 days.
- Each network was programmed once and read 25 times, so its standard deviations do not include programming noise.
- Accuracies are measured on the official test images.
- ``accuracy_digital`` is missing: the published digital accuracy, ``accuracy_baseline``, comes from another training
  run, without noise.
- Impossible rows are left out (`IMPOSSIBLE`).
- Isomorphic cells count as one architecture, measured with several seeds.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import struct
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ohmnas.datasets.tables import schema
from ohmnas.errors import BrokenFileError, MissingDependencyError
from ohmnas.files import read_bytes
from ohmnas.hardware import Hardware
from ohmnas.spaces.cells import CellSpace
from ohmnas.spaces.cells.genes import CONV1, CONV3, NONE, POOL, SKIP

NAME: Final = "analog-nasbench"
"""Name of the table, and of the package on PyPI."""
SUFFIX: Final = ".anb"
MODULE: Final = "analognasbench"
FILE: Final = "data.anb"
LARGEST: Final = 1 << 26
"""Largest size of a file in bytes; the published file has 5.6 million bytes."""
SPACE: Final = CellSpace((3, 32, 32), 10)
VARIATION: Final = "avm_60s"
IMPOSSIBLE: Final = 0.05
"""Largest plausible excess of the accuracy after 60 seconds over the accuracy without noise, and largest plausible rise
within a month, as fractions. The errors of 25 readings of 10,000 images are far smaller. 4 of the 15,625 rows
exceed the limit."""
_CODES: Final = np.array([SKIP, NONE, CONV3, CONV1, POOL], dtype=np.int16)
"""Operation in the file -> operation in `spaces.cells`. This order was found by comparing the digital accuracies with
NAS-Bench-201: the correlation is 0.98, and at most 0.95 for any other order of operations and edges."""
_EDGES: Final = (0, 1, 3, 2, 4, 5)
"""Position of each edge of `spaces.cells` in the file, which sorts edges by source node."""
_TIMES: Final = {"60s": 60, "1h": 3600, "1d": 86400, "1mo": 2592000}
_READINGS: Final = {time: f"analog_drift_{seconds}" for time, seconds in _TIMES.items()}
_DIGITAL: Final = "baseline_accuracy"
_MOST: Final = 15_625
_SETTINGS: Final[schema.Row] = {
    "task": "cifar10",
    "hardware": "pcm",
    "fidelity": NAME,
    "status": schema.STATUS_OK,
    "technology": "pcm",
    **Hardware().settings(),
    "protocol": 1,
    "epochs": 200,
    "batch": 256,
    "train_images": 50_000,
    "validation_images": 10_000,
    "resolution": 32,
    "chips": 25,
    "ohmnas_version": "none",
    "torch_version": "unknown",
    "aihwkit_version": "unknown",
    "precision": schema.GPU_PRECISION,
    "loss_curve": "",
    "accuracy_curve": "",
    "reason": "",
}
"""The authors' training script (IBM/analog-nas, analognasbench/training_script.py) uses the settings of `pcm`."""
PROTOCOL: Final = (
    "Published by others: trained on CUDA with noise on the weights for 200 epochs, then fine-tuned. One programming "
    "event per network, read 25 times after 60 s, 1 hour, 1 day and 30 days with global drift compensation; standard "
    "deviations are over these readings and lack the programming variance. Accuracies are measured on the test images. "
    f"{VARIATION} is accuracy_60s - accuracy_1mo; accuracy_1s and avm were not measured. accuracy_baseline comes "
    "from another training run, without noise, and is computed exactly. Rows of isomorphic cells are seeds of one "
    "architecture."
)


class _Plain:
    """Stand-in for a class in the file: it stores the object's state and does nothing else."""

    values: object = None  # unpickling does not call __init__

    def __setstate__(self, state: object) -> None:
        self.values = state


class _Architecture(_Plain):
    """One row."""


class _Reading(_Plain):
    """Mean and standard deviation."""


_OPERATIONS: Final = (
    "PROTO FRAME STOP MARK MEMOIZE BINPUT LONG_BINPUT BINGET LONG_BINGET EMPTY_DICT SETITEM SETITEMS EMPTY_TUPLE "
    "TUPLE TUPLE1 TUPLE2 TUPLE3 BININT BININT1 BININT2 BINFLOAT SHORT_BINUNICODE BINUNICODE STACK_GLOBAL NEWOBJ BUILD"
)


class _Unpickler(pickle._Unpickler):  # the pure Python version, whose operations can be restricted
    """Reads only dictionaries, tuples, strings, numbers and two stand-in classes."""

    dispatch: ClassVar[Any] = {
        getattr(pickle, name)[0]: pickle._Unpickler.dispatch[getattr(pickle, name)[0]] for name in _OPERATIONS.split()
    }

    def find_class(self, module: str, name: str) -> type[_Plain]:
        """Return a stand-in class.

        Raises:
            UnpicklingError: the file names any other class.
        """
        known = {"Architecture": _Architecture, "DriftMeasurement": _Reading}
        if module != f"{MODULE}.data" or name not in known:
            raise pickle.UnpicklingError("it names another class")
        return known[name]


def installed() -> Path:
    """Return the data file of the installed package. The package is not imported.

    Raises:
        MissingDependencyError: the package is not installed.
    """
    found = PathFinder.find_spec(MODULE)
    for folder in (found.submodule_search_locations or ()) if found else ():
        if (path := Path(folder) / FILE).is_file():
            return path
    raise MissingDependencyError(f"the table {NAME} is a separate package; install it with: pip install {NAME}")


def is_meant(name_or_path: str | Path) -> bool:
    """Return True for the name of this table, or a path that ends in `SUFFIX`."""
    return str(name_or_path) == NAME or str(name_or_path).endswith(SUFFIX)


def read(name_or_path: str | Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Read the data file of the installed package, or another file in the same format.

    Args:
        name_or_path: `NAME`, or the path of a ``.anb`` file.

    Returns:
        Rows with `schema.columns` and ``accuracy_baseline``, ``accuracy_60s``, ``accuracy_60s_std``, ``avm_60s``, as
        fractions; and the card.

    Raises:
        MissingDependencyError: the package is not installed.
        BrokenFileError: the file cannot be read, has another format, or has a value outside 0 to 100 %.
    """
    path = installed() if str(name_or_path) == NAME else Path(name_or_path)
    content = read_bytes(path, LARGEST)
    genomes, values = _rows(path, _unpickled(path, content))
    frame = _frame(genomes, values)
    wrong = (frame["accuracy_60s"] > frame["accuracy_baseline"] + IMPOSSIBLE) | (frame[VARIATION] < -IMPOSSIBLE)
    card = {
        "schema": schema.SCHEMA_VERSION,
        "space": SPACE.name,
        "task": _SETTINGS["task"],
        "input_shape": list(SPACE.input_shape),
        "classes": SPACE.classes,
        "sha256": hashlib.sha256(content).hexdigest(),
        "variation": VARIATION,
        "protocol": PROTOCOL,
        "left_out": f"{int(wrong.sum())} of {len(frame):,} rows, which are impossible: the accuracy after 60 s is more "
        "than 5 points above the accuracy without noise, or rises by more than 5 points within a month",
        "rows": int((~wrong).sum()),
    }
    return frame[~wrong].reset_index(drop=True), card


def _unpickled(path: Path, content: bytes) -> object:
    try:
        return _Unpickler(io.BytesIO(content)).load()
    except (
        pickle.UnpicklingError,
        struct.error,
        ArithmeticError,
        AssertionError,
        AttributeError,
        EOFError,
        LookupError,
        MemoryError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise BrokenFileError(f"{path} is not a data file of {NAME}: it does not hold plain rows") from error


def _rows(path: Path, data: object) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.float64]]:
    """``(n, 6)``: operations as in the file; ``(n, 9)``: digital accuracy, then mean and std per time, in %."""
    if not isinstance(data, dict) or not 0 < len(data) <= _MOST:
        raise BrokenFileError(f"{path} is not a data file of {NAME}: it must hold 1 to {_MOST:,} rows")
    cells: list[tuple[int, ...]] = []
    values: list[list[float]] = []
    for key, row in data.items():
        fields = row.values if isinstance(row, _Architecture) else None
        if not _is_cell(key) or not isinstance(fields, dict):
            raise BrokenFileError(f"{path}, row {len(cells) + 1}: not six operations with their values")
        numbers: list[Any] = [fields.get(_DIGITAL)]
        for name in _READINGS.values():
            reading = fields.get(name)
            pair = reading.values if isinstance(reading, _Reading) else None
            numbers += [pair.get("value"), pair.get("uncertainty")] if isinstance(pair, dict) else [None, None]
        if not all(type(number) is float and 0.0 <= number <= 100.0 for number in numbers):
            raise BrokenFileError(
                f"{path}, row {len(cells) + 1}: {_DIGITAL} and the readings must be numbers from 0 to 100"
            )
        cells.append(key)
        values.append(numbers)
    return np.array(cells, dtype=np.int16), np.array(values, dtype=np.float64)


def _is_cell(key: object) -> bool:
    count = len(_EDGES)
    return isinstance(key, tuple) and len(key) == count and all(type(code) is int and 0 <= code < 5 for code in key)


def _frame(cells: npt.NDArray[np.int16], values: npt.NDArray[np.float64]) -> pd.DataFrame:
    """Rows in the order of the file."""
    population = SPACE.canonical(_CODES[cells][:, _EDGES])
    params, macs = SPACE.params_and_macs(population)
    columns: dict[str, Any] = dict(zip(SPACE.gene_names, population.T, strict=True))
    columns |= {"params": params, "macs": macs, "accuracy_baseline": values[:, 0] / 100.0}
    for place, time in enumerate(_READINGS):
        columns[f"accuracy_{time}"] = values[:, 1 + 2 * place] / 100.0
        columns[f"accuracy_{time}_std"] = values[:, 2 + 2 * place] / 100.0
    columns[VARIATION] = columns["accuracy_60s"] - columns["accuracy_1mo"]
    frame = pd.DataFrame(columns).assign(**_SETTINGS)
    frame["seed"] = frame.groupby([*SPACE.gene_names]).cumcount()
    missing = [name for name in schema.columns(SPACE.gene_names) if name not in frame]
    frame[missing] = np.nan
    further = ["accuracy_baseline", "accuracy_60s", "accuracy_60s_std", VARIATION]
    return frame[[*schema.columns(SPACE.gene_names), *further]].copy()
