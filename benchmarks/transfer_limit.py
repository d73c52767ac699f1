"""Value of measured labels of another chip for a few rows of a new one, on digits.

python benchmarks/transfer_limit.py [--known pcm] [--rounds 6] [--json]

A source model predicts the labels of the known chip for unmeasured architectures. Here these labels are measured
instead: all labels of one training run on the known chip are features, also for the predicted architectures. The result
shows how much the labels on one chip determine the labels on another. The predictor is the sum of a Gaussian process,
extremely randomised trees and ridge regression, each standardised, with and without these labels.
"""

from __future__ import annotations

import argparse
import json
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ohmnas.datasets.tables.table import MeasuredTable, read_table
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet.genes import GENE_NAMES
from ohmnas.surrogate import TrainingSet
from ohmnas.surrogate.features import feature_matrix
from ohmnas.surrogate.metrics import kendall_tau
from ohmnas.surrogate.scales import AVM_UNIT
from ohmnas.surrogate.training_set import learnable_chips
from ohmnas.targets import DEFAULT_NAMES

ROWS = (50, 100, 150)
HELD_OUT = 0.25
ACCURACIES = ("accuracy_digital", "accuracy_1s", "accuracy_1h", "accuracy_1d", "accuracy_1mo")
SPREADS = ("accuracy_1s_std", "accuracy_1h_std", "accuracy_1d_std", "accuracy_1mo_std", "avm_std")
Values = npt.NDArray[np.float64]


def main() -> None:
    """Print tau of each target, with and without the known chip's labels."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--known", default="pcm", help="the chip whose labels are known")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")  # lengths at the end of their range
    table = read_table("digits")
    results = {}
    for chip in learnable_chips(table):
        if chip != arguments.known:
            results[chip] = _curve(table, chip, arguments.known, arguments.rounds)
            if not arguments.json:
                _show(f"digits on {chip}, {arguments.known} known", results[chip])
    if arguments.json:
        print(json.dumps(results))


def _curve(table: MeasuredTable, chip: str, known: str, rounds: int) -> dict[str, dict[int, list[list[float]]]]:
    """Way -> rows -> for each round, tau of each target."""
    new = TrainingSet.of(table, chip)
    labels, measured = _known_labels(table, known, new.population)
    features = feature_matrix(new.space, new.population, new.hardware)[measured]
    features = features[:, features.std(axis=0) > 0.0]
    inputs = {"alone": features, "known labels": np.hstack([features, labels])}
    new = new.take(np.flatnonzero(measured))
    truth = new.single()
    found: dict[str, dict[int, list[list[float]]]] = {way: {rows: [] for rows in ROWS} for way in inputs}
    for round_ in range(rounds):
        order = np.random.default_rng(round_).permutation(len(truth))
        test, rest = np.split(order, [round(HELD_OUT * len(order))])
        for way, values in inputs.items():
            for rows in ROWS:
                train = rest[:rows]
                learned = new.take(train)
                predicted = [
                    _predicted(values[train], learned.target(target), values[test]) for target in DEFAULT_NAMES
                ]
                taus = [kendall_tau(truth[test, target], one) for target, one in enumerate(predicted)]
                found[way][rows].append(taus)
    return found


def _known_labels(table: MeasuredTable, chip: str, population: Population) -> tuple[Values, npt.NDArray[np.bool_]]:
    """Measured labels of architectures on a chip, on scales that spread them, and a mask of the measured ones."""
    rows = table.select(chip)
    of_first = rows[rows["seed"] == 0].set_index([*GENE_NAMES])
    genomes = pd.MultiIndex.from_arrays(list(population.T), names=[*GENE_NAMES])
    measured = genomes.isin(of_first.index)
    frame = of_first.loc[genomes[measured]]
    shares = np.clip(frame[[*ACCURACIES]].to_numpy(dtype=np.float64), 0.005, 0.995)
    spreads = np.maximum(frame[[*SPREADS]].to_numpy(dtype=np.float64), 1e-3)
    avm = np.arcsinh(frame[["avm"]].to_numpy(dtype=np.float64) / AVM_UNIT)
    return np.hstack([shares, np.log(shares / (1.0 - shares)), np.log(spreads), avm]), measured


def _predicted(inputs: Values, targets: Values, asked: Values) -> Values:
    """Sum of the models' standardised predictions, which ranks architectures."""
    kernel = ConstantKernel(1.0) * Matern(10.0, (1.0, 200.0), nu=1.5) + WhiteKernel(0.2)
    models: tuple[Any, ...] = (
        make_pipeline(StandardScaler(), GaussianProcessRegressor(kernel, normalize_y=True)),
        ExtraTreesRegressor(300, min_samples_leaf=2, random_state=0),
        make_pipeline(StandardScaler(), RidgeCV(np.logspace(0, 4, 9))),
    )
    predicted = np.array([model.fit(inputs, targets).predict(asked) for model in models])
    spread = np.maximum(predicted.std(axis=1, keepdims=True), 1e-12)
    total: Values = ((predicted - predicted.mean(axis=1, keepdims=True)) / spread).sum(axis=0)
    return total


def _show(title: str, ways: dict[str, dict[int, list[list[float]]]]) -> None:
    print(f"{title}\n{'':20}" + "".join(f"{'tau of ' + target:>24}" for target in DEFAULT_NAMES))
    for way, curve in ways.items():
        for rows, taus in curve.items():
            values = np.array(taus)
            errors = values.std(axis=0, ddof=1) / np.sqrt(len(values))
            cells = (f"{mean:.3f} ±{error:.3f}" for mean, error in zip(values.mean(axis=0), errors, strict=True))
            print(f"{way:14}{rows:6}" + "".join(f"{cell:>24}" for cell in cells))
    print()


if __name__ == "__main__":
    main()
