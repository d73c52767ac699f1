"""Zero-cost proxies as features of the surrogate: their gain with few measured networks.

python benchmarks/proxy_features.py [--table NAME ...] [--rows 20 50 100] [--draws 10] [--networks N] [--chips 2]
                                    [--batch 32] [--values FILE] [--json]

A surrogate is trained on some networks of a table and ranks the others, once for each set of features:

- none: the default features;
- exact: also proxies of the exact networks;
- on chips: also proxies on chips a month after programming, and their change since the first second;
- both: the proxies of both sets.

The output shows Kendall's tau on the other networks, and its difference from `none`: mean and standard error over the
draws, paired, because all sets share the draws. Regret is the accuracy lost, in points, by choosing the predicted best
of the other networks: with the surrogate alone, with proxies for all networks, and with a cascade, which measures
proxies only for the best tenth. With `--chips 0`, there are only exact proxies. `--values` names the same files as for
noisy_proxies.py.
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from extra_features import informed, known
from noisy_proxies import COUNTED, drawn, values_of

from ohmnas.estimators import Cascade
from ohmnas.surrogate import Surrogate, TrainingSet, metrics
from ohmnas.surrogate.model import SurrogateModel
from ohmnas.targets import DEFAULT_NAMES

Values = npt.NDArray[np.float64]
SETS = {"none": (), "exact": ("exact",), "on chips": ("1mo", "change"), "both": ("exact", "1mo", "change")}
"""Set of features -> orders of `noisy_proxies`."""
PREFIX = "proxy "


def columns(values: dict[str, dict[str, Values]], orders: tuple[str, ...]) -> dict[str, Values]:
    """Name -> ``(n,)``: features of proxies, on a logarithmic scale with a sign; undefined values are the lowest."""
    found = {}
    for proxy, by_order in values.items():
        if proxy in COUNTED or proxy == "az_nas":  # features already; ranks among these networks
            continue
        for order in orders:
            if order in by_order:
                raw = by_order[order]
                finite = np.abs(raw) < 1e11
                clipped = np.clip(raw, raw[finite].min(), raw[finite].max()) if finite.any() else np.zeros_like(raw)
                found[f"{PREFIX}{proxy} {order}"] = np.sign(clipped) * np.log1p(np.abs(clipped))
    return found


def _regret(accuracy: Values, order: Values) -> float:
    return 100.0 * float(accuracy.max() - accuracy[np.argmax(order)])


def _scores(model: SurrogateModel, data: TrainingSet) -> dict[str, float]:
    """Tau of each target, and regret, on held-out networks."""
    found = model.estimate(data.population)
    ranks = {
        DEFAULT_NAMES[0]: model.rank_scores(data.population),
        **{target: found[target] for target in DEFAULT_NAMES[1:]},
    }
    truth = dict(zip(DEFAULT_NAMES, data.single().T, strict=True))
    taus = {target: metrics.kendall_tau(truth[target], ranks[target]) for target in DEFAULT_NAMES}
    return {**taus, "regret": _regret(truth[DEFAULT_NAMES[0]], found[DEFAULT_NAMES[0]])}


def compare(
    name: str, sizes: list[int], networks: int | None, draws: int, chips: int, batch: int, path: Path | None
) -> dict[str, Any]:
    """Rows -> set of features -> measure -> mean and standard error, of the value and of its gain over `none`."""
    data = drawn(name, networks)
    values = values_of(name, data, chips, batch, path)
    sets = SETS if chips else {features: SETS[features] for features in ("none", "exact")}
    last = [*sets][-1]
    results: dict[str, Any] = {}
    for size in sizes:
        each: dict[str, list[dict[str, float]]] = {features: [] for features in (*sets, "cascade")}
        for draw in range(draws):
            order = np.random.default_rng([size, draw]).permutation(len(data.population))
            train, test = order[:size], order[size:]
            models = {}
            for features, orders in sets.items():
                extra = columns(values, orders)
                own = informed(data, extra)
                with known(data.population, extra):
                    models[features] = Surrogate.learn(own.take(train), seed=draw).model_
                    each[features].append(_scores(models[features], own.take(test)))
            with known(data.population, columns(values, sets[last])):
                unseen = data.take(test)
                found = Cascade(models["none"], models[last], share=0.1).estimate(unseen.population)
                accuracy = unseen.single()[:, 0]
                tau = metrics.kendall_tau(accuracy, found[DEFAULT_NAMES[0]])
                each["cascade"].append({DEFAULT_NAMES[0]: tau, "regret": _regret(accuracy, found[DEFAULT_NAMES[0]])})
        results[str(size)] = {
            features: {
                measure: _paired(
                    np.array([one[measure] for one in found_]), np.array([one[measure] for one in each["none"]])
                )
                for measure in found_[0]
            }
            for features, found_ in each.items()
        }
    return results


def _paired(values: Values, base: Values) -> dict[str, float]:
    difference = values - base
    root = np.sqrt(len(values))
    return {
        "mean": float(values.mean()),
        "error": float(values.std(ddof=1) / root),
        "gain": float(difference.mean()),
        "gain_error": float(difference.std(ddof=1) / root),
    }


def main() -> None:
    """Print a table for each shipped table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", nargs="+", default=["digits-protocol4", "cifar10"])
    parser.add_argument("--rows", type=int, nargs="+", default=[20, 50, 100])
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--networks", type=int)
    parser.add_argument("--chips", type=int, default=2)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--values", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")  # few rows: constant columns
    results = {}
    for name in arguments.table:
        results[name] = compare(
            name,
            arguments.rows,
            arguments.networks,
            arguments.draws,
            arguments.chips,
            arguments.batch,
            arguments.values,
        )
        if arguments.json:
            continue
        print(f"{name}: tau and its gain over the surrogate alone; regret in points")
        print(f"{'rows':>5} {'features':10}" + "".join(f"{measure:>24}" for measure in (*DEFAULT_NAMES, "regret")))
        for size, by_set in results[name].items():
            for features, found in by_set.items():
                cells = [
                    f"{found[m]['mean']:8.3f} {found[m]['gain']:+7.3f} ± {found[m]['gain_error']:.3f}"
                    if m in found
                    else ""
                    for m in (*DEFAULT_NAMES, "regret")
                ]
                print(f"{size:>5} {features:10}" + "".join(f"{cell:>24}" for cell in cells))
        print()
    if arguments.json:
        print(json.dumps(results))


if __name__ == "__main__":
    main()
