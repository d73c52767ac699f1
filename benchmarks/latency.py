"""Quality of the latency model on six devices: HW-NAS-Bench's cells on CIFAR-10 (Li et al., ICLR 2021).

python benchmarks/latency.py FILE [--sizes 50,100,500] [--draws 10] [--json]

FILE is ``hw_cifar10.csv``, with a column ``net`` of six operations and one latency per device, in milliseconds. Cells
whose latency is not above 0 did not run on the device and are excluded. Each draw fits a model to random cells and
tests it on all others: Spearman's correlation, and the median relative error. FLOPs are the baseline.
"""

from __future__ import annotations

import argparse
import ast
import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ohmnas.estimators.latency import LatencyModel
from ohmnas.spaces.cells import OPERATIONS, CellSpace
from ohmnas.spaces.genes import Population
from ohmnas.surrogate.metrics import spearman

SPACE: Final = CellSpace((3, 32, 32), 10)
DEVICES: Final = {
    "edgegpu": "edge GPU",
    "raspi4": "Raspberry Pi 4",
    "edgetpu": "Edge TPU",
    "pixel3": "Pixel 3",
    "eyeriss": "Eyeriss",
    "fpga": "FPGA",
}
NAMES: Final = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
"""Operation of each number in `net`."""
EDGES: Final = (0, 1, 3, 2, 4, 5)
"""Position of each ohmnas edge in `net`, which sorts edges by their source; checked with `net_str` in the other file
of the benchmark."""


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="hw_cifar10.csv")
    parser.add_argument("--sizes", default="50,100,500")
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    population, frame = read(arguments.file)
    sizes = [int(size) for size in arguments.sizes.split(",")]
    found = {
        name: _scores(population, frame[f"{name}_latency"].to_numpy(dtype=np.float64) / 1e3, sizes, arguments.draws)
        for name in DEVICES
    }
    if arguments.json:
        print(json.dumps(found))
        return
    print(f"Spearman's correlation on unseen cells (median relative error), mean of {arguments.draws} draws")
    print(f"{'':18}{'cells':>8}{'FLOPs':>8}{''.join(f'{size:>18}' for size in sizes)}")
    for name, scores in found.items():
        cells = [scores[str(size)] for size in sizes]
        shown = "".join(f"{cell['spearman']:>9.3f} ({100 * cell['relative_error']:4.1f} %)" for cell in cells)
        print(f"{DEVICES[name]:18}{scores['cells']:>8,}{scores['flops']['spearman']:>8.3f}{shown}")


def read(path: Path) -> tuple[Population, pd.DataFrame]:
    """``(n, 6)`` measured cells, not made canonical, and the latencies."""
    frame = pd.read_csv(path)
    cells = np.array([ast.literal_eval(text) for text in frame["net"]])
    codes = np.array([OPERATIONS.index(name) for name in NAMES])
    return codes[cells][:, EDGES].astype(np.int16), frame


def _scores(population: Population, seconds: npt.NDArray[np.float64], sizes: list[int], draws: int) -> dict[str, Any]:
    """Correlation and error by number of measured cells."""
    ran = np.flatnonzero(seconds > 0.0)
    flops = SPACE.macs(population).astype(np.float64)
    found: dict[str, Any] = {"cells": len(ran), "flops": {"spearman": round(spearman(seconds[ran], flops[ran]), 4)}}
    for size in sizes:
        ranks, errors = [], []
        for draw in range(draws):
            order = np.random.default_rng(draw).permutation(ran)
            known, unseen = order[:size], order[size:]
            predicted = (
                LatencyModel.fit(SPACE, population[known], seconds[known]).estimate(population[unseen]).values[:, 0]
            )
            ranks.append(spearman(seconds[unseen], predicted))
            errors.append(float(np.median(np.abs(predicted / seconds[unseen] - 1.0))))
        found[str(size)] = {
            "spearman": round(float(np.mean(ranks)), 4),
            "spearman_std": round(float(np.std(ranks)), 4),
            "relative_error": round(float(np.mean(errors)), 4),
        }
    return found


if __name__ == "__main__":
    main()
