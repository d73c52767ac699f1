"""The surrogate compared with other models on the same features, folds and labels.

python benchmarks/surrogates.py [--table NAME ...] [--ablation | --settings] [--rounds 2] [--json]

Repeated 5-fold cross-validation over every chip of every shipped table, scored like `ohmnas score`: a model is trained
on the mean labels of its training architectures and compared with the first seed's labels of held-out architectures.
Precision is the share of the predicted top 10 % (5 %) that are in the measured top 10 % (5 %). Regret is the difference
in points between the measured best of 100 held-out architectures (or all, if there are fewer) and the predicted best.
All models use the same shrunk standard deviations. With --ablation, the surrogate runs without groups of its features
instead; with --settings, it runs with other settings and with other constants of its modules.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any
from unittest.mock import patch

import lightgbm
import numpy as np
import numpy.typing as npt
import xgboost as xgb
from scipy.stats import rankdata
from sklearn.ensemble import RandomForestRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ohmnas.datasets.tables.table import MeasuredTable, read_table, shipped_tables
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.spaces.resnet.genes import GENE_NAMES
from ohmnas.surrogate import Surrogate, TrainingSet, metrics
from ohmnas.surrogate import model as its_model
from ohmnas.surrogate import surrogate as its_estimator
from ohmnas.surrogate import training_set as its_labels
from ohmnas.surrogate.defaults import MARGINS
from ohmnas.surrogate.features import NOISE_NAMES, Features, feature_matrix, feature_names, structure_names
from ohmnas.surrogate.fit import kernel as its_kernel
from ohmnas.surrogate.fit import stages as its_stages
from ohmnas.surrogate.score import FOLDS
from ohmnas.surrogate.training_set import learnable_chips
from ohmnas.targets import DEFAULT_NAMES

Values = npt.NDArray[np.float64]
Predictor = Callable[[TrainingSet], dict[str, Values]]
"""A fitted model: predicts the values of each target for other architectures."""
Learner = Callable[[TrainingSet], Predictor]

GRADES = 32
"""Number of grades that labels are divided into for ranking objectives, which need whole numbers."""
DRAWS = 20
"""Number of random sets of 100 architectures; regret is the mean over them."""


def _learned(surrogate: Surrogate) -> Predictor:
    def predict(unseen: TrainingSet) -> dict[str, Values]:
        found = surrogate.estimate(unseen.population)
        return {
            DEFAULT_NAMES[0]: surrogate.rank_scores(unseen.population),
            DEFAULT_NAMES[1]: found["accuracy_1d_std"],
            DEFAULT_NAMES[2]: found["avm"],
        }

    return predict


def _ours(data: TrainingSet) -> Predictor:
    return _learned(Surrogate.learn(data))


def _set(**settings: Any) -> Learner:
    return lambda data: _learned(Surrogate.learn(data, **settings))


def _where(module: ModuleType, name: str, value: Any) -> Learner:
    """The surrogate, fitted with another value of a constant or function in one of its modules."""

    def learn(data: TrainingSet) -> Predictor:
        with patch.object(module, name, value):
            return _ours(data)

    return learn


def _without(*groups: str) -> Learner:
    """The surrogate, with groups of features set to 0."""

    def blind(space: ResNetSpace, population: Population, hardware: dict[str, float]) -> Features:
        kinds = {"genes": GENE_NAMES, "structure": structure_names(space), "noise": NOISE_NAMES}
        hidden = [name for group in groups for name in kinds[group]]
        features, names = feature_matrix(space, population, hardware), feature_names(space, hardware)
        features[:, [names.index(name) for name in hidden]] = 0.0
        return features

    def learn(data: TrainingSet) -> Predictor:
        with patch.object(its_estimator, "feature_matrix", blind):
            predict = _ours(data)

        def blindly(unseen: TrainingSet) -> dict[str, Values]:
            with patch.object(its_model, "feature_matrix", blind):
                return predict(unseen)

        return blindly

    return learn


def _features(data: TrainingSet) -> npt.NDArray[np.float64]:
    """Features of the surrogate, for other models."""
    return feature_matrix(data.space, data.population, data.hardware).astype(np.float64)


def _rival(make: Callable[[], Any]) -> Learner:
    """A scikit-learn regressor for each target."""

    def learn(data: TrainingSet) -> Predictor:
        features = _features(data)
        varied = features.std(axis=0) > 0
        models = {target: make().fit(features[:, varied], data.target(target)) for target in DEFAULT_NAMES}
        return lambda unseen: {
            target: np.asarray(model.predict(_features(unseen)[:, varied]), dtype=np.float64)
            for target, model in models.items()
        }

    return learn


def _ranked(make: Callable[[], Any], grades: int | None) -> Learner:
    """A ranker for each target; all rows form one group."""

    def learn(data: TrainingSet) -> Predictor:
        models = {}
        for target in DEFAULT_NAMES:
            label = data.target(target)
            if grades:
                label = np.floor((rankdata(label) - 1) / len(label) * grades)
            models[target] = make().fit(_features(data), label, group=[len(label)])
        return lambda unseen: {
            target: np.asarray(model.predict(_features(unseen)), dtype=np.float64) for target, model in models.items()
        }

    return learn


def _column(name: str) -> Learner:
    """One feature alone; its sign is learned."""

    def learn(data: TrainingSet) -> Predictor:
        index = feature_names(data.space, data.hardware).index(name)
        signs = {
            target: np.sign(metrics.kendall_tau(data.labels[target], _features(data)[:, index]))
            for target in DEFAULT_NAMES
        }
        return lambda unseen: {target: sign * _features(unseen)[:, index] for target, sign in signs.items()}

    return learn


def _boosted(**changes: Any) -> dict[str, Any]:
    return {"n_estimators": 250, "max_depth": 5, "learning_rate": 0.05, "subsample": 0.7, "n_jobs": 1, **changes}


def _gaussian_process() -> Any:
    kernel = ConstantKernel(1.0) * Matern(length_scale=8.0, nu=1.5) + WhiteKernel(0.2)
    return make_pipeline(StandardScaler(), GaussianProcessRegressor(kernel, normalize_y=True))


LEARNERS: dict[str, Learner] = {
    "ohmnas": _ours,
    "XGBoost, squared error": _rival(lambda: xgb.XGBRegressor(**_boosted(colsample_bytree=0.5))),
    "XGBoost, rank:pairwise": _ranked(
        lambda: xgb.XGBRanker(**_boosted(colsample_bytree=0.5, objective="rank:pairwise")), GRADES
    ),
    "LightGBM, lambdarank": _ranked(
        lambda: lightgbm.LGBMRanker(
            **_boosted(subsample_freq=1, colsample_bytree=0.5, verbose=-1, label_gain=list(range(GRADES)))
        ),
        GRADES,
    ),
    "random forest": _rival(lambda: RandomForestRegressor(300, min_samples_leaf=2, max_features=0.4, random_state=0)),
    "Gaussian process": _rival(_gaussian_process),
    "MLP": _rival(
        lambda: make_pipeline(
            StandardScaler(),
            MLPRegressor(hidden_layer_sizes=(64, 64), alpha=1.0, max_iter=500, early_stopping=True, random_state=0),
        )
    ),
    "k nearest neighbours": _rival(lambda: make_pipeline(StandardScaler(), KNeighborsRegressor(7, weights="distance"))),
    "ridge": _rival(lambda: make_pipeline(StandardScaler(), RidgeCV(np.logspace(-2, 3, 11)))),
    "parameters alone": _column("log2_params"),
    "MACs alone": _column("log2_macs"),
}
ABLATIONS: dict[str, Learner] = {
    "all features": _ours,
    "without noise": _without("noise"),
    "without structure": _without("structure"),
    "without genes": _without("genes"),
    "genes alone": _without("structure", "noise"),
    "structure alone": _without("genes", "noise"),
    "noise alone": _without("genes", "structure"),
}

SETTINGS: dict[str, Learner] = {
    "as it is": _ours,
    "early stopping": _set(rounds=250, early_stopping=True),
    "250 trees each": _set(rounds=250),
    **{f"margin {margin:g}": _set(margin=margin) for margin in MARGINS if margin != 0.1},
    **{f"emphasis {emphasis:g}": _set(emphasis=emphasis) for emphasis in (0.5, 1.0, 2.0)},
}
CONSTANTS: dict[str, Learner] = {
    "std, AVM: 4 levels": _where(its_stages, "SPREAD_DEPTH", 4),
    "std, AVM: trees alone": _where(its_stages, "share", lambda *_: 1.0),
    "std, AVM: process alone": _where(its_stages, "share", lambda *_: 0.0),
    "std, AVM: 700 rows": _where(its_stages, "SPREAD_ROWS", 700),
    "accuracy: 350 rows": _where(its_stages, "MOST_ROWS", 350),
    "accuracy: all rows": _where(its_stages, "MOST_ROWS", 10**6),
    "usual lengths": _where(its_kernel, "DOUBT", 0.01),
    "lengths less held": _where(its_kernel, "DOUBT", 1.0),
    "std as measured": _where(its_labels, "shrunk", lambda log_stds, *_: log_stds),
}
"""Depth of the trees, shares of the mixture and rows of the kernels (`fit.stages`), width of the prior on the length
scales (`fit.kernel`), and labels without shrinkage (`fit.label_shrinkage`)."""


def compare(table: MeasuredTable, hardware: str, learners: dict[str, Learner], rounds: int) -> dict[str, Any]:
    """Target -> model -> measure -> mean and standard deviation over the folds."""
    data = TrainingSet.of(table, hardware)
    truths = dict(zip(DEFAULT_NAMES, data.single().T, strict=True))
    found: dict[str, dict[str, list[dict[str, float]]]] = {
        target: {name: [] for name in learners} for target in DEFAULT_NAMES
    }
    for round_ in range(rounds):
        for train, test in KFold(FOLDS, shuffle=True, random_state=round_).split(data.population):
            for name, learn in learners.items():
                start = time.perf_counter()
                predict = learn(data.take(train))
                fitted = time.perf_counter()
                predicted = predict(data.take(test))
                seconds = {"fit_seconds": fitted - start, "predict_seconds": time.perf_counter() - fitted}
                for target in DEFAULT_NAMES:
                    measured = _measures(truths[target][test], predicted[target], target != DEFAULT_NAMES[0])
                    found[target][name].append({**measured, **seconds})
    return {
        target: {
            name: {key: _spread([fold[key] for fold in folds]) for key in folds[0]} for name, folds in models.items()
        }
        for target, models in found.items()
    }


def _measures(truth: Values, guess: Values, smaller_is_better: bool) -> dict[str, float]:
    sign = -1.0 if smaller_is_better else 1.0
    rng = np.random.default_rng(0)
    regrets = []
    for _ in range(DRAWS):
        some = rng.permutation(len(truth))[:100]
        regrets.append((sign * truth[some]).max() - sign * truth[some][np.argmax(sign * guess[some])])
    return {
        "tau": metrics.kendall_tau(truth, guess),
        "spearman": metrics.spearman(truth, guess),
        "precision_at_10": metrics.precision_at(0.1, truth, guess, smaller_is_better),
        "precision_at_5": metrics.precision_at(0.05, truth, guess, smaller_is_better),
        "regret": 100 * float(np.mean(regrets)),
    }


def _spread(values: list[float]) -> dict[str, float]:
    return {"mean": float(np.nanmean(values)), "std": float(np.nanstd(values, ddof=1))}


def main() -> None:
    """Print a table for each chip."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", nargs="+", default=shipped_tables())
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--ablation", action="store_true")
    instead.add_argument("--settings", action="store_true")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")  # convergence warnings of other models
    results = {}
    for name in arguments.table:
        table = read_table(name)
        for hardware in learnable_chips(table):
            learners = (
                ABLATIONS if arguments.ablation else {**SETTINGS, **CONSTANTS} if arguments.settings else LEARNERS
            )
            results[f"{name} on {hardware}"] = compare(table, hardware, learners, arguments.rounds)
            if not arguments.json:
                _show(f"{name} on {hardware}", results[f"{name} on {hardware}"])
    if arguments.json:
        print(json.dumps(results))


def _show(title: str, targets: dict[str, Any]) -> None:
    print(f"\n{title}")
    print(" " * 24 + "".join(f"{'tau of ' + target:>23} " for target in DEFAULT_NAMES), end="")
    print(f"{'prec. 10, 5 %':>16}{'regret':>8}{'fit':>9}{'predict':>9}")
    for name in targets[DEFAULT_NAMES[0]]:
        taus = [targets[target][name]["tau"] for target in DEFAULT_NAMES]
        first = targets[DEFAULT_NAMES[0]][name]
        cells = "".join(f"{tau['mean']:16.3f} ±{tau['std']:.3f} " for tau in taus)
        precision = f"{first['precision_at_10']['mean']:.2f}, {first['precision_at_5']['mean']:.2f}"
        times = f"{first['fit_seconds']['mean']:7.2f} s{1000 * first['predict_seconds']['mean']:6.1f} ms"
        print(f"{name:24}{cells}{precision:>16}{first['regret']['mean']:8.2f}{times}", flush=True)


if __name__ == "__main__":
    main()
