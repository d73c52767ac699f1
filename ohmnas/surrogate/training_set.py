"""`TrainingSet`: training rows of a surrogate, one per architecture or design."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.typing import SeriesGroupBy

from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.table import DEFAULT_FIDELITIES, MeasuredTable, accuracy_std_floor
from ohmnas.errors import InvalidValueError, counted
from ohmnas.hardware import TECHNOLOGIES, Hardware
from ohmnas.hardware.chip_genes import CHIP_GENE_NAMES, from_hardware
from ohmnas.spaces.codesign import CoDesignSpace
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space
from ohmnas.surrogate.fit.label_shrinkage import shrunk
from ohmnas.surrogate.scales import Scales, Values, avm_unit
from ohmnas.targets import ACCURACY, DEFAULT_NAMES, SPREAD, TARGETS, VARIATION, Target, target

FURTHER: Final = tuple(name for name in TARGETS if name not in DEFAULT_NAMES)
"""Targets beyond the default ones."""
VIEWS: Final = ("accuracy_1s_std", "accuracy_60s_std", "accuracy_1h_std", "accuracy_1mo_std", "avm_std")
"""Columns with information about the 1-day standard deviation."""
FEWEST_ROWS = 10
"""With fewer rows, calibration folds would hold a single row."""
FEWEST_REPEATS: Final = 10
"""Smallest number of networks trained more than once from which the label noise is estimated."""
VARIED: Final = "varied chips"
"""Chip name in the provenance of a surrogate for many chips."""
FEWEST_CHIPS: Final = 10
"""Smallest number of chips from which effects of settings can be learned."""


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Training rows: one per architecture, or per architecture and chip. Repeats are averaged."""

    space: Space
    population: Population
    """``(n, g)``."""
    labels: dict[str, Values]
    """Target -> ``(n,)``."""
    hardware: dict[str, float]
    """`Hardware.description()` of the measured chip; for designs, whose genomes include the chip, of ``pcm``."""
    scales: Scales
    """Scales of the targets. `std_floor` is the smallest standard deviation that the table can resolve."""
    provenance: dict[str, Any]
    """Table, task, hardware, fidelity, number of rows and range of costs; stored in the header of a saved surrogate."""
    first: dict[str, Values] = field(default_factory=dict)
    """Target -> ``(n,)``: labels of the first seed, noisier than means over seeds. If empty, `labels` are used."""
    views: Values | None = None
    """``(n, k)``: logarithms of `VIEWS`, if measured."""
    chips: int = 0
    """Smallest number of chips behind a standard deviation; used only with `views`."""
    others: dict[str, tuple[Values, Values]] = field(default_factory=dict)
    """Further target -> ``(n,)`` labels and ``(n,)`` labels of the first seed, if measured in all rows."""
    variation: Target = VARIATION
    """Third target, one of `targets.VARIATIONS`."""
    noise: float | None = None
    """Variance of the 1-day accuracy between training runs of a network; None if there are too few repeats."""

    @property
    def target_names(self) -> tuple[str, str, str]:
        """Names of the targets that each surrogate learns, in the order of its columns."""
        return ACCURACY.name, SPREAD.name, self.variation.name

    @classmethod
    def of(cls, table: MeasuredTable, hardware: str | None = None, fidelity: str | None = None) -> TrainingSet:
        """Return the rows of one chip and one fidelity.

        Args:
            table: a checked table.
            hardware: chip; None selects the only one, or ``pcm`` if there are several.
            fidelity: fidelity; None selects the only one, or one of `DEFAULT_FIDELITIES` if there are several.

        Raises:
            InvalidValueError: the chip or the fidelity is ambiguous, no rows match, or the table has too few rows.
        """
        frame = table.select(hardware, fidelity)
        return cls._of(table, frame, table.space, str(frame["hardware"].iloc[0]))

    @classmethod
    def _of(cls, table: MeasuredTable, frame: pd.DataFrame, space: Space, hardware: str) -> TrainingSet:
        """Return the rows of a frame with the genes of a space; repeats are averaged."""
        names = list(space.gene_names)
        groups = frame.sort_values("seed", kind="stable").groupby(names, sort=True)
        target_names = tuple(one.name for one in table.targets)
        further = [name for name in FURTHER if name in frame and name not in target_names and frame[name].notna().all()]
        views = [name for name in VIEWS if name in frame and frame[name].notna().all()]
        measured = list(dict.fromkeys((*target_names, *views, *further)))
        means = groups[[*measured, *schema.HARDWARE_COLUMNS]].mean().reset_index()
        first = groups[[*target_names, *further]].first()
        if len(means) < FEWEST_ROWS:
            raise InvalidValueError(
                f"table {table.source} has {counted(len(means), 'measured architecture')}; a surrogate needs "
                f"{FEWEST_ROWS}"
            )
        population = means[names].to_numpy(dtype=np.int16)
        costs = table.space.layers(population)
        params, macs = costs.params(), costs.macs()
        seen = {"min_params": int(params.min()), "max_params": int(params.max()), "max_macs": int(macs.max())}
        settings = {name: float(means[name].iloc[0]) for name in schema.HARDWARE_COLUMNS}
        settings |= TECHNOLOGIES[str(frame["technology"].iloc[0])].device_errors
        floor = accuracy_std_floor(frame)
        return cls(
            space=space,
            population=population,
            labels={target: means[target].to_numpy(dtype=np.float64) for target in target_names},
            hardware=settings,
            scales=Scales(floor, avm_unit(means[target_names[2]].to_numpy(dtype=np.float64))),
            provenance={
                "table_name": Path(table.source).stem,
                "table_sha256": table.card["sha256"],
                "task": table.card["task"],
                "hardware": hardware,
                "fidelity": str(frame["fidelity"].iloc[0]),
                "rows": len(means),
                "seen": seen,
                **({} if space.has_chips else {"chip": _settings_of(frame)}),
            },
            first={target: first[target].to_numpy(dtype=np.float64) for target in target_names},
            views=np.log(np.maximum(means[views].to_numpy(dtype=np.float64), floor)) if views else None,
            chips=int(frame["chips"].min()),
            others={name: (means[name].to_numpy(np.float64), first[name].to_numpy(np.float64)) for name in further},
            variation=table.targets[2],
            noise=_noise(groups[DEFAULT_NAMES[0]]),
        )

    @classmethod
    def of_designs(cls, table: MeasuredTable, fidelity: str | None = None) -> TrainingSet:
        """Return the rows of all chips that `hardware.chip_genes` can encode; each is a design, a network on a chip.

        Args:
            table: a checked table.
            fidelity: fidelity; None selects the only one, or one of `DEFAULT_FIDELITIES` if there are several.

        Raises:
            InvalidValueError: the fidelity is ambiguous, no rows match, or there are too few chips or networks.
        """
        frame = table.of_fidelity(fidelity)
        frame = with_chips(frame)
        space = CoDesignSpace.on(table.space)
        different = len(frame.drop_duplicates(list(CHIP_GENE_NAMES)))
        if different < FEWEST_CHIPS:
            chips = "1 chip" if different == 1 else f"{different} chips"
            raise InvalidValueError(
                f"table {table.source} has networks on {chips} that a search can vary; co-design needs at least "
                f"{FEWEST_CHIPS}: measure more with ohmnas campaign --vary-chip"
            )
        if (networks := len(frame.drop_duplicates(list(table.space.gene_names)))) < FEWEST_ROWS:
            raise InvalidValueError(
                f"table {table.source} has {counted(networks, 'network')} on varied chips; a surrogate needs "
                f"{FEWEST_ROWS}"
            )
        genes = frame[list(CHIP_GENE_NAMES)]
        seen = {name: [int(genes[name].min()), int(genes[name].max())] for name in CHIP_GENE_NAMES}
        learned = cls._of(table, frame, space, VARIED)
        learned.provenance["seen"]["chips"] = seen
        learned.provenance["networks"] = networks
        return replace(learned, hardware=Hardware().description())

    def take(self, rows: npt.NDArray[np.intp]) -> TrainingSet:
        """Return only these rows."""
        return replace(
            self,
            population=self.population[rows],
            labels={target: values[rows] for target, values in self.labels.items()},
            first={target: values[rows] for target, values in self.first.items()},
            views=None if self.views is None else self.views[rows],
            others={name: (values[rows], single[rows]) for name, (values, single) in self.others.items()},
        )

    def further(self, name: str) -> tuple[Values, Values]:
        """Return ``(n,)`` labels of a further target and ``(n,)`` labels of one training run each.

        Raises:
            InvalidValueError: the target was not measured in all rows.
            UnknownNameError: the target is unknown.
        """
        if target(name).name not in self.others:
            instead = "" if self.variation == VARIATION else f"; use {self.variation.name}"
            more = instead if name == VARIATION.name else ""
            raise InvalidValueError(f"{name} was not measured in all rows of the table{more}")
        return self.others[name]

    def target(self, target: str) -> Values:
        """``(n,)``: labels of a target on its scale (`scales`)."""
        return self.scales.to(self.shrunk_labels())[:, self.target_names.index(target)]

    def shrunk_labels(self) -> Values:
        """``(n, 3)``: labels in the order of `target_names`; standard deviations are shrunk (`fit.label_shrinkage`)."""
        labels = self.matrix()
        if self.views is not None and self.chips > 1:
            log_stds = np.log(np.maximum(labels[:, 1], self.scales.std_floor))
            labels[:, 1] = np.minimum(np.exp(shrunk(log_stds, self.views, self.chips)), 1.0)
        return labels

    def matrix(self) -> Values:
        """``(n, 3)``: labels in the order of `target_names`."""
        return np.column_stack([self.labels[target] for target in self.target_names])

    def single(self) -> Values:
        """``(n, 3)``: labels of one training run each, in the order of `target_names`."""
        return np.column_stack([(self.first or self.labels)[target] for target in self.target_names])


def _noise(accuracies: SeriesGroupBy[Any, Any]) -> float | None:
    """Pooled variance between the training runs of a network; None if too few networks were trained more than once."""
    spare = accuracies.count() - 1
    repeated = spare[spare > 0]
    if len(repeated) < FEWEST_REPEATS:
        return None
    return float((accuracies.var(ddof=1)[repeated.index] * repeated).sum() / repeated.sum())


def _settings_of(frame: pd.DataFrame) -> dict[str, Any]:
    """`Hardware.settings` of the rows' chip, and its technology."""
    row = frame.iloc[0]
    return {"technology": str(row["technology"]), **{name: float(row[name]) for name in schema.HARDWARE_COLUMNS}}


def with_chips(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose chip `hardware.chip_genes` can encode, with its genes as additional columns."""
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
    """Chips of a table that have enough rows at their only fidelity or at a default fidelity."""
    chips = []
    for name, rows in table.measured.groupby("hardware"):
        fidelities = set(rows["fidelity"])
        chosen = rows
        if len(fidelities) > 1:
            chosen = rows[rows["fidelity"] == next((name for name in DEFAULT_FIDELITIES if name in fidelities), "")]
        if len(chosen.drop_duplicates(list(table.space.gene_names))) >= FEWEST_ROWS:
            chips.append(str(name))
    return chips
