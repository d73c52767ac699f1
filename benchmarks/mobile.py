"""Depthwise against full convolutions at equal parameters: accuracy, spread, drift, tiles and energy.

python benchmarks/mobile.py [--mobile digits-mobile] [--resnet digits-protocol4] [--chip pcm] [--neighbours 5] [--json]

Each network of the first table is compared with the median of the networks of the second that have the nearest
logarithms of parameters. Differences are means over the networks of the first table, with standard errors. A network
counts once, with its first seed. Costs on tiles are exact; energy is a proxy.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ohmnas.costs import crossbar_costs
from ohmnas.datasets.tables.table import genomes, read_table
from ohmnas.hardware import hardware

LARGEST_FACTOR: Final = 1.5
"""Networks whose parameters differ by more are no neighbours."""
EDGES: Final = (0, 5_000, 15_000, 50_000, 200_000)
"""Groups by parameters, for medians."""


@dataclass(frozen=True)
class Quantity:
    """A compared quantity."""

    title: str
    factor: float
    decimals: int


QUANTITIES: Final = {
    "accuracy_digital": Quantity("digital accuracy (%)", 100, 2),
    "accuracy_1d": Quantity("1-day accuracy (%)", 100, 2),
    "accuracy_1d_std": Quantity("std over chips (points)", 100, 2),
    "avm": Quantity("AVM (points)", 100, 2),
    "macs": Quantity("MACs (thousands)", 1e-3, 0),
    "tiles": Quantity("tiles", 1, 1),
    "utilisation": Quantity("utilisation (%)", 100, 2),
    "energy": Quantity("energy (nJ, proxy)", 1e9, 1),
}

Columns = dict[str, npt.NDArray[np.float64]]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mobile", default="digits-mobile", help="table of the first space")
    parser.add_argument("--resnet", default="digits-protocol4", help="table of the second space, same task and chip")
    parser.add_argument("--chip", default="pcm")
    parser.add_argument("--neighbours", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    first, second = (_columns(table, arguments.chip) for table in (arguments.mobile, arguments.resnet))
    groups, matched = _groups(first, second), _matched(first, second, arguments.neighbours)
    if arguments.json:
        print(json.dumps({"groups": groups, "matched": matched}))
        return
    print("medians by parameters: mobile / resnet")
    print(f"{'parameters':22}" + "".join(f"{f'{low:,} to {high:,}':>22}" for low, high, *_ in groups))
    print(f"{'networks':22}" + "".join(f"{f'{ours} / {theirs}':>22}" for _, _, ours, theirs, _ in groups))
    for name, quantity in QUANTITIES.items():
        cells = [" / ".join(f"{quantity.factor * one:.{quantity.decimals}f}" for one in row[4][name]) for row in groups]
        print(f"{quantity.title:22}" + "".join(f"{cell:>22}" for cell in cells))
    print(f"\nmobile minus resnet at equal parameters ({matched['networks']} networks with neighbours)")
    for name, quantity in QUANTITIES.items():
        mean, error = (quantity.factor * one for one in matched[name])
        print(f"{quantity.title:26}{mean:>+12.{quantity.decimals}f} +- {error:.{quantity.decimals}f}")


def _columns(name: str, chip: str) -> Columns:
    """Quantities of each network of a table on a chip, and its parameters."""
    table = read_table(name)
    frame = table.measured[table.measured["hardware"] == chip].sort_values("seed")
    frame = frame.drop_duplicates(list(table.space.gene_names))
    costs = crossbar_costs(table.space.layers(genomes(frame)), hardware(chip).settings())
    measured = ("params", "macs", "accuracy_digital", "accuracy_1d", "accuracy_1d_std", "avm")
    values = {column: frame[column].to_numpy(dtype=np.float64) for column in measured}
    return values | {
        "tiles": costs.tiles.astype(np.float64),
        "utilisation": costs.utilisation,
        "energy": costs.energy,
    }


def _groups(first: Columns, second: Columns) -> list[Any]:
    """Smallest and largest parameters, networks of each table, and the medians, of groups that both tables have."""
    found = []
    for low, high in pairwise(EDGES):
        rows = [(of["params"] > low) & (of["params"] <= high) for of in (first, second)]
        if all(row.any() for row in rows):
            both = list(zip((first, second), rows, strict=True))
            medians = {name: [float(np.median(of[name][row])) for of, row in both] for name in QUANTITIES}
            found.append((low, high, int(rows[0].sum()), int(rows[1].sum()), medians))
    return found


def _matched(first: Columns, second: Columns, neighbours: int) -> dict[str, Any]:
    """Mean difference of each quantity to the neighbours, and its standard error."""
    distance = np.abs(np.log(first["params"])[:, None] - np.log(second["params"])[None])
    nearest = np.argsort(distance, axis=1)[:, :neighbours]
    near = np.take_along_axis(distance, nearest, axis=1)[:, -1] <= np.log(LARGEST_FACTOR)
    found: dict[str, Any] = {"networks": int(near.sum())}
    for name in QUANTITIES:
        difference = first[name][near] - np.median(second[name][nearest[near]], axis=1)
        found[name] = float(difference.mean()), float(difference.std(ddof=1) / np.sqrt(near.sum()))
    return found


if __name__ == "__main__":
    main()
