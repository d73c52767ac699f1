"""The surrogate on AnalogNAS-Bench, a public table: Kendall's tau by number of training rows.

python benchmarks/public_surrogates.py [--sizes 50,100,300,1000,5000] [--draws 10] [--share-isomorphs] [--json]

Needs ``pip install analog-nasbench``. Each draw takes random rows for training. The test rows are all rows of other
architectures, where isomorphic cells count as one architecture; their labels are of one training run each. The other
models get the operations of the canonical cell's six edges, one-hot. The output also shows the ceiling: the tau of a
perfect predictor, estimated from architectures that were measured several times. With --share-isomorphs, all other rows
are test rows, also of architectures in the training rows. That test is easier, but a search asks for new architectures.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xgboost as xgb
from sklearn.ensemble import RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
from sklearn.linear_model import RidgeCV

from ohmnas.datasets.tables.analognasbench import NAME
from ohmnas.datasets.tables.table import MeasuredTable, genomes, read_table
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space
from ohmnas.surrogate import Surrogate, TrainingSet, metrics
from ohmnas.surrogate.features import gene_feature_names
from ohmnas.surrogate.training_set import FEWEST_ROWS

Values = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

SIZES = (50, 100, 300, 1000, 5000)
MOST_FOR_PROCESS = 300
"""Largest number of rows for scikit-learn's Gaussian process, whose time is cubic in it."""
TIME = "seconds"
LEAST_STD = 1e-4
"""Resolution of the table's standard deviations."""


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", default=NAME, help="the table, or a file in its format")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--share-isomorphs", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    table = read_table(arguments.table)
    sizes = [int(size) for size in arguments.sizes.split(",")]
    found = {
        name: _scores(table, MODELS[name], sizes, arguments.draws, arguments.share_isomorphs)
        for name in arguments.models.split(",")
    }
    ceilings = _ceilings(table)
    if arguments.json:
        ours = found.pop("surrogate", {})
        print(json.dumps({**ours, "rivals": found, "ceilings": ceilings, "rows": len(table.frame)}))
        return
    for target in ceilings:
        print(f"\n{target}: tau ± standard error over {arguments.draws} draws; ceiling {ceilings[target]:.3f}")
        print(f"{'rows':20}{''.join(f'{size:>16,}' for size in sizes)}")
        for name, scores in found.items():
            cells = [scores[target][str(size)] for size in sizes]
            print(f"{name:20}{''.join(f'{_shown(cell):>16}' for cell in cells)}")
    print("\nseconds of a fit and its predictions")
    for name, scores in found.items():
        print(f"{name:20}{''.join(f'{scores[TIME][str(size)]:>16}' for size in sizes)}")


def _shown(cell: dict[str, float]) -> str:
    return f"{cell['tau']:.3f} ± {cell['error']:.3f}"


def _scores(
    table: MeasuredTable, learn: Callable[..., list[Values]], sizes: list[int], draws: int, shared: bool
) -> dict[str, Any]:
    """Target -> size -> mean tau and its standard error; and the seconds of a fit, by size."""
    frame, targets = table.measured, [one.name for one in table.targets]
    classes = np.unique(genomes(frame), axis=0, return_inverse=True)[1].reshape(-1)
    found: dict[str, Any] = {target: {} for target in targets}
    seconds = {}
    for size in sizes:
        taus, start = [], time.perf_counter()
        for draw in range(draws):
            train, test = split(classes, size, draw, shared)
            guesses = learn(table, frame, train, test, draw)
            truths = [frame[target].to_numpy()[test] for target in targets]
            taus.append([metrics.kendall_tau(truth, guess) for truth, guess in zip(truths, guesses, strict=True)])
        seconds[str(size)] = round((time.perf_counter() - start) / draws, 2)
        means = np.mean(taus, axis=0)
        errors = np.std(taus, axis=0, ddof=1) / np.sqrt(draws) if draws > 1 else np.zeros(len(targets))
        for target, mean, error in zip(targets, means, errors, strict=True):
            found[target][str(size)] = {"tau": round(float(mean), 4), "error": round(float(error), 4)}
    return {**found, TIME: seconds}


def split(classes: Rows, size: int, seed: int, shared: bool = False) -> tuple[Rows, Rows]:
    """Random training rows, and the test rows: rows of all other architectures, or with `shared` all other rows.

    Args:
        classes: ``(n,)``: number of each row's architecture.
        size: number of training rows; the same seed gives nested sets.
        seed: seed of the draw.
        shared: True keeps isomorphs of training rows in the test rows.
    """
    order = np.random.default_rng(seed).permutation(len(classes))
    train, test = order[:size], order[size:]
    return train, test if shared else test[~np.isin(classes[test], classes[train])]


def _ours(table: MeasuredTable, frame: pd.DataFrame, train: Rows, test: Rows, seed: int) -> list[Values]:
    """The default surrogate, as from `ohmnas fit`. Training architectures get their stored estimates."""
    data = TrainingSet.of(replace(table, frame=frame.iloc[train]))
    model = Surrogate.learn(data, seed=seed).model_
    unseen, place = np.unique(genomes(frame.iloc[test]), axis=0, return_inverse=True)
    estimate = model.estimate(unseen)
    guesses = (model.rank_scores(unseen), *(estimate[target] for target in data.target_names[1:]))
    return [guess[place.reshape(-1)] for guess in guesses]


def _rival(make: Callable[[int], Any], most: int | None = None) -> Callable[..., list[Values]]:
    """A regressor for each target on one-hot operations."""

    def learn(table: MeasuredTable, frame: pd.DataFrame, train: Rows, test: Rows, seed: int) -> list[Values]:
        encoded = one_hot(table.space, genomes(frame))
        unseen, place = np.unique(encoded[test], axis=0, return_inverse=True)
        guesses = []
        for target in table.targets:
            labels = frame[target.name].to_numpy(dtype=np.float64)
            labels = np.log(np.maximum(labels, LEAST_STD)) if target.scale == "log" else labels
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # optimisers at their bounds
                model = make(seed).fit(encoded[train[:most]], labels[train[:most]])
            guesses.append(np.asarray(model.predict(unseen), dtype=np.float64)[place.reshape(-1)])
        return guesses

    return learn


def one_hot(space: Space, population: Population) -> npt.NDArray[np.float32]:
    """``(n, 30)``: one feature for each operation on each edge."""
    columns = [population[:, place] == value for place, gene in enumerate(space.genes) for value in gene.values]
    assert len(columns) == len(gene_feature_names(space))
    return np.column_stack(columns).astype(np.float32)


def _ceilings(table: MeasuredTable) -> dict[str, float]:
    """Tau of a perfect predictor on single labels, from two rows of each architecture with several rows."""
    genes = list(table.space.gene_names)
    groups = table.measured.sample(frac=1.0, random_state=0).groupby(genes, sort=True)
    second = groups.nth(1).set_index(genes)
    first = groups.nth(0).set_index(genes).loc[second.index]
    targets = [one.name for one in table.targets]
    return {
        target: round(metrics.noise_ceiling(first[target].to_numpy(), second[target].to_numpy()), 4)
        for target in targets
        if len(second) >= FEWEST_ROWS
    }


def _process(seed: int) -> GaussianProcessRegressor:
    kernel = ConstantKernel() * Matern(3.0, nu=2.5) + WhiteKernel(0.3, (1e-3, 1e1))
    return GaussianProcessRegressor(kernel, normalize_y=True, random_state=seed)


def _trees(seed: int) -> xgb.XGBRegressor:
    return xgb.XGBRegressor(
        n_estimators=300,
        max_depth=6,
        learning_rate=0.05,
        subsample=0.7,
        colsample_bytree=0.6,
        n_jobs=1,
        random_state=seed,
    )


MODELS: dict[str, Callable[..., list[Values]]] = {
    "surrogate": _ours,
    "XGBoost": _rival(_trees),
    "random forest": _rival(lambda seed: RandomForestRegressor(100, max_features=0.5, random_state=seed)),
    "ridge": _rival(lambda _: RidgeCV(np.logspace(-2, 3, 11))),
    "Gaussian process": _rival(_process, MOST_FOR_PROCESS),
}


if __name__ == "__main__":
    main()
