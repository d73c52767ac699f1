"""Zero-cost proxies on a chip: do they rank measured networks by spread and AVM better than exact proxies?

python benchmarks/noisy_proxies.py [--table NAME ...] [--networks N] [--chips 2] [--batch 32] [--values FILE]
                                   [--json]

Each network of a table is built untrained. Each proxy is measured on the exact network, and on chips with weight and
output noise (`OnChip`), one second and one month after programming. These values give five orders of the networks:

- exact: the proxy as published;
- 1 s, 1 month: mean over the chips at that time;
- change: mean over the chips of the value after a month minus the value after a second;
- spread: standard deviation over the chips after a month.

The output shows Kendall's tau with the measured labels (means over the seeds of a network). `rel` columns divide by the
exact value. The last lines choose the order with the largest absolute tau in one half of the networks and report its
tau in the other half: among exact proxies, among proxies on chips, and among the closed-form noise features of the
surrogate. They show means over 50 halvings, and the paired difference from the exact proxies with its standard
deviation over bootstraps of the networks. N networks are drawn at random; the default is all. FILE stores the
measurements: an interrupted run continues.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from proxies import NAMES, Kept, columns_of, measured, ranked
from scipy.stats import kendalltau

from ohmnas.datasets.tables.table import read_table
from ohmnas.datasets.tasks.task import task
from ohmnas.estimators.zero_cost import PROXIES, Batch, OnChip
from ohmnas.estimators.zero_cost.networks import Networks
from ohmnas.hardware import PRESETS
from ohmnas.surrogate import TrainingSet
from ohmnas.surrogate.features import NOISE_NAMES, feature_matrix, feature_names
from ohmnas.targets import DEFAULT_NAMES

Values = npt.NDArray[np.float64]
TIMES = {"1s": 1.0, "1mo": 30 * 86_400.0}
COUNTED = ("params", "macs")
ON_CHIP = [name for name in PROXIES if name not in {*COUNTED, "zen", "gradsign", "az_nas"}]
"""Proxies that are measured on chips: they keep the initial weights and need no pass for each image."""
KEYS = ("table", "genome", "time", "chip", "batch")
HALVINGS = 50
BOOTSTRAPS = 50


def drawn(name: str, networks: int | None) -> TrainingSet:
    """Return networks of a table in random order."""
    data = TrainingSet.of(read_table(name))
    return data.take(np.random.default_rng(0).permutation(len(data.population))[:networks])


def values_of(name: str, data: TrainingSet, chips: int, batch: int, path: Path | None) -> dict[str, dict[str, Values]]:
    """Proxy -> order -> ``(n,)``."""
    plain = task(str(data.provenance["task"]))
    hardware = PRESETS[str(data.provenance["hardware"])]
    exact = Networks(data.space, Batch.of(plain, batch), 0)
    exactly = Kept(path and path.with_suffix(".exact.csv"), KEYS, columns_of(NAMES))
    noisily = Kept(path and path.with_suffix(".chips.csv"), KEYS, columns_of(ON_CHIP))
    read: dict[tuple[str, int], list[dict[str, float]]] = {}
    for genome in data.population:
        text = " ".join(map(str, genome.tolist()))
        key = (name, text, "", "", str(batch))
        if key not in exactly:
            exactly.add(key, measured(data.space, genome, exact, NAMES))
        read.setdefault(("", 0), []).append(exactly[key])
    for genome in data.population:
        text = " ".join(map(str, genome.tolist()))
        for time, seconds in TIMES.items():
            for number in range(chips):
                key = (name, text, time, str(number), str(batch))
                if key not in noisily:
                    networks = replace(exact, chip=OnChip(hardware, seconds, number))
                    noisily.add(key, measured(data.space, genome, networks, ON_CHIP))
                read.setdefault((time, number), []).append(noisily[key])
    found = {}
    for proxy in dict.fromkeys((*NAMES, *ON_CHIP)):
        orders = {"exact": ranked(read["", 0], proxy)} if proxy in NAMES else {}
        if proxy in ON_CHIP and chips:
            by_time = {time: np.array([ranked(read[time, k], proxy) for k in range(chips)]) for time in TIMES}
            orders |= {time: all_chips.mean(axis=0) for time, all_chips in by_time.items()}
            orders["change"] = (by_time["1mo"] - by_time["1s"]).mean(axis=0)
            orders["spread"] = by_time["1mo"].std(axis=0)
            if "exact" in orders:
                size = np.maximum(np.abs(orders["exact"]), 1e-12)
                orders |= {f"rel {order}": orders[order] / size for order in ("change", "spread")}
                orders["rel 1mo"] = (orders["1mo"] - orders["exact"]) / size
        found[proxy] = orders
    return found


def closed_form(data: TrainingSet) -> dict[str, Values]:
    """The surrogate's noise features, which need no network."""
    features, names = (
        feature_matrix(data.space, data.population, data.hardware),
        feature_names(data.space, data.hardware),
    )
    return {name: features[:, names.index(name)].astype(np.float64) for name in NOISE_NAMES}


def tau(label: Values, order: Values) -> float:
    """Kendall's tau; 0 for an order without differences."""
    found = float(kendalltau(label, order).statistic)
    return 0.0 if np.isnan(found) else found


def chosen(label: Values, orders: list[Values], halvings: int, seed: int) -> float:
    """Choose the best order and its sign in one half of the networks; return its mean tau in the other half."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(halvings):
        rows = rng.permutation(len(label))
        half, other = np.array_split(rows, 2)
        taus = [tau(label[half], order[half]) for order in orders]
        best = int(np.argmax(np.abs(taus)))
        found.append(np.sign(taus[best]) * tau(label[other], orders[best][other]))
    return float(np.mean(found))


def compare(name: str, networks: int | None, chips: int, batch: int, path: Path | None) -> dict[str, Any]:
    """Label -> taus of each proxy and order, and of the chosen orders."""
    data = drawn(name, networks)
    values, closed = values_of(name, data, chips, batch, path), closed_form(data)
    exact = [orders["exact"] for orders in values.values() if "exact" in orders]
    on_chip = [order for orders in values.values() for kind, order in orders.items() if kind != "exact"]
    found: dict[str, Any] = {"networks": len(data.population)}
    for target in DEFAULT_NAMES:
        label = data.labels[target]
        taus = {proxy: {kind: tau(label, order) for kind, order in orders.items()} for proxy, orders in values.items()}
        noise = {name: tau(label, order) for name, order in closed.items()}
        groups = {"exact": exact, "on chips": on_chip, "closed form": [*closed.values()]}
        best = {group: chosen(label, orders, HALVINGS, 0) for group, orders in groups.items()}
        rng, draws = np.random.default_rng(0), []
        for draw in range(BOOTSTRAPS):
            rows = np.unique(rng.integers(len(label), size=len(label)))  # a repeated network would be in both halves
            draws.append(
                {group: chosen(label[rows], [o[rows] for o in orders], 4, draw) for group, orders in groups.items()}
            )
        errors = {group: float(np.std([one[group] - one["exact"] for one in draws])) for group in groups}
        found[target] = {"tau": taus, "closed_form": noise, "chosen": best, "difference_error": errors}
    return found


def _show(name: str, found: dict[str, Any]) -> None:
    kinds = ("exact", "1s", "1mo", "change", "spread", "rel 1mo", "rel change", "rel spread")
    for target in DEFAULT_NAMES:
        print(f"{name}, {found['networks']} networks: tau with {target}")
        print(f"{'':12}" + "".join(f"{kind:>12}" for kind in kinds))
        for proxy, taus in found[target]["tau"].items():
            print(f"{proxy:12}" + "".join(f"{taus[kind]:12.2f}" if kind in taus else " " * 12 for kind in kinds))
        closed = found[target]["closed_form"]
        best = max(closed, key=lambda one: abs(closed[one]))
        print(f"best closed form: {best} {closed[best]:.2f}")
        for group, value in found[target]["chosen"].items():
            difference = value - found[target]["chosen"]["exact"]
            print(f"chosen, {group}: {value:.3f} ({difference:+.3f} ± {found[target]['difference_error'][group]:.3f})")
        print()


def main() -> None:
    """Print a table for each label."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", nargs="+", default=["digits-protocol4", "cifar10"])
    parser.add_argument("--networks", type=int)
    parser.add_argument("--chips", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--values", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    results = {}
    for name in arguments.table:
        results[name] = compare(name, arguments.networks, arguments.chips, arguments.batch, arguments.values)
        if not arguments.json:
            _show(name, results[name])
    if arguments.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()
