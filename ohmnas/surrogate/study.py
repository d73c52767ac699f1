"""Study of a table: feature importance, effects of choices and a map, as data frames with intervals.

All effects are predictions of surrogates fitted to the table, not measurements; intervals come from surrogates fitted
to parts of the table. A surrogate can predict a gene's effect only where the table varies the gene, so effects are
computed only for architectures within the measured range of costs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import t as student
from sklearn.model_selection import KFold

from ohmnas.errors import InvalidValueError
from ohmnas.estimate import Estimate
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space
from ohmnas.surrogate import metrics
from ohmnas.surrogate.defaults import RESAMPLES
from ohmnas.surrogate.features import (
    NOISE_NAMES,
    Features,
    chipless,
    feature_matrix,
    feature_names,
    gene_feature_names,
    structure_names,
)
from ohmnas.surrogate.fit.transfer import fit_source
from ohmnas.surrogate.model import SurrogateModel
from ohmnas.surrogate.scales import Scales
from ohmnas.surrogate.surrogate import Surrogate
from ohmnas.surrogate.training_set import FEWEST_ROWS, TrainingSet
from ohmnas.targets import DEFAULT_NAMES, VARIATION

Values = npt.NDArray[np.float64]

DRAWN: Final = 1.0 - np.exp(-1.0)
"""Expected share of distinct rows in a resampled table."""
FEWEST_RESAMPLES = 3
FEWEST_STUDIED = 20
"""Smallest number of architectures for a study, as folds and resampled tables hold fewer."""
FOLDS = 5
SHUFFLES = 3
"""Shuffles per feature; their losses are averaged."""
FEWEST_EFFECT = 10
"""Smallest number of architectures for an effect."""

DEVICES: Final = "device errors (times)"
"""All device errors together, as multiples of their normal size."""
SETTINGS: Final[dict[str, tuple[float, ...]]] = {
    "hw_output_noise": (0.0, 0.02, 0.04, 0.08),
    "hw_dac_bits": (5.0, 6.0, 8.0, 10.0),
    "hw_adc_bits": (5.0, 6.0, 8.0, 10.0),
    "hw_tile_rows": (64.0, 128.0, 256.0, 512.0, 1024.0),
    DEVICES: (0.0, 0.5, 1.0, 2.0),
}
"""Setting of a chip -> values to compare."""
SETTING_NAMES: Final = {
    "hw_output_noise": "output noise",
    "hw_dac_bits": "DAC bits",
    "hw_adc_bits": "ADC bits",
    "hw_tile_rows": "rows of a tile",
}
"""Setting -> its name in words; other settings keep their own name."""


def importance(data: TrainingSet, seed: int = 0, **settings: Any) -> pd.DataFrame:
    """Permutation importance: loss of tau on held-out rows when the values of a feature are shuffled.

    Redundant features share their importance, so the features of each group are also shuffled together.

    Args:
        data: rows of one chip.
        seed: seed of folds and shuffles.
        settings: settings of `Surrogate`.

    Returns:
        One row for each feature and group, most important for the accuracy first: `feature`, `group`, and for each
        target the mean loss of tau and its standard error over folds (`<target>`, `<target>_error`).

    Raises:
        InvalidValueError: there are fewer than `FEWEST_STUDIED` architectures, or the rows have no AVM.
    """
    _enough(data)
    names = feature_names(data.space, data.hardware)
    columns: dict[str, list[int]] = {name: [index] for index, name in enumerate(names[: chipless(data.space)])}
    groups = {
        "genes": gene_feature_names(data.space),
        "structure": structure_names(data.space),
        "noise": NOISE_NAMES,
    }
    columns |= {f"all of {group}": [names.index(name) for name in members] for group, members in groups.items()}
    rng = np.random.default_rng(seed)
    losses: dict[str, list[Values]] = {name: [] for name in columns}
    for train, test in KFold(FOLDS, shuffle=True, random_state=seed).split(data.population):
        surrogate = Surrogate.learn(data.take(train), seed=seed, **settings).model_
        unseen = data.take(test)
        features = surrogate.features(unseen.population)
        whole = _taus(surrogate, features, unseen)
        for name, indices in columns.items():
            shuffled = []
            for _ in range(SHUFFLES):
                changed = features.copy()
                changed[:, indices] = features[rng.permutation(len(features))][:, indices]
                shuffled.append(whole - _taus(surrogate, changed, unseen))
            losses[name].append(np.mean(shuffled, axis=0))
    kind = {name: group for group, members in groups.items() for name in members}
    rows = []
    for name, values in losses.items():
        row: dict[str, Any] = {"feature": name, "group": kind.get(name, "group")}
        mean, error = np.nanmean(values, axis=0), np.nanstd(values, axis=0, ddof=1) / np.sqrt(FOLDS)
        for column, target in enumerate(DEFAULT_NAMES):
            row |= {target: float(mean[column]), f"{target}_error": float(error[column])}
        rows.append(row)
    return pd.DataFrame(rows).sort_values(DEFAULT_NAMES[0], ascending=False, ignore_index=True)


def gene_effects(data: TrainingSet, seed: int = 0, resamples: int = RESAMPLES, **settings: Any) -> pd.DataFrame:
    """Predicted effect of changing one choice in the measured architectures.

    Each architecture is compared with itself. Only architectures whose costs stay within the measured range for every
    value of the choice are used. More channels, blocks or branches also mean more parameters, so the parameters are
    reported as well.

    Args:
        data: rows of one chip.
        seed: seed of the resampled tables.
        resamples: number of resampled tables, at least `FEWEST_RESAMPLES`.
        settings: settings of `Surrogate`.

    Returns:
        One row for each choice and value: `choice`, `value`, `label` (the value in words), `against` (the first value),
        `architectures` (their number), `params` (geometric mean over the architectures), and for each target its mean
        prediction, the change from the first value and the 90 % interval of the change (`<target>`, `<target>_change`,
        `<target>_low`, `<target>_high`), as fractions.

    Raises:
        InvalidValueError: there are fewer than `FEWEST_STUDIED` architectures, the rows have no AVM, or there are too
            few resamples.
    """
    _enough(data, resamples)
    surrogates = _resampled(data, resamples, seed, settings)
    rows = []
    for choice, (gene, values) in data.space.choices.items():
        variants = [_changed(data, gene, value) for value in values]
        fits = np.all([_within(data, variant) for variant in variants], axis=0)
        if fits.sum() < FEWEST_EFFECT:
            continue
        variants = [variant[fits] for variant in variants]
        params = [float(np.exp(np.log(data.space.params(variant)).mean())) for variant in variants]
        predicted = [[_means(_like_new(surrogate, variant)) for variant in variants] for surrogate in surrogates]
        rows += _effects(
            choice, values, int(fits.sum()), np.array(predicted), params, _labelled(data.space, gene, choice)
        )
    return pd.DataFrame(rows)


def chip_effects(
    sets: list[TrainingSet], seed: int = 0, resamples: int = RESAMPLES, settings: Mapping[str, Any] | None = None
) -> pd.DataFrame:
    """Predicted effect of changing one setting of the chip.

    A table has too few chips to show the effect of a setting directly. A `SourceModel` describes a chip by the noise
    that its settings cause in a network. It is fitted to architectures that differ in their sensitivity to each kind of
    noise, so it can predict the effect of a setting.

    Args:
        sets: rows of all chips of a task; the settings of the first set's chip are changed.
        seed: seed of the resampled tables.
        resamples: number of resampled tables, at least `FEWEST_RESAMPLES`.
        settings: setting -> values to compare; None is `SETTINGS`.

    Returns:
        Like `gene_effects`, without `params`.

    Raises:
        InvalidValueError: there is no set, the first one has fewer than `FEWEST_STUDIED` architectures or no AVM, the
            sets differ in space or third target, or there are too few resamples.
    """
    if not sets:
        raise InvalidValueError("chip effects need the rows of at least one chip")
    _enough(sets[0], resamples)
    rng = np.random.default_rng(seed)
    models = [fit_source([_resample(part, rng) for part in sets], seed=seed) for _ in range(resamples)]
    first = sets[0]
    scales = Scales(first.scales.std_floor)  # the scales of a source model
    levels = scales.to(first.shrunk_labels()).mean(axis=0)
    rows = []
    for name, values in (settings or SETTINGS).items():
        chips = [_with(first.hardware, name, value) for value in values]
        predicted = np.array(
            [[model.predict(first.population, chip) for chip in (first.hardware, *chips)] for model in models]
        )
        means = levels + (predicted[:, 1:] - predicted[:, :1]).mean(axis=2, dtype=np.float64)
        means = scales.back(means.reshape(-1, len(DEFAULT_NAMES))).reshape(means.shape)
        rows += _effects(SETTING_NAMES.get(name, name), values, len(first.population), means, None)
    return pd.DataFrame(rows)


def _with(hardware: Mapping[str, float], name: str, value: float) -> dict[str, float]:
    """Return the chip with one setting changed."""
    if name != DEVICES:
        return {**hardware, name: value}
    return {key: value * error if key.startswith("device_") else error for key, error in hardware.items()}


def space_map(data: TrainingSet) -> pd.DataFrame:
    """Return the size and the estimated noise of each measured architecture.

    Args:
        data: rows of one chip.

    Returns:
        One row for each architecture: `params`, `noise_1d` (estimated noise over signal at the classifier's output
        after a day, see `costs.noise`), and its labels.
    """
    features = feature_matrix(data.space, data.population, data.hardware)
    column = feature_names(data.space, data.hardware).index("log2_noise_1d")
    noise = np.exp2(features[:, column].astype(np.float64))
    return pd.DataFrame({"params": data.space.params(data.population), "noise_1d": noise, **data.labels})


def _enough(data: TrainingSet, resamples: int = FEWEST_RESAMPLES) -> None:
    if len(data.population) < FEWEST_STUDIED:
        raise InvalidValueError(
            f"{len(data.population)} architectures are too few for a study; it needs at least {FEWEST_STUDIED}"
        )
    if data.variation != VARIATION:
        raise InvalidValueError(f"a study needs the AVM, but the table has only {data.variation.name}")
    if resamples < FEWEST_RESAMPLES:
        raise InvalidValueError(f"intervals need at least {FEWEST_RESAMPLES} resampled tables, not {resamples}")


def _like_new(surrogate: SurrogateModel, population: Population) -> Estimate:
    """Predict all architectures as if they were new.

    Otherwise an effect would compare predictions of training rows with predictions of changed, unseen rows.
    """
    return surrogate.forecast_features(surrogate.features(population))[1]


def _taus(surrogate: SurrogateModel, features: Features, unseen: TrainingSet) -> Values:
    scores, predicted = surrogate.forecast_features(features)
    guesses = (scores, predicted["accuracy_1d_std"], predicted["avm"])
    return np.array(
        [metrics.kendall_tau(unseen.labels[target], g) for target, g in zip(DEFAULT_NAMES, guesses, strict=True)]
    )


def _resampled(data: TrainingSet, resamples: int, seed: int, settings: Mapping[str, Any]) -> list[SurrogateModel]:
    rng = np.random.default_rng(seed)
    return [Surrogate.learn(_resample(data, rng), seed=seed, **settings).model_ for _ in range(resamples)]


def _resample(data: TrainingSet, rng: np.random.Generator) -> TrainingSet:
    """Draw as many rows as the table has, with replacement, and keep each drawn row once (`DRAWN`).

    Folds of the resampled table then share no rows. A draw with too few rows for a surrogate is repeated. With 20
    rows, 8 in 1,000 draws have fewer than 10 distinct rows.
    """
    rows = np.empty(0, dtype=np.intp)
    while len(rows) < FEWEST_ROWS:
        rows = np.unique(rng.integers(len(data.population), size=len(data.population)))
    return data.take(rows)


def _changed(data: TrainingSet, name: str, value: int) -> Population:
    """Return the measured architectures with a gene changed, in all blocks if the name is a gene family."""
    changed, columns = data.population.copy(), data.space.genes.columns(name)
    changed[:, columns] = np.where(data.space.genes.exists(changed)[:, columns], value, 0)
    return data.space.repair(changed)


def _labelled(space: Space, gene: str, choice: str) -> Callable[[float], str]:
    """Return a function that formats the values of a gene."""
    words = space.choice_words.get(choice, {})
    return lambda value: words.get(int(value), space.genes.named(gene).text(int(value)))


def _within(data: TrainingSet, population: Population) -> npt.NDArray[np.bool_]:
    seen, table = data.provenance["seen"], data.space.layers(population)
    params = table.params()
    within: npt.NDArray[np.bool_] = (
        (params >= seen["min_params"]) & (params <= seen["max_params"]) & (table.macs() <= seen["max_macs"])
    )
    return within


def _means(predicted: Estimate) -> list[float]:
    return [float(predicted[target].mean()) for target in DEFAULT_NAMES]


def _effects(
    choice: str,
    values: tuple[float, ...],
    architectures: int,
    predicted: Values,
    params: list[float] | None,
    label: Callable[[float], str] = "{:g}".format,
) -> list[dict[str, Any]]:
    """Rows of a choice from ``(resamples, values, 3)`` mean predictions.

    Resampled tables share rows: if each holds a share s of the rows, they differ by only sqrt((1 - s) / s) of the
    difference between independent tables. The intervals correct for this (delete-d jackknife: Shao and Wu, 1989).
    """
    change = predicted - predicted[:, :1]
    error = np.sqrt(DRAWN / (1.0 - DRAWN)) * change.std(axis=0, ddof=1)
    half = student.ppf(0.95, len(predicted) - 1) * error
    low, high = change.mean(axis=0) - half, change.mean(axis=0) + half
    rows = []
    for index, value in enumerate(values):
        row: dict[str, Any] = {
            "choice": choice,
            "value": value,
            "label": label(value),
            "against": label(values[0]),
            "architectures": architectures,
        }
        if params is not None:
            row["params"] = params[index]
        for column, target in enumerate(DEFAULT_NAMES):
            row[target] = float(predicted[:, index, column].mean())
            row[f"{target}_change"] = float(change[:, index, column].mean())
            row[f"{target}_low"], row[f"{target}_high"] = float(low[index, column]), float(high[index, column])
        rows.append(row)
    return rows
