"""The zero-cost proxies compared with published values of NAS-Bench-201 cells.

python benchmarks/proxies.py [--data FOLDER] [--cells 200] [--costly 200] [--batch 64]
                             [--values FILE] [--json]

The published values come from NAS-Bench-Suite-Zero (A. Krishnakumar et al., 2022): 13 proxies of 9,445 cells on
CIFAR-10, one batch of 64 images, torch's default initial weights. Here, ohmnas measures the same proxies with other
images and other weights. FOLDER holds `nb201_zc_proxies.csv` and `nb201_valid_nets.csv`; CIFAR-10 is in $OHMNAS_DATA.

The output shows Spearman's correlation of ohmnas's values with the published values, the correlation of both with the
validation accuracy of the cells, and core-seconds per cell. Errors are standard deviations over 1,000 bootstraps of
the cells. FILE stores the measurements: an interrupted run continues. `--costly` measures the four slowest proxies on
fewer cells.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from scipy.stats import kendalltau, spearmanr
from torch import nn

from ohmnas.datasets.tasks.task import task
from ohmnas.estimators.zero_cost import PROXIES, Batch
from ohmnas.estimators.zero_cost.az_nas import AzNas, combined_ranks
from ohmnas.estimators.zero_cost.networks import Networks
from ohmnas.spaces.cells import Cell, CellSpace
from ohmnas.spaces.cells.cell import OPERATIONS
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space

Values = npt.NDArray[np.float64]
PUBLISHED = {
    "params": "params",
    "macs": "flops",
    "naswot": "nwot",
    "synflow": "synflow",
    "zen": "zen",
    "jacov": "jacov",
    "epe_nas": "epe_nas",
    "snip": "snip",
    "grad_norm": "grad_norm",
    "fisher": "fisher",
    "grasp": "grasp",
}
"""Name in ohmnas -> column of the file."""
NAMES = [name for name, entry in PROXIES.items() if not entry.needs_chip]
COSTLY = ("grasp", "gradsign", "zico", "az_nas")
"""Proxies that take longer than all others together."""
AZ_PARTS = ("az_expressivity", "az_progressivity", "az_trainability", "az_complexity")
"""Parts of the ranks of AZ-NAS."""
_QUICK = tuple(name for name in NAMES if name not in COSTLY)
DRAWS = 1000
"""Bootstraps of the cells."""


class DefaultCells(CellSpace):
    """Cells as published: isomorphic cells stay distinct, and the initial weights are torch's default."""

    def canonical(self, population: Population) -> Population:
        """Return the cells unchanged."""
        return population

    def encode(self, architectures: Iterable[Cell]) -> Population:
        """``(n, 6)``: genomes of the unchanged cells."""
        rows = [[OPERATIONS.index(operation) for operation in cell.operations] for cell in architectures]
        return np.array(rows, dtype=np.int16)

    def build(self, architecture: Cell) -> nn.Module:
        """Build the network with torch's default initial weights."""
        network = super().build(architecture)
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                module.reset_parameters()
        return network


class Kept:
    """Rows of values in a CSV file, each written as soon as it is known; an incomplete row is measured again."""

    def __init__(self, path: Path | None, keys: Sequence[str], columns: Sequence[str]) -> None:
        """Read the complete rows of the file."""
        self._path, self._keys, self._columns = path, [*keys], [*columns]
        self._rows: dict[tuple[str, ...], dict[str, float]] = {}
        if path is not None and path.exists():
            whole = [line for line in path.read_text("utf-8").splitlines(keepends=True) if line.endswith("\n")]
            for row in csv.DictReader(whole):
                if all(row.get(column) for column in self._columns):
                    self._rows[tuple(row[key] for key in keys)] = {name: float(row[name]) for name in self._columns}
            path.write_text("".join(whole), encoding="utf-8")

    def __contains__(self, key: tuple[str, ...]) -> bool:
        return key in self._rows

    def __getitem__(self, key: tuple[str, ...]) -> dict[str, float]:
        return self._rows[key]

    def add(self, key: tuple[str, ...], values: Mapping[str, float]) -> None:
        """Store one row."""
        self._rows[key] = {name: float(values[name]) for name in self._columns}
        if self._path is None:
            return
        is_new = not self._path.exists() or not self._path.stat().st_size
        with self._path.open("a", encoding="utf-8") as file:
            if is_new:
                file.write(",".join([*self._keys, *self._columns]) + "\n")
            file.write(",".join([*key, *(repr(value) for value in self._rows[key].values())]) + "\n")


def columns_of(names: Iterable[str]) -> list[str]:
    """Columns of measured proxies: values, then core-seconds."""
    names = [*names]
    values = [column for name in names for column in (AZ_PARTS if name == "az_nas" else (name,))]
    return [*values, *(f"seconds_{name}" for name in names)]


def measured(space: Space, genome: npt.NDArray[np.int16], networks: Networks, names: Iterable[str]) -> dict[str, float]:
    """Column -> value for one architecture. AZ-NAS has its four parts, because its ranks need all architectures."""
    found: dict[str, float] = {}
    for name in names:
        proxy, start = PROXIES[name].load(), time.process_time()
        row = genome[None]
        if isinstance(proxy, AzNas):
            found |= dict(zip(AZ_PARTS, proxy.columns(space, row, networks)[0].tolist(), strict=True))
        else:
            found[name] = float(proxy.measure(space, row, networks)[0])
        found[f"seconds_{name}"] = time.process_time() - start
    return found


def ranked(rows: Sequence[Mapping[str, float]], name: str) -> Values:
    """``(n,)``: the values of one proxy."""
    if name == "az_nas":
        return combined_ranks(np.array([[row[part] for part in AZ_PARTS] for row in rows]))
    return np.array([row[name] for row in rows])


def _draw(folder: Path, count: int) -> pd.DataFrame:
    """Draw published cells at random; cells that pass no signal have no published values."""
    proxies, accuracies = (pd.read_csv(folder / f"nb201_{name}.csv") for name in ("zc_proxies", "valid_nets"))
    frame = proxies.merge(accuracies[["net", "val_accs"]], on="net", validate="one_to_one")
    return frame.sort_values("net").sample(count, random_state=0).reset_index(drop=True)


def _genomes(space: CellSpace, frame: pd.DataFrame) -> Population:
    return space.encode([Cell.from_str(text) for text in frame["net_str"]])


def _correlation(one: Values, other: Values) -> float:
    return float(spearmanr(one, other).statistic)


def _error(rng: np.random.Generator, pairs: Sequence[tuple[Values, Values]], signs: Sequence[int]) -> float:
    """Standard deviation of a signed sum of correlations over bootstraps of the cells."""
    found = []
    for _ in range(DRAWS):
        some = rng.integers(len(pairs[0][0]), size=len(pairs[0][0]))
        found.append(sum(s * _correlation(a[some], b[some]) for s, (a, b) in zip(signs, pairs, strict=True)))
    return float(np.std(found))


def compare(folder: Path, count: int, costly: int, batch: int, path: Path | None) -> dict[str, Any]:
    """Proxy -> correlations and seconds."""
    frame = _draw(folder, count)
    plain = task("cifar10")
    space = DefaultCells(plain.input_shape, plain.classes)
    networks = Networks(space, Batch.of(plain, batch), 0)
    rows: dict[str, list[dict[str, float]]] = {}
    for names, several, end in ((_QUICK, count, ".csv"), (COSTLY, min(costly, count), ".costly.csv")):
        kept = Kept(path and path.with_suffix(end), ("cell", "batch"), columns_of(names))
        for genome, text in zip(_genomes(space, frame)[:several], frame["net_str"], strict=False):
            key = (text, str(batch))
            if key not in kept:
                kept.add(key, measured(space, genome, networks, names))
            for name in names:
                rows.setdefault(name, []).append(kept[key])
    rng, found = np.random.default_rng(0), {}
    for name in NAMES:
        ours = ranked(rows[name], name)
        accuracy = frame["val_accs"].to_numpy()[: len(ours)]
        own = {
            "accuracy": _correlation(ours, accuracy),
            "accuracy_error": _error(rng, [(ours, accuracy)], [1]),
            "accuracy_tau": float(kendalltau(ours, accuracy).statistic),
            "seconds": float(np.mean([row[f"seconds_{name}"] for row in rows[name]])),
            "cells": len(ours),
        }
        if name in PUBLISHED:
            theirs = frame[PUBLISHED[name]].to_numpy()[: len(ours)]
            own["published"] = _correlation(ours, theirs)
            own["published_accuracy"] = _correlation(theirs, accuracy)
            own["difference_error"] = _error(rng, [(ours, accuracy), (theirs, accuracy)], [1, -1])
        found[name] = own
    return found


def main() -> None:
    """Print a line for each proxy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = Path(os.environ.get("OHMNAS_DATA", "data"))
    parser.add_argument("--data", type=Path, default=data / "nas-bench-201")
    parser.add_argument("--cells", type=int, default=200)
    parser.add_argument("--costly", type=int, default=200)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--values", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    found = compare(arguments.data, arguments.cells, arguments.costly, arguments.batch, arguments.values)
    if arguments.json:
        print(json.dumps(found))
        return
    print("Spearman's correlation")
    targets = ("ours with", "ours with", "published with", "difference", "core-seconds")
    units = ("published", "accuracy", "accuracy", "", "per cell")
    for words, cells in ((targets, "cells"), (units, "")):
        print(
            f"{'':12}{cells:>7}" + "".join(f"{word:>{w}}" for word, w in zip(words, (12, 16, 16, 16, 14), strict=True))
        )
    for name, own in found.items():
        line = f"{name:12}{own['cells']:7}" + (f"{own['published']:12.3f}" if "published" in own else " " * 12)
        line += f"{own['accuracy']:8.3f} ± {own['accuracy_error']:.3f}"
        if "published" in own:
            difference = own["accuracy"] - own["published_accuracy"]
            line += f"{own['published_accuracy']:16.3f}{difference:+8.3f} ± {own['difference_error']:.3f}"
        else:
            line += " " * 32
        print(f"{line}{own['seconds']:14.2f}")


if __name__ == "__main__":
    main()
