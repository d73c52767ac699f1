"""`LearningSet`: a measured table as a surrogate sees it, one row for each architecture or design."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import GroupKFold, KFold

from ohmnas.datasets import schema
from ohmnas.datasets.table import USUAL_FIDELITIES, MeasuredTable, accuracy_std_floor
from ohmnas.errors import InvalidValueError
from ohmnas.spaces.chips import CHIP_GENE_NAMES, from_hardware
from ohmnas.spaces.codesign import CoDesignSpace
from ohmnas.spaces.genes import GENE_NAMES, GENES, Population
from ohmnas.spaces.hardware import DEVICE_ERRORS, Hardware
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.surrogate.clearing import cleared
from ohmnas.surrogate.scales import to_scales

Values = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

HEADS = ("accuracy_1d", "accuracy_1d_std", "avm")
"""What is learned: 1-day accuracy, its standard deviation over chips, accuracy variation over one month."""
VIEWS: Final = ("accuracy_1s_std", "accuracy_1h_std", "accuracy_1mo_std", "avm_std")
"""Columns of a row that say something of its 1-day standard deviation."""
FEWEST_ROWS = 10
"""Below, folds for the calibration would hold a single row."""
VARIED: Final = "varied chips"
"""What stands for the name of a chip where a surrogate knows many."""
FEWEST_CHIPS: Final = 10
"""Below, nothing can be said of what a setting does."""


@dataclass(frozen=True, slots=True)
class LearningSet:
    """A table as the surrogate sees it: one row for each architecture, or each on each chip, repeats averaged."""

    space: ResNetSpace
    population: Population
    """``(n, g)``."""
    labels: dict[str, Values]
    """Head -> ``(n,)``."""
    hardware: dict[str, float]
    """`Hardware.description()` of the chip that was measured; of designs, whose genomes say it, that of ``pcm``."""
    std_floor: float
    """Smallest standard deviation that the table resolves."""
    provenance: dict[str, Any]
    """Table, task, hardware, fidelity, rows, range of costs seen: kept in the header of a saved surrogate."""
    first: dict[str, Values] = field(default_factory=dict)
    """Head -> ``(n,)``: labels of the first seed alone, noisier than means of several; empty: those of `labels`."""
    views: Values | None = None
    """``(n, k)``: logarithms of `VIEWS`, if they were measured."""
    chips: int = 0
    """Behind each standard deviation, where there are views."""

    @classmethod
    def of(cls, table: MeasuredTable, hardware: str | None = None, fidelity: str | None = None) -> LearningSet:
        """The measured rows of one chip and one fidelity.

        Args:
            table: a checked table.
            hardware: which chip; None is the only one, or ``pcm`` among several.
            fidelity: which fidelity; None is the only one, or one of `USUAL_FIDELITIES` among several.

        Raises:
            InvalidValueError: the choice is left open or empty, or the table has too few rows.
        """
        frame = table.select(hardware, fidelity)
        return cls._of(table, frame, table.space, str(frame["hardware"].iloc[0]))

    @classmethod
    def _of(cls, table: MeasuredTable, frame: pd.DataFrame, space: ResNetSpace, hardware: str) -> LearningSet:
        """The rows of a frame that has the genes of a space; repeats averaged."""
        names = list(space.gene_names)
        groups = frame.sort_values("seed", kind="stable").groupby(names, sort=True)
        means = groups[[*HEADS, *VIEWS, *schema.HARDWARE_COLUMNS]].mean().reset_index()
        first = groups[list(HEADS)].first()
        if len(means) < FEWEST_ROWS:
            raise InvalidValueError(
                f"table {table.source} has {len(means)} measured architectures; a surrogate needs {FEWEST_ROWS} or more"
            )
        population = means[names].to_numpy(dtype=np.int16)
        costs = table.space.layer_table(population)
        params, macs = costs.params(), costs.macs()
        seen = {"min_params": int(params.min()), "max_params": int(params.max()), "max_macs": int(macs.max())}
        settings = {name: float(means[name].iloc[0]) for name in schema.HARDWARE_COLUMNS}
        settings |= DEVICE_ERRORS[str(frame["technology"].iloc[0])]
        floor = accuracy_std_floor(frame)
        return cls(
            space,
            population,
            {head: means[head].to_numpy(dtype=np.float64) for head in HEADS},
            settings,
            floor,
            {
                "table_sha256": table.card["sha256"],
                "task": table.card["task"],
                "hardware": hardware,
                "fidelity": str(frame["fidelity"].iloc[0]),
                "rows": len(means),
                "seen": seen,
                **({} if space.has_chips else {"chip": _settings_of(frame)}),
            },
            {head: first[head].to_numpy(dtype=np.float64) for head in HEADS},
            np.log(np.maximum(means[list(VIEWS)].to_numpy(dtype=np.float64), floor)),
            int(frame["chips"].min()),
        )

    @classmethod
    def of_designs(cls, table: MeasuredTable, fidelity: str | None = None) -> LearningSet:
        """The measured rows of all chips that `spaces.chips` describes, each a design: a network on a chip.

        Args:
            table: a checked table.
            fidelity: which fidelity; None is the only one, or one of `USUAL_FIDELITIES` among several.

        Raises:
            InvalidValueError: the choice is left open or empty, or chips were hardly varied.
        """
        frame = table.of_fidelity(fidelity)
        frame = with_chips(frame)
        space = CoDesignSpace(table.space.input_shape, table.space.classes)
        different = len(frame.drop_duplicates(list(CHIP_GENE_NAMES)))
        if different < FEWEST_CHIPS:
            chips = "1 chip" if different == 1 else f"{different} chips"
            raise InvalidValueError(
                f"table {table.source} has networks on {chips} that a search can vary; to learn what chips do takes "
                f"{FEWEST_CHIPS} or more: ohmnas campaign --vary-chip measures them"
            )
        if (networks := len(frame.drop_duplicates(list(GENE_NAMES)))) < FEWEST_ROWS:
            raise InvalidValueError(
                f"table {table.source} has {networks} networks on varied chips; a surrogate needs {FEWEST_ROWS} or more"
            )
        genes = frame[list(CHIP_GENE_NAMES)]
        seen = {name: [int(genes[name].min()), int(genes[name].max())] for name in CHIP_GENE_NAMES}
        learned = cls._of(table, frame, space, VARIED)
        learned.provenance["seen"]["chips"] = seen
        learned.provenance["networks"] = networks
        return replace(learned, hardware=Hardware().description())

    def take(self, rows: npt.NDArray[np.intp]) -> LearningSet:
        """The set with only these rows."""
        return LearningSet(
            self.space,
            self.population[rows],
            {head: values[rows] for head, values in self.labels.items()},
            self.hardware,
            self.std_floor,
            self.provenance,
            {head: values[rows] for head, values in self.first.items()},
            None if self.views is None else self.views[rows],
            self.chips,
        )

    def target(self, head: str) -> Values:
        """``(n,)``: what models learn of a head, on its scale (`scales`)."""
        return to_scales(self.taught(), self.std_floor)[:, HEADS.index(head)]

    def taught(self) -> Values:
        """``(n, 3)``: the labels, in the order of `HEADS`; standard deviations cleared of chance (`clearing`)."""
        labels = self.matrix()
        if self.views is not None and self.chips > 1:
            log_stds = np.log(np.maximum(labels[:, 1], self.std_floor))
            labels[:, 1] = np.minimum(np.exp(cleared(log_stds, self.views, self.chips)), 1.0)
        return labels

    def matrix(self) -> Values:
        """``(n, 3)``: the labels, in the order of `HEADS`."""
        return np.column_stack([self.labels[head] for head in HEADS])

    def single(self) -> Values:
        """``(n, 3)``: labels of one training each, in the order of `HEADS`."""
        return np.column_stack([(self.first or self.labels)[head] for head in HEADS])


def _settings_of(frame: pd.DataFrame) -> dict[str, Any]:
    """`Hardware.settings` of the chip of some rows, and its technology."""
    row = frame.iloc[0]
    return {"technology": str(row["technology"]), **{name: float(row[name]) for name in schema.HARDWARE_COLUMNS}}


def check_labels(y: npt.ArrayLike, n: int) -> Values:
    """``(n, 3)``: labels in the order of `HEADS`.

    Raises:
        InvalidValueError: they are not so many, or no fractions.
    """
    labels = np.asarray(y, dtype=np.float64)
    if labels.shape != (n, len(HEADS)) or not np.isfinite(labels).all():
        raise InvalidValueError(f"y has shape {labels.shape}; it should be {n} x {len(HEADS)} finite numbers")
    if not (np.abs(labels) <= 1.0).all() or (labels[:, :2] < 0.0).any():
        raise InvalidValueError("y are fractions: accuracies and standard deviations 0 to 1, AVMs -1 to 1")
    return labels


def networks_of(population: Population) -> Rows:
    """``(n,)``: a number for each network, whatever chip it is on."""
    return np.unique(population[:, :GENES], axis=0, return_inverse=True)[1].reshape(-1)


def folds(population: Population, parts: int, seed: int) -> list[tuple[Rows, Rows]]:
    """So many times the rows to train on and those to test: each row is tested once, no network is in both."""
    networks = networks_of(population)
    if networks.max() + 1 == len(population):
        return [*KFold(parts, shuffle=True, random_state=seed).split(population)]
    return [*GroupKFold(parts, shuffle=True, random_state=seed).split(population, groups=networks)]


def with_chips(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of a table whose chip `spaces.chips` describes, with its genes as further columns."""
    chips, described = from_hardware(_chips(frame))
    return frame.assign(**dict(zip(CHIP_GENE_NAMES, chips.T, strict=True)))[described]


def _chips(frame: pd.DataFrame) -> list[Hardware]:
    """The chip of each row."""
    columns = ["technology", *schema.HARDWARE_COLUMNS]
    known: dict[tuple[object, ...], Hardware] = {}
    for values in frame[columns].drop_duplicates().itertuples(index=False, name=None):
        known[values] = Hardware.of_settings(str(values[0]), dict(zip(columns[1:], values[1:], strict=True)))
    return [known[values] for values in frame[columns].itertuples(index=False, name=None)]


def learnable_chips(table: MeasuredTable) -> list[str]:
    """The chips of a table that a learning set can be made of without further choice."""
    chips = []
    for name, rows in table.measured.groupby("hardware"):
        fidelities = set(rows["fidelity"])
        usual = rows
        if len(fidelities) > 1:
            usual = rows[rows["fidelity"] == next((name for name in USUAL_FIDELITIES if name in fidelities), "")]
        if len(usual.drop_duplicates(list(GENE_NAMES))) >= FEWEST_ROWS:
            chips.append(str(name))
    return chips
