"""Quality of short training runs as labels: fidelities compared with a long reference training, and their cost.

python benchmarks/fidelity.py [--task digits] [--json] [--measure [--jobs 2] [--minutes M]]

Every candidate trains the same networks twice and reads each on `pcm` chips. Half of the networks come from the best
third of the measured table, the other half from its best 95 %; on CIFAR-10, only networks with at most 5 million MACs,
which train fast. The reference is the longest training run. A candidate's ranking is compared with the ranking of the
reference with *another* seed, so the reference's own seed-to-seed tau is the upper limit. Errors of tau are standard
deviations over 500 bootstraps of the networks. Without --measure, the rows of `benchmarks/fidelity.csv` are shown. With
--measure, missing rows are measured first, in order of usefulness, and written to the file one by one.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd

from ohmnas.analog.recipe import Recipe
from ohmnas.datasets.campaign.backends import results
from ohmnas.datasets.campaign.fidelity import Fidelity, fidelity
from ohmnas.datasets.campaign.measure import measure
from ohmnas.datasets.campaign.plan import fitting_references
from ohmnas.datasets.campaign.protocol import Protocol
from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.schema import Row
from ohmnas.datasets.tables.table import genomes, read_table
from ohmnas.datasets.tasks.task import task
from ohmnas.files import write_atomically
from ohmnas.hardware import Hardware
from ohmnas.spaces.genes import Population
from ohmnas.surrogate.metrics import kendall_tau

FILE = Path(__file__).with_suffix(".csv")
TARGETS = ("accuracy_1d", "accuracy_1d_std", "avm")
SEEDS = (0, 1)
NETWORKS = {"digits": 24, "cifar10": 12}
FEWEST = 4
"""Smallest number of networks for a comparison of their order."""
FIRST = 3
"""Number of candidates that are measured first: all with one seed, then all with the other."""
BOOTSTRAPS = 500
TABLES = {"digits": "digits", "cifar10": "cifar10-protocol4"}
"""Tables from which the networks are drawn."""
MOST_MACS = {"digits": float("inf"), "cifar10": 5e6}
UPPER = 1 / 3
"""Best share of the networks by the reference's accuracy; their order matters most."""
Candidate = tuple[Fidelity, Recipe]


def candidates(name: str) -> dict[str, Candidate]:
    """Candidates of a task: the reference, then the others in order of usefulness."""
    table = fidelity("table", name)
    recipe = Recipe(label_smoothing=task(name).label_smoothing)
    fixed = replace(recipe, range_rate=0.0)  # input ranges of 4 root mean squares
    before = replace(fixed, label_smoothing=0.0, alternate=False)
    if name == "digits":
        return {
            "reference": (replace(table, epochs=120), recipe),
            "table": (table, recipe),
            "24 epochs": (replace(table, epochs=24), recipe),
            "protocol 3": (replace(table, epochs=24, batch=128), before),
            "fixed ranges": (table, fixed),
            "12 epochs": (replace(table, epochs=12), recipe),
            "batches of 128": (replace(table, batch=128), recipe),
            "batches of 64": (replace(table, batch=64), recipe),
            "batches of 16": (replace(table, batch=16), replace(recipe, learning_rate=0.1)),
            "learning rate 0.1": (table, replace(recipe, learning_rate=0.1)),
            "label smoothing 0.1": (table, replace(recipe, label_smoothing=0.1)),
            "linear decay": (table, replace(recipe, warmup=0.02)),
            "noise from the start": (table, replace(recipe, noise_from=-1.0, noise_full=0.0)),
            "noise late": (table, replace(recipe, noise_from=0.5, noise_full=0.8)),
        }
    return {
        "reference": (replace(table, epochs=16), recipe),
        "table": (table, recipe),
        "protocol 3": (
            replace(table, epochs=12, batch=128, train_images=5000, validation_images=1000, chips=10),
            before,
        ),
        "20,000 images, 12 epochs": (replace(table, epochs=12, train_images=20_000), recipe),
        "4 epochs": (replace(table, epochs=4), recipe),
        "fixed ranges": (table, fixed),
        "no label smoothing": (table, replace(recipe, label_smoothing=0.0)),
        "batches of 32": (replace(table, batch=32), replace(recipe, learning_rate=0.1)),
        "batches of 128": (replace(table, batch=128), recipe),
        "random flips": (table, replace(recipe, alternate=False)),
        "half the resolution first": (replace(table, epochs=11), replace(recipe, small_until=0.4)),
    }


def networks(name: str) -> Population:
    """``(n, g)``: the networks in the file.

    If the file has none, they are drawn: half are two references and networks from the best third of the task's table,
    half are from its best 95 %.
    """
    chosen, n = task(name), NETWORKS[name]
    stored = _stored()
    known = stored[stored["task"] == name].drop_duplicates("network").set_index("network")["genome"]
    if set(known.index) == set(range(n)):
        return np.array([known[place].split() for place in range(n)], dtype=np.int16)
    columns = list(chosen.space.gene_names)
    frame = read_table(TABLES[name]).select("pcm").drop_duplicates(columns)
    frame = frame[frame["macs"] <= MOST_MACS[name]]
    frame = frame.sort_values("accuracy_1d", ascending=False, kind="stable").reset_index(drop=True)
    third = len(frame) // 3
    rng = np.random.default_rng(0)
    places = np.concatenate(
        [rng.choice(third, n // 2 - 2, replace=False), rng.choice(len(frame) * 19 // 20, n, replace=False)]
    )
    fitting = fitting_references(chosen)
    references = fitting[np.argsort(chosen.space.macs(fitting), kind="stable")[:2]]
    pool = np.concatenate([references, genomes(frame.iloc[places])])
    _, first = np.unique(pool, axis=0, return_index=True)
    population: Population = pool[np.sort(first)[:n]]
    return population


def _measure(name: str, candidate: str, index: int, genome: Population, seed: int) -> Row:
    effort, recipe = candidates(name)[candidate]
    start = time.process_time()
    (row,) = measure(Protocol(task(name), effort, recipe=recipe), genome, [Hardware()], seed)
    kept = ("status", "params", "macs", *schema.ACCURACY_COLUMNS, *schema.SPREAD_COLUMNS, "train_seconds")
    own: Row = {"task": name, "candidate": candidate, "network": index, "seed": seed}
    own |= {"genome": " ".join(map(str, genome.tolist()))}
    return own | {column: row[column] for column in kept} | {"core_seconds": round(time.process_time() - start, 2)}


def _missing(name: str, frame: pd.DataFrame) -> list[tuple[str, int, int]]:
    known = set(zip(frame["task"], frame["candidate"], frame["network"], frame["seed"], strict=True))
    order = list(candidates(name))
    first = [(candidate, seed) for candidate in order[:FIRST] for seed in SEEDS]
    first.sort(key=lambda one: one[1])
    rest = [(candidate, seed) for candidate in order[FIRST:] for seed in SEEDS]
    wanted = [(candidate, network, seed) for candidate, seed in first + rest for network in range(NETWORKS[name])]
    return [one for one in wanted if (name, *one) not in known]


def _stored() -> pd.DataFrame:
    return (
        pd.read_csv(FILE) if FILE.exists() else pd.DataFrame(columns=["task", "candidate", "network", "seed", "genome"])
    )


def measure_missing(name: str, jobs: int, minutes: float) -> None:
    """Measure a task's missing rows; each row is written to the file as soon as it is measured."""
    population, end = networks(name), time.monotonic() + 60 * minutes
    calls = (
        joblib.delayed(lambda *one: [_measure(*one)])(name, candidate, index, population[index], seed)
        for candidate, index, seed in _missing(name, _stored())
        if time.monotonic() < end
    )
    for rows in results(calls, jobs):
        frame = pd.concat([_stored(), pd.DataFrame(rows)], ignore_index=True)
        write_atomically(FILE, frame.to_csv(index=False, lineterminator="\n"))


def study(name: str, frame: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Order, levels and cost of each candidate's labels, over networks that the reference measured with both seeds."""
    values = {
        candidate: rows.pivot_table(index="network", columns="seed", values=[*TARGETS, "core_seconds"])
        for candidate, rows in frame[(frame["task"] == name) & (frame["status"] == "ok")].groupby("candidate")
    }
    if "reference" not in values:
        return {}
    reference = values["reference"].dropna()
    mean = pd.Series(reference["accuracy_1d"].to_numpy().mean(axis=1), index=reference.index)
    best = mean.index[mean.rank(ascending=False) <= round(UPPER * len(mean))]
    found = {}
    for candidate in candidates(name):
        own = values.get(candidate)
        if own is None:
            continue
        # a candidate that is not fully measured yet has fewer networks
        own = own.loc[own.index.intersection(reference.index)].dropna()
        if len(own) < FEWEST or not set(SEEDS) <= set(own["avm"].columns):
            continue
        upper = own.index.intersection(best)
        result: dict[str, Any] = {"networks": len(own), "upper": len(upper)}
        result["core_seconds"] = float(own["core_seconds"].to_numpy().mean())
        for target in TARGETS:
            result[target] = {
                "tau": _tau(own, reference, target, own.index),
                "tau_error": _tau_error(own, reference, target),
                "tau_upper": _tau(own, reference, target, upper),
                "mean": float(own[target].to_numpy().mean()),
                "mean_upper": float(own.loc[upper, target].to_numpy().mean()),
            }
        found[candidate] = result
    return found


def _tau(own: pd.DataFrame, reference: pd.DataFrame, target: str, rows: pd.Index) -> float:
    """Mean tau between a candidate and the reference with the other seed; NaN for too few networks."""
    if len(rows) < FEWEST:
        return float("nan")
    each = [
        kendall_tau(own.loc[rows, (target, s)].to_numpy(), reference.loc[rows, (target, 1 - s)].to_numpy())
        for s in SEEDS
    ]
    return float(np.mean(each))


def _tau_error(own: pd.DataFrame, reference: pd.DataFrame, target: str) -> float:
    """Standard deviation of `_tau` over bootstraps of the networks."""
    rng = np.random.default_rng(0)
    draws = [own.index[rng.integers(len(own), size=len(own))] for _ in range(BOOTSTRAPS)]
    return float(np.nanstd([_tau(own, reference, target, rows) for rows in draws]))


def main() -> None:
    """Print the study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=list(NETWORKS), help="show only this task")
    parser.add_argument("--measure", action="store_true", help="first measure missing rows")
    parser.add_argument("--jobs", type=int, default=2, help="worker processes (2)")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start no row after this many minutes")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    names = [arguments.task] if arguments.task else list(NETWORKS)
    if arguments.measure:
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        for name in names:
            measure_missing(name, arguments.jobs, arguments.minutes)
    found = {name: study(name, _stored()) for name in names}
    if arguments.json:
        print(json.dumps(found))
        return
    for name, rows in found.items():
        if not rows:
            print(f"{name}: not measured yet")
            continue
        print(f"{name}: {NETWORKS[name]} networks, two training runs each")
        print("tau against the reference: all, best third; means: all/best third")
        print(f"{'':26}{'tau acc.':>18}{'tau std':>18}{'tau AVM':>18}{'acc.':>15}{'std':>12}{'AVM':>12}{'s each':>8}")
        for candidate, result in rows.items():
            cells = "".join(
                f"{result[t]['tau']:7.2f} ±{result[t]['tau_error']:.2f}{result[t]['tau_upper']:6.2f}" for t in TARGETS
            )
            a, s, v = (f"{100 * result[t]['mean']:.2f}/{100 * result[t]['mean_upper']:.2f}" for t in TARGETS)
            short = f" ({result['networks']})" if result["networks"] < NETWORKS[name] else ""
            print(f"{candidate + short:26}{cells}{a:>15}{s:>12}{v:>12}{result['core_seconds']:8.1f}")


if __name__ == "__main__":
    main()
