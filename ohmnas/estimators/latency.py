"""Latency on a user's device: a lookup table by layer shape, and a model learned from measured networks.

The costs of `ohmnas.costs` are for analog chips. For any other device, latencies must be measured. A lookup table needs
one measurement per layer shape and assumes that layers run one after another and that nothing else takes time. The
model learns from end-to-end latencies of some networks, so it includes all overheads. It is a ridge regression on the
operations that a device executes (`Space.work`), because a network's latency is close to the sum over its operations.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from ohmnas.errors import BrokenFileError, InvalidValueError, shown
from ohmnas.estimate import Estimate
from ohmnas.files import read_json, read_text, write_atomically
from ohmnas.search.estimator import Estimator
from ohmnas.spaces.catalogue import space as space_called
from ohmnas.spaces.catalogue import word_of
from ohmnas.spaces.genes import Population
from ohmnas.spaces.layers import Layers
from ohmnas.spaces.space import Space
from ohmnas.targets import DEVICE_LATENCY, Target

Values = npt.NDArray[np.float64]

GROUPS: Final = "groups"
SHAPE: Final = ("inputs", "outputs", "positions", GROUPS)
"""Columns of a lookup table that describe a layer: input channels x kernel height x kernel width, output channels,
output height x width, as in `Layers`, and groups of channels. `inputs` counts the inputs of one group: a depthwise
convolution with 16 channels and a 3 x 3 kernel has 9 inputs, 16 outputs and 16 groups."""
SECONDS: Final = "seconds"
FEWEST_MEASURED: Final = 10
PENALTIES: Final = np.logspace(-3, 3, 13)
"""Ridge penalties to choose from by leave-one-out cross-validation."""
FOLDS: Final = 5
FORMAT: Final = "ohmnas-latency-1"
_LARGEST_FILE: Final = 1 << 26
_LARGEST_SECONDS: Final = DEVICE_LATENCY.high
_LARGEST_COUNT: Final = 2**53
_LARGEST_NUMBER: Final = 1e18


@dataclass(frozen=True, slots=True)
class LatencyTable(Estimator):
    """Sums measured latencies of layers.

    A shape that was not measured gets the rate (seconds per multiply-accumulate) of the nearest measured shape.
    """

    space: Space = field()  # without `field()`, the property of `Estimator` would be the default value
    """Space of the networks."""
    shapes: npt.NDArray[np.int64]
    """``(s, 4)``: measured layers, in the order of `SHAPE`."""
    seconds: Values
    """``(s,)``: latency of one layer for one image."""

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            InvalidValueError: there are no shapes, the numbers of shapes and seconds differ, a shape occurs twice, or a
                value is out of range.
        """
        if not len(self.shapes) or self.shapes.shape != (len(self.seconds), len(SHAPE)):
            raise InvalidValueError("a lookup table needs at least one layer shape, and a time for each")
        if (self.shapes < 1).any():
            raise InvalidValueError(f"{', '.join(SHAPE)} of a layer must be at least 1, not {self.shapes.min()}")
        if not ((self.seconds > 0.0) & (self.seconds <= _LARGEST_SECONDS)).all():
            raise InvalidValueError(f"seconds of a layer must be above 0 and at most {_LARGEST_SECONDS:g}")
        if len(np.unique(self.shapes, axis=0)) != len(self.shapes):
            raise InvalidValueError("a layer shape occurs twice in the lookup table")

    @property
    def targets(self) -> tuple[Target, ...]:
        """`DEVICE_LATENCY`."""
        return (DEVICE_LATENCY,)

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Number of layer shapes."""
        return {"shapes": len(self.shapes)}

    def estimate(self, population: Population) -> Estimate:
        """See `Estimator`. Genomes need not be canonical."""
        shapes, counts = _shapes(self.space.layers(population))
        total = counts @ self.of_shapes(shapes) if len(shapes) else np.zeros(len(population))
        return Estimate(self.targets, np.minimum(total, DEVICE_LATENCY.high)[:, None])

    def of_shapes(self, shapes: npt.NDArray[np.int64]) -> Values:
        """``(k,)``: seconds of ``(k, 4)`` layers."""
        known, wanted = np.log2(self.shapes), np.log2(shapes)
        nearest = np.square(wanted[:, None] - known[None]).sum(axis=2).argmin(axis=1)
        rates = self.seconds / _macs(self.shapes)
        exact = (self.shapes[nearest] == shapes).all(axis=1)
        found: Values = np.where(exact, self.seconds[nearest], rates[nearest] * _macs(shapes))
        return found

    def missing(self, population: Population) -> npt.NDArray[np.int64]:
        """``(k, 4)``: layer shapes of these networks that were not measured."""
        shapes = _shapes(self.space.layers(population))[0]
        known = {tuple(shape) for shape in self.shapes.tolist()}
        rows = [shape for shape in shapes.tolist() if tuple(shape) not in known]
        return np.array(rows, dtype=np.int64).reshape(-1, len(SHAPE))

    @classmethod
    def read(cls, path: str | Path, space: Space) -> Self:
        """Read a filled-in lookup table; rows without seconds are not measured yet.

        The column `groups` may be missing for a space without grouped convolutions.

        Raises:
            BrokenFileError: the file is not a valid lookup table.
        """
        names = (*SHAPE, SECONDS)
        columns = _read_columns(Path(path), names, () if _has_groups(space) else (GROUPS,))
        columns.setdefault(GROUPS, ["1"] * len(columns[SECONDS]))
        rows = [place for place, text in enumerate(columns[SECONDS]) if text.strip()]
        shapes = [[_whole(Path(path), name, columns[name][row], row) for name in SHAPE] for row in rows]
        seconds = [_seconds(Path(path), columns[SECONDS][row], row) for row in rows]
        try:
            return cls(space, np.array(shapes, dtype=np.int64).reshape(-1, len(SHAPE)), np.array(seconds, np.float64))
        except InvalidValueError as error:
            raise BrokenFileError(f"{path}: {error}") from error


def write_lookup(path: str | Path, space: Space, population: Population) -> int:
    """Write a lookup table with all layer shapes of these networks; the user fills in the seconds.

    Returns:
        The number of shapes.

    Raises:
        InvalidValueError: the file exists; it may hold measurements.
        StorageError: the file cannot be written.
    """
    path = Path(path)
    if path.exists():
        raise InvalidValueError(f"{path} exists and may hold measurements: choose another file")
    shapes = _shapes(space.layers(population))[0]
    lines = [",".join((*SHAPE, SECONDS)), *(",".join((*map(str, shape), "")) for shape in shapes.tolist())]
    write_atomically(path, "\n".join(lines) + "\n")
    return len(shapes)


def _has_groups(space: Space) -> bool:
    """True if a space has convolutions with groups of channels, such as depthwise ones."""
    return space.layers(space.sample_uniform(1, np.random.default_rng(0))).tiling().groups is not None


def _macs(shapes: npt.NDArray[np.int64]) -> Values:
    """``(k,)``: multiply-accumulates of ``(k, 4)`` layers. `inputs` counts one group, so groups do not matter."""
    macs: Values = shapes[:, :-1].prod(axis=1, dtype=np.float64)
    return macs


def _shapes(layers: Layers) -> tuple[npt.NDArray[np.int64], Values]:
    """``(s, 4)``: distinct layer shapes of n networks, sorted; ``(n, s)``: number of layers of each shape."""
    n, kinds = layers.count.shape
    groups = layers.tiling().groups
    groups = np.ones_like(layers.inputs) if groups is None else groups
    columns = [layers.inputs, layers.outputs, layers.positions, groups]
    every = np.stack(columns, axis=2).reshape(n * kinds, len(SHAPE))
    count = layers.count.reshape(-1)
    present = np.flatnonzero(count)
    shapes, place = np.unique(every[present], axis=0, return_inverse=True)
    counts = np.zeros((n, len(shapes)))
    np.add.at(counts, (present // kinds, place.reshape(-1)), count[present])
    return shapes.astype(np.int64), counts


@dataclass(frozen=True, slots=True)
class LatencyModel(Estimator):
    """Predicts latencies on one device, learned from measured networks; see `fit`."""

    space: Space = field()  # without `field()`, the property of `Estimator` would be the default value
    """Space of the networks."""
    device: str
    """Name of the device."""
    weights: Values
    """``(w,)``: seconds per unit of each row of `Space.work`."""
    offset: float
    """Seconds that do not depend on the network."""
    least: float
    """Smallest measured latency; predictions are at least half of it."""
    rows: int
    """Number of measured networks."""
    rank: float
    """Spearman's rank correlation on held-out networks."""
    error: float
    """Median relative error on held-out networks."""

    def __post_init__(self) -> None:
        """Check values from a file.

        Raises:
            InvalidValueError: a value is out of range, or the number of weights does not fit the space.
        """
        expected = len(self.space.work(self.space.sample_uniform(1, np.random.default_rng(0))))
        if self.weights.shape != (expected,) or not (np.abs(self.weights) <= _LARGEST_NUMBER).all():
            raise InvalidValueError(f"a latency model for {self.space.name} needs {expected} finite weights")
        if not abs(self.offset) <= _LARGEST_NUMBER:
            raise InvalidValueError(f"offset must be at most {_LARGEST_NUMBER:g} in magnitude, not {self.offset}")
        if not 0.0 < self.least <= _LARGEST_SECONDS:
            raise InvalidValueError(f"least must be above 0 and at most {_LARGEST_SECONDS:g}, not {self.least}")
        if not self.rows >= 1:
            raise InvalidValueError(f"rows must be at least 1, not {shown(self.rows)}")
        if not -1.0 <= self.rank <= 1.0:
            raise InvalidValueError(f"rank must be from -1 to 1, not {self.rank}")
        if not 0.0 <= self.error < math.inf:
            raise InvalidValueError(f"error must be a finite number, 0 or more, not {self.error}")

    @property
    def targets(self) -> tuple[Target, ...]:
        """`DEVICE_LATENCY`."""
        return (DEVICE_LATENCY,)

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Device, number of networks, quality on held-out networks."""
        return {"device": self.device, "rows": self.rows, "spearman": self.rank, "relative_error": self.error}

    def estimate(self, population: Population) -> Estimate:
        """See `Estimator`. Genomes need not be canonical: devices may execute operations without effect."""
        seconds = self.weights @ self.space.work(population) + self.offset
        return Estimate(self.targets, np.clip(seconds, self.least / 2.0, DEVICE_LATENCY.high)[:, None])

    @classmethod
    def fit(cls, space: Space, population: Population, seconds: npt.ArrayLike, device: str = "", seed: int = 0) -> Self:
        """Learn from measured networks.

        Args:
            space: space of the networks.
            population: ``(n, g)``; need not be canonical.
            seconds: ``(n,)``: latency for one image, above 0.
            device: name of the device.
            seed: seed of the folds.

        Raises:
            InvalidValueError: there are fewer than `FEWEST_MEASURED` networks, the number of latencies differs, or a
                latency is out of range.
        """
        from scipy.stats import spearmanr

        measured = np.asarray(seconds, dtype=np.float64)
        if measured.shape != (len(population),):
            raise InvalidValueError(
                f"each of the {len(population)} networks needs one latency, but the latencies have the shape "
                f"{measured.shape}"
            )
        if len(measured) < FEWEST_MEASURED:
            raise InvalidValueError(f"a latency model needs at least {FEWEST_MEASURED} networks, not {len(measured)}")
        if not ((measured > 0.0) & (measured <= _LARGEST_SECONDS)).all():
            raise InvalidValueError(f"latencies must be above 0 and at most {_LARGEST_SECONDS:g} seconds")
        work = space.work(population).T
        held_out = np.empty_like(measured)
        fold_of = np.random.default_rng(seed).permutation(len(measured)) % FOLDS
        for fold in range(FOLDS):
            weights, offset = _ridge(work[fold_of != fold], measured[fold_of != fold])
            held_out[fold_of == fold] = work[fold_of == fold] @ weights + offset
        least = float(measured.min())
        np.maximum(held_out, least / 2.0, out=held_out)
        rank = float(spearmanr(measured, held_out).statistic) if np.ptp(measured) and np.ptp(held_out) else 0.0
        error = float(np.median(np.abs(held_out / measured - 1.0)))
        return cls(space, device, *_ridge(work, measured), least, len(measured), rank, error)

    def save(self, path: str | Path) -> None:
        """Write the model as JSON.

        Raises:
            StorageError: the file cannot be written.
        """
        values = {
            "format": FORMAT,
            "space": word_of(self.space.name),
            "input_shape": list(self.space.input_shape),
            "classes": self.space.classes,
            "device": self.device,
            "weights": self.weights.tolist(),
            **{name: getattr(self, name) for name in ("offset", "least", "rows", "rank", "error")},
        }
        write_atomically(Path(path), json.dumps(values, indent=1, allow_nan=False) + "\n")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a saved model.

        Raises:
            BrokenFileError: the file is not a valid latency model.
        """
        path = Path(path)
        values = read_json(path, _LARGEST_FILE)
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise BrokenFileError(f"{path} is not a latency model: its format is not {FORMAT}")
        shape, weights = values.get("input_shape"), values.get("weights")
        sizes: list[Any] = [*shape, values.get("classes")] if isinstance(shape, list) and len(shape) == 3 else [None]
        if not all(type(size) is int and 1 <= size <= 65536 for size in sizes):
            raise BrokenFileError(f"{path}: input_shape and classes must be whole numbers from 1 to 65536")
        if not isinstance(weights, list) or not all(map(_is_number, weights)):
            raise BrokenFileError(f"{path}: weights must be a list of numbers")
        numbers: list[Any] = [values.get(name) for name in ("offset", "least", "rank", "error")]
        if not all(map(_is_number, numbers)) or type(values.get("rows")) is not int:
            raise BrokenFileError(f"{path}: offset, least, rank and error must be numbers, and rows a whole number")
        texts: list[Any] = [values.get(name) for name in ("space", "device")]
        if not all(isinstance(text, str) for text in texts):
            raise BrokenFileError(f"{path}: space and device must be strings")
        offset, least, rank, error = map(float, numbers)
        try:
            space = space_called(texts[0], (sizes[0], sizes[1], sizes[2]), sizes[3])
            return cls(space, texts[1], np.array(weights, np.float64), offset, least, values["rows"], rank, error)
        except (InvalidValueError, LookupError) as problem:
            raise BrokenFileError(f"{path}: {problem}") from problem


def read_latency(path: str | Path, space: Space) -> LatencyTable | LatencyModel:
    """Read a filled-in lookup table (``.csv``), or a model that `LatencyModel.save` wrote.

    Args:
        path: the file.
        space: space of the networks.

    Raises:
        BrokenFileError: the file is neither a lookup table nor a latency model.
        InvalidValueError: the model is for another space.
    """
    if Path(path).suffix == ".csv":
        return LatencyTable.read(path, space)
    model = LatencyModel.load(path)
    if model.space != space:
        raise InvalidValueError(f"{path} is for networks of {model.space}, not of {space}")
    return model


def read_measured(path: str | Path, space: Space) -> tuple[Population, Values]:
    """Read measured networks: a CSV with the genes of the space, as in tables, and ``seconds``.

    Returns:
        ``(n, g)`` genomes within the ranges of their genes, not necessarily canonical, and ``(n,)`` seconds.

    Raises:
        BrokenFileError: the file is not a valid table of measured networks.
    """
    path, names = Path(path), space.gene_names
    columns = _read_columns(path, (*names, SECONDS))
    rows = range(len(columns[SECONDS]))
    genomes = [[_whole(path, name, columns[name][row], row, 0) for name in names] for row in rows]
    population = np.array(genomes, dtype=np.int64).reshape(-1, len(names))
    for place, gene in enumerate(space.genes):
        wrong = ~np.isin(population[:, place], [0, *gene.values])
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise BrokenFileError(
                f"{path}, row {row + 1}: {gene.name} is {population[row, place]}, which is out of range"
            )
    seconds = [_seconds(path, columns[SECONDS][row], row) for row in rows]
    return population.astype(np.int16), np.array(seconds, dtype=np.float64)


def _ridge(work: Values, seconds: Values) -> tuple[Values, float]:
    """Weights of the columns of ``(n, w)`` work, and the offset."""
    from sklearn.linear_model import RidgeCV

    centre, deviation = work.mean(axis=0), work.std(axis=0)
    varied = deviation > 1e-9 * (1.0 + np.abs(centre))
    scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=varied)
    unit = float(seconds.mean())  # penalties are for values near 1
    model = RidgeCV(PENALTIES).fit((work - centre) * scale, seconds / unit)
    weights: Values = model.coef_ * scale * unit
    return weights, float(model.intercept_ * unit - centre @ weights)


def _read_columns(path: Path, names: Sequence[str], optional: Sequence[str] = ()) -> dict[str, list[str]]:
    """Read these columns of a CSV as text; the optional ones may be missing."""
    try:
        rows = list(csv.reader(io.StringIO(read_text(path, _LARGEST_FILE)), strict=True))
    except csv.Error as error:
        raise BrokenFileError(f"{path} is not a CSV: {error}") from error
    header = [name.strip() for name in rows[0]] if rows else []
    names = [name for name in names if name in header or name not in optional]
    for name in names:
        if header.count(name) != 1:
            raise BrokenFileError(f"{path} needs one column {name!r}; it has {header.count(name)}")
    body = [row for row in rows[1:] if row]
    for number, row in enumerate(body, 1):
        if len(row) != len(header):
            raise BrokenFileError(f"{path}, row {number}: {len(row)} cells, but {len(header)} columns")
    return {name: [row[header.index(name)] for row in body] for name in names}


def _whole(path: Path, name: str, text: str, row: int, least: int = 1) -> int:
    cell = text.strip()
    if not (cell.isascii() and cell.isdecimal()) or len(cell) > 15 or not least <= int(cell) < _LARGEST_COUNT:
        raise BrokenFileError(
            f"{path}, row {row + 1}: {name} is {shown(text)}, but must be a whole number, {least} or more"
        )
    return int(cell)


def _seconds(path: Path, text: str, row: int) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 < value <= _LARGEST_SECONDS:
        raise BrokenFileError(
            f"{path}, row {row + 1}: {SECONDS} is {shown(text)}, not a number above 0 and at most {_LARGEST_SECONDS:g}"
        )
    return value


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= _LARGEST_NUMBER
