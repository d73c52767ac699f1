"""All estimators on one scale: quality of their ranking, and core-seconds per network.

python benchmarks/estimators.py [--tasks digits,cifar10,cells] [--measure] [--plot FILE] [--json]

The labels come from the tables `digits-protocol4`, `cifar10-protocol4` and `analog-nasbench`. Each task has a random
sample of NETWORKS networks, which all of its estimators rank. The sample is the networks in the file, or drawn from:

- digits and cifar10: the networks of the table with the shortest training runs (40 % on digits, 75 % on CIFAR-10);
- cells: the cells with published proxies (NAS-Bench-Suite-Zero: A. Krishnakumar et al., 2022; `nb201_zc_proxies.csv` in
  the folder `nas-bench-201` of $OHMNAS_DATA). Proxies have the published values, and the seconds of ohmnas's code.

Otherwise, proxies are measured on 64 images and exact networks. The surrogate and the curve process are not fitted to
the networks of the sample, but to the other rows of the table (cells: to 300 of them), whose training runs are not
counted. Curves come from the table. `training` is a second training run as for the table: tau is measured with all
repeats of the table (cells), or simulated with the variance between training runs. `inherited` needs small parents and
ran on digits only.

Core-seconds are medians over the networks. Tau (Kendall) and regret are for the 1-day accuracy. Regret is the accuracy,
in points, that is lost by training only the network with the best estimate. Errors are standard deviations over 1,000
bootstraps of the networks.

Without --measure, values come from `benchmarks/estimators.csv`. With --measure, missing values are measured first and
written one by one; an interrupted run continues. Estimators with missing values are excluded.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from curves import Measured
from matplotlib.lines import Line2D
from proxies import PUBLISHED
from scipy.stats import kendalltau

from ohmnas.datasets.campaign.fidelity import fidelity
from ohmnas.datasets.tables.curves import last_seen
from ohmnas.datasets.tables.table import MeasuredTable, genomes, read_table
from ohmnas.datasets.tasks.task import Task, task
from ohmnas.estimators.curves import CurveProcess
from ohmnas.estimators.inherit import Inherited
from ohmnas.estimators.low_fidelity import SHARES, low_fidelity
from ohmnas.estimators.zero_cost import PROXIES, Batch, ZeroCost
from ohmnas.files import write_atomically
from ohmnas.pictures import FOUND, GROUP_MARKS, GROUPS, OTHERS, drawing, new_figure, save, ticks_in_words
from ohmnas.search.estimator import Estimator
from ohmnas.spaces.cells.cell import OPERATIONS, Cell
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet.architecture import CONV_TYPES, Architecture, MainBlock
from ohmnas.spaces.space import Space
from ohmnas.surrogate import Surrogate, TrainingSet, metrics
from ohmnas.targets import DEFAULT_NAMES
from ohmnas.threads import one_blas_thread

Values = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

FILE: Final = Path(__file__).with_suffix(".csv")
COLUMNS: Final = ("task", "estimator", "network", *DEFAULT_NAMES, "seconds")
NETWORKS: Final = {"digits": 20, "cifar10": 20, "cells": 300}
TABLES: Final = {"digits": "digits-protocol4", "cifar10": "cifar10-protocol4", "cells": "analog-nasbench"}
BOOTSTRAPS: Final = 1000
FEW_ROWS: Final = 300
SHORTEST: Final = {"digits": 0.4, "cifar10": 0.75}
"""Share of the networks, shortest training runs first, from which the sample of ResNet-like networks is drawn."""
FREE: Final = ("params", "macs")
TRAININGS: Final = ("inherited", *SHARES)
KINDS: Final = (
    ("sizes", FREE),
    ("proxies", tuple(name for name in PROXIES if name not in FREE)),
    ("surrogate", ("surrogate",)),
    ("first epochs", ("last loss", "curve process")),
    ("cheaper training", TRAININGS),
)
"""Groups of estimators in the picture."""
TIMED: Final = 2
"""Number of cells on which the seconds of a proxy are measured."""
CHIPS: Final = 8
"""Number of chips on which networks of cheaper training runs are measured."""
SIMILAR: Final = 6.0
"""Points whose seconds differ by less than this factor have their names in one column."""
NAME_OFFSET: Final = 2.0
"""Distance of names from their points, as a factor of the seconds."""
NAME_GAP: Final = 0.032
"""Smallest distance between names in a column, as a share of the height."""
LEAST_SECONDS: Final = 1e-7
"""Left end of the picture."""
QUICK: Final = tuple(name for name, one in PROXIES.items() if name not in (*FREE, "az_nas") and not one.needs_chip)


@dataclass(frozen=True, eq=False)
class Sample:
    """Networks of a table, with their labels."""

    task: Task
    table: MeasuredTable
    networks: Population
    labels: Values
    """``(n, 3)``: labels of one training run each, in the order of the targets of the table."""

    @classmethod
    def of(cls, name: str, kept: Kept) -> Sample:
        """The sample of a task."""
        table = read_table(TABLES[name])
        frame = table.select().sort_values("seed", kind="stable").drop_duplicates(list(table.space.gene_names))
        stored = kept.networks(name)
        if len(stored) == NETWORKS[name]:
            frame = frame[[_word(genome) in stored for genome in genomes(frame)]]
        elif name != "cells":
            frame = frame[frame["train_seconds"] <= frame["train_seconds"].quantile(SHORTEST[name])]
        else:
            known = {row.tobytes() for row in np.ascontiguousarray(table.space.canonical(_published()[0]))}
            frame = frame[[row.tobytes() in known for row in np.ascontiguousarray(genomes(frame))]]
        frame = frame.sample(frac=1.0, random_state=0).head(NETWORKS[name])
        labels = frame[[one.name for one in table.targets]].to_numpy(dtype=np.float64)
        plain = task("cifar10").in_space("cells") if name == "cells" else task(name)
        return cls(plain, table, genomes(frame), labels)

    @property
    def unseen(self) -> MeasuredTable:
        """The table without the networks of the sample."""
        keys = {row.tobytes() for row in np.ascontiguousarray(self.networks)}
        keep = [row.tobytes() not in keys for row in np.ascontiguousarray(genomes(self.table.frame))]
        return replace(self.table, frame=self.table.frame[keep])


def _published() -> tuple[Population, pd.DataFrame]:
    """``(n, 6)`` published cells, not made canonical, and their proxies."""
    frame = pd.read_csv(Path(os.environ.get("OHMNAS_DATA", "data")) / "nas-bench-201" / "nb201_zc_proxies.csv")
    cells = [[OPERATIONS.index(one) for one in Cell.from_str(text).operations] for text in frame["net_str"]]
    return np.array(cells, dtype=np.int16), frame


def _of_published(sample: Sample) -> dict[str, Values]:
    """Proxy -> ``(n,)`` published values of a sample, means over isomorphic cells."""
    cells, frame = _published()
    names = [name for name in PUBLISHED if name not in FREE]
    keys = [row.tobytes() for row in np.ascontiguousarray(sample.task.space.canonical(cells))]
    means = frame[[PUBLISHED[name] for name in names]].groupby(keys).mean()
    rows = means.loc[[row.tobytes() for row in np.ascontiguousarray(sample.networks)]]
    return {name: rows[PUBLISHED[name]].to_numpy(dtype=np.float64) for name in names}


def _parents(space: Space) -> Population:
    """Parents on the digits: ResNet-8 with 8 channels, and the smallest networks with one residual block."""
    kinds = [MainBlock(1, 1, kind, 1, skip) for kind in CONV_TYPES for skip in (True, False)]
    return space.encode([space.references["resnet8-w8"], *(Architecture(8, 3, (block,)) for block in kinds)])


class Kept:
    """Measured values by task, estimator and network."""

    def __init__(self, path: Path) -> None:
        """Read the file if it exists."""
        self._path = path
        self._rows: list[dict[str, str]] = []
        if path.exists():
            self._rows = [*csv.DictReader(path.read_text("utf-8").splitlines())]

    def of(self, name: str, estimator: str, networks: Population) -> tuple[Values, Values] | None:
        """``(n, 3)`` values and ``(n,)`` seconds; None if one is missing."""
        own = {row["network"]: row for row in self._rows if (row["task"], row["estimator"]) == (name, estimator)}
        found = [own.get(_word(genome)) for genome in networks]
        if any(row is None for row in found):
            return None
        rows = [row for row in found if row is not None]
        values = [[float(row[head] or "nan") for head in DEFAULT_NAMES] for row in rows]
        return np.array(values), np.array([float(row["seconds"]) for row in rows])

    def networks(self, name: str) -> set[str]:
        """Networks of a task that were measured."""
        return {row["network"] for row in self._rows if row["task"] == name}

    def seconds(self, name: str, estimator: str) -> float | None:
        """Median seconds per network, over all measured networks; None if none was measured."""
        own = [float(row["seconds"]) for row in self._rows if (row["task"], row["estimator"]) == (name, estimator)]
        return float(np.median(own)) if own else None

    def measure(self, name: str, estimator: str, networks: Population, make: Callable[[], Estimator]) -> None:
        """Estimate the networks that are missing, one by one."""
        own = {row["network"] for row in self._rows if (row["task"], row["estimator"]) == (name, estimator)}
        missing = [genome for genome in networks if _word(genome) not in own]
        one = make() if missing else None
        for genome in missing:
            assert one is not None
            before = _seconds(one)
            values = one.estimate(genome[None]).values[0]
            spent = _seconds(one) - before
            texts = [f"{value:.9g}" for value in values] + [""] * (len(DEFAULT_NAMES) - len(values))
            cells = (name, estimator, _word(genome), *texts, f"{spent:.4f}")
            self._rows.append(dict(zip(COLUMNS, cells, strict=True)))
            lines = [",".join(COLUMNS), *(",".join(row.values()) for row in self._rows)]
            write_atomically(self._path, "\n".join(lines) + "\n")


def _word(genome: Population) -> str:
    return "-".join(map(str, genome.tolist()))


def _seconds(one: Any) -> float:
    return sum(one.seconds.values()) if isinstance(one, ZeroCost) else float(one.seconds)


def makers(name: str, sample: Sample) -> Iterator[tuple[str, Callable[[], Estimator]]]:
    """Estimators whose values are measured."""
    batch = Batch.of(sample.task)
    for proxy in QUICK:
        yield proxy, partial(ZeroCost, sample.task.space, (proxy,), batch)
    if name == "cells":
        return
    base = replace(fidelity("table", name), chips=CHIPS)
    if name == "digits":
        yield "inherited", lambda: Inherited(sample.task, _parents(sample.task.space), base=base)
    for reduction in SHARES:
        yield reduction, partial(low_fidelity, reduction, sample.task, base=base)


def estimates(name: str, sample: Sample, kept: Kept) -> dict[str, tuple[Values, float]]:
    """Estimator -> ``(n,)``, larger is better, and core-seconds of a network."""
    space, networks = sample.task.space, sample.networks
    found: dict[str, tuple[Values, float]] = {}
    for size in FREE:
        start = time.process_time()
        values = (space.params if size == "params" else space.macs)(networks).astype(np.float64)
        found[size] = values, (time.process_time() - start) / len(networks)
    for estimator in (*QUICK, *TRAININGS):
        measured = kept.of(name, estimator, networks)
        if measured is not None:
            found[estimator] = measured[0][:, 0], float(np.median(measured[1]))
    if name == "cells":
        for proxy, published in _of_published(sample).items():
            seconds = kept.seconds(name, proxy)
            if seconds is not None:
                found[proxy] = published, seconds
    found["surrogate"] = _by_surrogate(sample)
    if name != "cells":
        found |= _by_curves(name, sample)
    return found


def _by_surrogate(sample: Sample) -> tuple[Values, float]:
    table = sample.unseen
    if len(table.frame) > 10 * FEW_ROWS:
        table = replace(table, frame=table.frame.sample(FEW_ROWS, random_state=0))
    model = Surrogate.learn(TrainingSet.of(table)).model_
    model.rank_scores(sample.networks)  # loads what the first prediction needs
    start = time.process_time()
    scores = model.rank_scores(sample.networks)
    return scores, (time.process_time() - start) / len(scores)


def _by_curves(name: str, sample: Sample) -> dict[str, tuple[Values, float]]:
    """Estimators that train the first epochs of a training run for the table."""
    measured = Measured.of(TABLES[name])
    place = {row.tobytes(): number for number, row in enumerate(np.ascontiguousarray(measured.data.population))}
    rows = np.array([place[genome.tobytes()] for genome in np.ascontiguousarray(sample.networks)])
    others = np.setdiff1d(np.arange(len(measured.data.population)), rows)
    labels = dict(zip(DEFAULT_NAMES, measured.data.single()[others].T, strict=True))
    found: dict[str, tuple[Values, float]] = {}
    for divisor in (8, 4, 2):
        epoch = measured.curves.epochs // divisor
        seconds = float(np.median(measured.seconds(epoch)[rows]))
        cut = measured.curves.take(rows).until(epoch)
        process = CurveProcess.fit(
            measured.data.space, measured.data.population[others], measured.curves.take(others), labels, epoch
        )
        scores = process.normal_scores(sample.networks, measured.curves.take(rows))[:, 0]
        found[f"last loss, 1/{divisor}"] = -last_seen(cut.losses), seconds
        found[f"curve process, 1/{divisor}"] = scores, seconds
    return found


def full_training(name: str, sample: Sample) -> dict[str, Any]:
    """Tau and seconds of a second training run.

    Our tables have few repeats, or of their best third only. For them, the second label is therefore drawn from a
    normal distribution around the first label, with twice the variance between training runs of one network.
    """
    frame = sample.table.select().sort_values("seed", kind="stable")
    spent = _of_rows(sample, frame["train_seconds"] + frame["drift_seconds"], frame)
    seconds = float(np.median(spent)) if np.isfinite(spent).all() and spent.any() else None
    if name != "cells":
        noise = TrainingSet.of(sample.table).noise
        if noise is None:
            return {"tau": None, "seconds": seconds}
        truth, rng = sample.labels[:, 0], np.random.default_rng(0)
        others = truth + np.sqrt(2.0 * noise) * rng.standard_normal((BOOTSTRAPS, len(truth)))
        return {
            "tau": round(float(np.mean([metrics.kendall_tau(truth, one) for one in others])), 3),
            "seconds": seconds,
        }
    groups = frame.groupby(list(sample.table.space.gene_names))["accuracy_1d"].agg(list)
    pairs = np.array([labels[:2] for labels in groups if len(labels) > 1])
    return {"tau": round(metrics.kendall_tau(*pairs.T), 3), "seconds": seconds}


def _of_rows(sample: Sample, values: pd.Series, frame: pd.DataFrame) -> Values:
    """``(n,)``: values of the rows of the sample."""
    of_genome = {row.tobytes(): value for row, value in zip(genomes(frame), values, strict=True)}
    return np.array([of_genome[genome.tobytes()] for genome in sample.networks])


def judged(values: Values, truth: Values) -> dict[str, float]:
    """Tau and regret with their errors."""
    rng = np.random.default_rng(0)
    draws = [rng.integers(len(truth), size=len(truth)) for _ in range(BOOTSTRAPS)]
    taus = [kendalltau(truth[some], values[some]).statistic for some in draws]
    regrets = [100.0 * (truth[some].max() - truth[some][np.argmax(values[some])]) for some in draws]
    return {
        "tau": round(metrics.kendall_tau(truth, values), 3),
        "tau_error": round(float(np.nanstd(taus)), 3),
        "regret": round(100.0 * float(truth.max() - truth[np.argmax(values)]), 3),
        "regret_error": round(float(np.std(regrets)), 3),
    }


def main() -> None:
    """Measure, then print a table for each task."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", default=",".join(TABLES))
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    kept, found = Kept(FILE), dict[str, Any]()
    for name in arguments.tasks.split(","):
        sample = Sample.of(name, kept)
        if arguments.measure:
            for estimator, make in makers(name, sample):
                several = TIMED if name == "cells" else len(sample.networks)
                kept.measure(name, estimator, sample.networks[:several], make)
        with one_blas_thread():
            guesses = estimates(name, sample, kept)
        rows = {
            estimator: {**judged(values, sample.labels[:, 0]), "seconds": seconds}
            for estimator, (values, seconds) in guesses.items()
        }
        found[name] = {"networks": len(sample.networks), "estimators": rows, "training": full_training(name, sample)}
    if arguments.plot:
        _plot(found, arguments.plot)
    if arguments.json:
        print(json.dumps(found))
        return
    for name, one in found.items():
        print(f"{name}: {one['networks']} networks")
        print(f"{'':22}{'core-seconds':>13}{'tau':>16}{'regret':>16}")
        for estimator, row in sorted(one["estimators"].items(), key=lambda item: -item[1]["tau"]):
            tau = f"{row['tau']:.2f} ± {row['tau_error']:.2f}"
            regret = f"{row['regret']:.2f} ± {row['regret_error']:.2f}"
            print(f"{estimator:22}{row['seconds']:>13.2g}{tau:>16}{regret:>16}")
        again = one["training"]
        spent = "unknown" if again["seconds"] is None else f"{again['seconds']:.2g}"
        tau = "unknown" if again["tau"] is None else f"{again['tau']:.2f}"
        print(f"{'training':22}{spent:>13}{tau:>9}")


@drawing()
def _plot(found: dict[str, Any], path: Path) -> None:
    """Tau over core-seconds, one panel for each task."""
    drawn = new_figure(5.0 * len(found), 5.2)
    panels = drawn.subplots(1, len(found), squeeze=False)[0]
    for panel, (name, one) in zip(panels, found.items(), strict=True):
        for estimator, row in one["estimators"].items():
            group = next(place for place, (_, members) in enumerate(KINDS) if estimator.split(",")[0] in members)
            x = max(row["seconds"], LEAST_SECONDS)
            colour, mark = GROUPS[group], GROUP_MARKS[group]
            panel.errorbar(x, row["tau"], row["tau_error"], color=colour, marker=mark, markersize=5, elinewidth=0.6)
        again = one["training"]
        if again["tau"] is not None:
            panel.axhline(again["tau"], color=FOUND, linewidth=0.8, linestyle="--")
            if again["seconds"] is not None:
                panel.plot(again["seconds"], again["tau"], marker="*", markersize=11, color=FOUND, linestyle="none")
        panel.set(xscale="log", title=name, xlabel="core-seconds of a network")
        left, right = panel.get_xlim()
        panel.set_xlim(left, right * (right / left) ** 0.25)  # room for names
        rows = one["estimators"].items()
        _write_names(panel, {name: (max(row["seconds"], LEAST_SECONDS), row["tau"]) for name, row in rows})
        ticks_in_words(panel, "x")
    panels[0].set_ylabel("Kendall's tau with the 1-day accuracy")
    drawn_names = {estimator.split(",")[0] for one in found.values() for estimator in one["estimators"]}
    marks = [
        Line2D([], [], color=GROUPS[place], marker=GROUP_MARKS[place], linestyle="none", label=label)
        for place, (label, members) in enumerate(KINDS)
        if drawn_names & {*members}
    ]
    marks.append(Line2D([], [], color=FOUND, marker="*", linestyle="--", label="a second training run"))
    drawn.legend(handles=marks, loc="outside lower center", ncols=len(marks))
    save(drawn, path)


def _write_names(panel: Any, points: dict[str, tuple[float, float]]) -> None:
    """Write the names of points in columns, one for each group of points with similar seconds."""
    bottom, top = panel.get_ylim()
    least = NAME_GAP * (top - bottom)
    columns: list[list[str]] = []
    for name in sorted(points, key=lambda one: points[one][0]):
        near = columns and points[name][0] <= SIMILAR * points[columns[-1][-1]][0]
        if near:
            columns[-1].append(name)
        else:
            columns.append([name])
    for column in columns:
        x = max(points[name][0] for name in column)
        names = sorted(column, key=lambda one: points[one][1])
        heights = [points[name][1] for name in names]
        for row in range(1, len(heights)):
            heights[row] = max(heights[row], heights[row - 1] + least)
        over = max(heights[-1] - (top - least), 0.0)
        for row in range(len(heights) - 1, -1, -1):  # push down what reached the top
            limit = top - least if row == len(heights) - 1 else heights[row + 1] - least
            heights[row] = min(heights[row], limit) if over else heights[row]
        for name, height in zip(names, heights, strict=True):
            panel.annotate(
                name.replace("_", " "),
                points[name],
                (x * NAME_OFFSET, height),
                va="center",
                fontsize=7,
                arrowprops={"arrowstyle": "-", "linewidth": 0.3, "color": OTHERS},
            )


if __name__ == "__main__":
    main()
