"""Depthwise compared with full convolutions at equal parameters or MACs: accuracy, spread, drift, tiles and energy.

python benchmarks/mobile.py [--mobile digits-mobile] [--resnet digits-protocol4] [--by params] [--json]
python benchmarks/mobile.py --costs [--task digits] [--sampled 1000] [--by params] [--json]

The first command compares measured networks, the second exact costs of networks sampled evenly over the logarithm of
parameters within the limits of the task. Each network of the mobile space is compared with the median of the networks
of the resnet space that have the nearest logarithms of parameters, or of MACs. Differences and ratios are means over
the mobile networks, with standard errors; ratios are geometric means. A network counts once, with its first seed. Costs
on tiles are exact; energy and latency are proxies.
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
from ohmnas.costs.crossbar import tile_parts
from ohmnas.datasets.tables.table import genomes, read_table
from ohmnas.datasets.tasks.task import Task, task
from ohmnas.hardware import hardware
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space

LARGEST_FACTOR: Final = 1.5
"""Largest ratio of the parameters (or MACs) of neighbours."""
EDGES: Final = (0, 5_000, 15_000, 50_000, 200_000)
"""Groups by parameters, for medians."""


@dataclass(frozen=True)
class Quantity:
    """A compared quantity."""

    title: str
    factor: float
    decimals: int
    is_cost: bool = False
    """True compares by the ratio, False by the difference."""


MEASURED: Final = {
    "accuracy_digital": Quantity("digital accuracy (%)", 100, 2),
    "accuracy_1d": Quantity("1-day accuracy (%)", 100, 2),
    "accuracy_1d_std": Quantity("std over chips (points)", 100, 2),
    "avm": Quantity("AVM (points)", 100, 2),
}
COSTS: Final = {
    "params": Quantity("parameters", 1, 0, True),
    "macs": Quantity("MACs (thousands)", 1e-3, 0, True),
    "memory": Quantity("activations in memory", 1, 0, True),
    "tiles": Quantity("tiles", 1, 1, True),
    "utilisation": Quantity("utilisation (%)", 100, 2, True),
    "energy": Quantity("energy (nJ, proxy)", 1e9, 0, True),
    "latency": Quantity("latency (us, proxy)", 1e6, 1, True),
}

Columns = dict[str, npt.NDArray[np.float64]]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mobile", default="digits-mobile", help="table of the mobile space")
    parser.add_argument("--resnet", default="digits-protocol4", help="table of the resnet space, same task and chip")
    parser.add_argument("--costs", action="store_true", help="compare sampled networks, without measurements")
    parser.add_argument("--task", default="digits", help="task of the sampled networks")
    parser.add_argument("--sampled", type=int, default=1000, help="sampled networks of each space")
    parser.add_argument("--chip", default="pcm")
    parser.add_argument("--by", choices=["params", "macs"], default="params", help="quantity that neighbours share")
    parser.add_argument("--neighbours", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if arguments.costs:
        quantities = COSTS
        tasks = [task(arguments.task).in_space(name) for name in ("mobile", "resnet")]
        both = [_costs(of.space, _drawn(of, arguments.sampled), arguments.chip) for of in tasks]
        depthwise = _depthwise(tasks[0].space, _drawn(tasks[0], arguments.sampled), arguments.chip)
    else:
        quantities, depthwise = {**MEASURED, **COSTS}, {}
        both = [_measured(table, arguments.chip) for table in (arguments.mobile, arguments.resnet)]
    groups, matched = _groups(both, quantities), _matched(both, quantities, arguments.by, arguments.neighbours)
    if arguments.json:
        print(json.dumps({"groups": groups, "matched": matched, "depthwise": depthwise}))
    else:
        _show(groups, matched, quantities, arguments.by)
        for name, share in depthwise.items():
            print(f"depthwise layers: {100 * share:.1f} % of the {name} of a mobile network, on average")


def _show(groups: list[Any], matched: dict[str, Any], quantities: dict[str, Quantity], by: str) -> None:
    print("medians by parameters: mobile / resnet")
    print(f"{'parameters':24}" + "".join(f"{f'{low:,} to {high:,}':>20}" for low, high, *_ in groups))
    print(f"{'networks':24}" + "".join(f"{f'{ours} / {theirs}':>20}" for _, _, ours, theirs, _ in groups))
    for name, quantity in quantities.items():
        cells = [" / ".join(f"{quantity.factor * one:.{quantity.decimals}f}" for one in row[4][name]) for row in groups]
        print(f"{quantity.title:24}" + "".join(f"{cell:>20}" for cell in cells))
    print(f"\nmobile against resnet at equal {by} ({matched['networks']} networks with neighbours)")
    for name, quantity in quantities.items():
        mean, error = matched[name]
        if quantity.is_cost:
            print(f"{quantity.title:24}{f'x {mean:.2f}':>12} x/ {error:.2f}")
        else:
            mean, error = quantity.factor * mean, quantity.factor * error
            print(f"{quantity.title:24}{mean:>+12.{quantity.decimals}f} +- {error:.{quantity.decimals}f}")


def _measured(name: str, chip: str) -> Columns:
    """Quantities of each network of a table on a chip."""
    table = read_table(name)
    frame = table.measured[table.measured["hardware"] == chip].sort_values("seed")
    frame = frame.drop_duplicates(list(table.space.gene_names))
    values = {column: frame[column].to_numpy(dtype=np.float64) for column in MEASURED}
    return values | _costs(table.space, genomes(frame), chip)


def _drawn(of: Task, n: int) -> Population:
    """Networks within the limits of a task."""
    return of.space.sample(n, np.random.default_rng(0), of.max_params, of.max_macs, of.min_params)


def _depthwise(space: Space, population: Population, chip: str) -> dict[str, float]:
    """Mean shares of depthwise layers in the weights, MACs, conversions and tiles of networks."""
    layers, settings = space.layers(population), hardware(chip).settings()
    tiling = layers.tiling()
    assert tiling.groups is not None
    sides = (np.array(int(settings[f"hw_tile_{side}"])) for side in ("rows", "columns"))
    row_parts, column_parts = tile_parts(layers.inputs, tiling.outputs, tiling.groups, *sides)
    weights = layers.count * layers.inputs * layers.outputs
    of_kinds = {
        "weights": weights,
        "MACs": weights * layers.positions,
        "conversions": layers.count * row_parts * layers.outputs * layers.positions,
        "tiles": tiling.matrices * row_parts * column_parts,
    }
    is_depthwise = tiling.groups > 1
    return {
        name: float(((amounts * is_depthwise).sum(axis=1) / amounts.sum(axis=1)).mean())
        for name, amounts in of_kinds.items()
    }


def _costs(space: Space, population: Population, chip: str) -> Columns:
    layers = space.layers(population)
    costs = crossbar_costs(layers, hardware(chip).settings())
    values = {"params": layers.params(), "macs": layers.macs(), "memory": layers.peak_memory(), "tiles": costs.tiles}
    found = {name: value.astype(np.float64) for name, value in values.items()}
    return found | {"utilisation": costs.utilisation, "energy": costs.energy, "latency": costs.latency}


def _groups(both: list[Columns], quantities: dict[str, Quantity]) -> list[Any]:
    """Bounds on parameters, networks of each space, and medians, for groups with networks of both spaces."""
    found = []
    for low, high in pairwise(EDGES):
        rows = [(of["params"] > low) & (of["params"] <= high) for of in both]
        if all(row.any() for row in rows):
            pairs = list(zip(both, rows, strict=True))
            medians = {name: [float(np.median(of[name][row])) for of, row in pairs] for name in quantities}
            found.append((low, high, int(rows[0].sum()), int(rows[1].sum()), medians))
    return found


def _matched(both: list[Columns], quantities: dict[str, Quantity], by: str, neighbours: int) -> dict[str, Any]:
    """Mean difference or ratio of each quantity to the neighbours, and its standard error (a factor for ratios)."""
    first, second = both
    distance = np.abs(np.log(first[by])[:, None] - np.log(second[by])[None])
    nearest = np.argsort(distance, axis=1)[:, :neighbours]
    near = np.take_along_axis(distance, nearest, axis=1)[:, -1] <= np.log(LARGEST_FACTOR)
    found: dict[str, Any] = {"networks": int(near.sum())}
    for name, quantity in quantities.items():
        ours, theirs = first[name][near], np.median(second[name][nearest[near]], axis=1)
        difference = np.log(ours / theirs) if quantity.is_cost else ours - theirs
        mean, error = float(difference.mean()), float(difference.std(ddof=1) / np.sqrt(near.sum()))
        found[name] = (float(np.exp(mean)), float(np.exp(error))) if quantity.is_cost else (mean, error)
    return found


if __name__ == "__main__":
    main()
