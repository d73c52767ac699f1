"""What a table teaches of robust architectures, as data frames: what matters, in which direction, and how sure that is.

Nothing here is a measurement: effects are what surrogates that learned the table say, and intervals come from
surrogates that learned parts of it. A surrogate knows a gene's effect where the table has seen the
gene vary, so that effects are asked only of architectures within the costs that were measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import t as student
from sklearn.manifold import TSNE
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

from ohmnas.errors import InvalidValueError
from ohmnas.spaces import genes
from ohmnas.spaces.genes import Population
from ohmnas.surrogate import metrics
from ohmnas.surrogate.features import CHIPLESS, NOISE_NAMES, STRUCTURE_NAMES, Features, feature_matrix, feature_names
from ohmnas.surrogate.learning import HEADS, LearningSet
from ohmnas.surrogate.prediction import Prediction
from ohmnas.surrogate.scales import from_scales
from ohmnas.surrogate.surrogate import Surrogate
from ohmnas.surrogate.transfer import Start

Values = npt.NDArray[np.float64]

RESAMPLES = 8
"""Tables that intervals come from: their spread, times the quantile of Student's t for so many."""
DRAWN: Final = 1.0 - np.exp(-1.0)
"""Share of the rows that is in such a table."""
FEWEST_RESAMPLES = 3
FEWEST_STUDIED = 20
"""Architectures: folds and resampled tables hold fewer."""
FOLDS = 5
SHUFFLES = 3
"""Of each feature, whose losses are averaged."""
FEWEST_EFFECT = 10
"""Architectures that an effect is stated of."""

CHOICES: Final[dict[str, tuple[int | tuple[int, ...], tuple[int, ...]]]] = {
    "stem channels": (genes.OC0, (8, 12, 16, 24, 32, 48)),
    "stem kernel": (genes.KS0, (3, 5, 7)),
    "residual blocks (R)": ((genes.R,), (1, 2, 4, 8)),
    "branches (B)": ((genes.B,), (1, 2, 3, 4, 6)),
    "block type": ((genes.CT,), (1, 2)),
    "widening (WF)": ((genes.WF,), (1, 2, 3)),
    "skip": ((genes.SKIP,), (0, 1)),
}
"""What an architect chooses -> gene of the whole network, or (in a tuple) of each main block, and values to compare."""
WORDS: Final[Mapping[str, Mapping[float, str]]] = {
    "stem kernel": {3: "3x3", 5: "5x5", 7: "7x7"},
    "block type": {1: "basic", 2: "bottleneck"},
    "skip": {0: "without", 1: "with"},
}
"""Choice -> value -> what people call it, where a number says nothing."""
DEVICES: Final = "device errors (times)"
"""All of them together, as multiples of what they are."""
SETTINGS: Final[dict[str, tuple[float, ...]]] = {
    "hw_output_noise": (0.0, 0.02, 0.04, 0.08),
    "hw_dac_bits": (5.0, 6.0, 8.0, 10.0),
    "hw_adc_bits": (5.0, 6.0, 8.0, 10.0),
    "hw_tile_rows": (64.0, 128.0, 256.0, 512.0, 1024.0),
    DEVICES: (0.0, 0.5, 1.0, 2.0),
}
"""Settings of a chip -> values to compare."""
SETTING_NAMES: Final = {
    "hw_output_noise": "output noise",
    "hw_dac_bits": "DAC bits",
    "hw_adc_bits": "ADC bits",
    "hw_tile_rows": "rows of a tile",
}
"""Setting -> what people call it; others have their own name."""


def importance(data: LearningSet, seed: int = 0, **settings: Any) -> pd.DataFrame:
    """What each feature is worth: how much tau on held-out rows loses when its values are shuffled among them.

    Features that say almost the same share their worth, so that the last rows hold groups, shuffled together.

    Args:
        data: rows of one chip.
        seed: of folds and shuffles.
        settings: of `Surrogate`.

    Raises:
        InvalidValueError: there are fewer than `FEWEST_STUDIED` architectures.

    Returns:
        One row for each feature and group, most important for the accuracy first: `feature`, `group`, and for each head
        the mean loss of tau and its standard error over folds (`<head>`, `<head>_error`).
    """
    _enough(data)
    names = feature_names(data.hardware)
    columns: dict[str, list[int]] = {name: [index] for index, name in enumerate(names[:CHIPLESS])}
    groups = {"genes": genes.GENE_NAMES, "structure": STRUCTURE_NAMES, "noise": NOISE_NAMES}
    columns |= {f"all of {group}": [names.index(name) for name in members] for group, members in groups.items()}
    rng = np.random.default_rng(seed)
    losses: dict[str, list[Values]] = {name: [] for name in columns}
    for train, test in KFold(FOLDS, shuffle=True, random_state=seed).split(data.population):
        surrogate = Surrogate.learn(data.take(train), seed=seed, **settings)
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
        for column, head in enumerate(HEADS):
            row |= {head: float(mean[column]), f"{head}_error": float(error[column])}
        rows.append(row)
    return pd.DataFrame(rows).sort_values(HEADS[0], ascending=False, ignore_index=True)


def gene_effects(data: LearningSet, seed: int = 0, resamples: int = RESAMPLES, **settings: Any) -> pd.DataFrame:
    """How predictions change when one choice is changed in the measured architectures and nothing else is.

    Each architecture is its own comparison: those are taken whose costs stay, with every value of the choice, within
    what was measured. More channels, blocks or branches cost more parameters, which are stated beside.

    Args:
        data: rows of one chip.
        seed: of the parts.
        resamples: parts that are drawn, at least `FEWEST_RESAMPLES`.
        settings: of `Surrogate`.

    Raises:
        InvalidValueError: there are fewer than `FEWEST_STUDIED` architectures, or too few resamples.

    Returns:
        One row for each choice and value: `choice`, `value`, `label` (the value in words), `against` (that of the first
        value), `architectures`, `params` (their geometric mean), and for each head its mean prediction, and that less
        the prediction of the choice's first value with a 90 % interval (`<head>`, `<head>_change`, `<head>_low`,
        `<head>_high`), as fractions.
    """
    _enough(data, resamples)
    surrogates = _resampled(data, resamples, seed, settings)
    rows = []
    for choice, (gene, values) in CHOICES.items():
        variants = [_changed(data, gene, value) for value in values]
        fits = np.all([_within(data, variant) for variant in variants], axis=0)
        if fits.sum() < FEWEST_EFFECT:
            continue
        variants = [variant[fits] for variant in variants]
        params = [float(np.exp(np.log(data.space.params(variant)).mean())) for variant in variants]
        said = [[_means(surrogate.forecast(variant)) for variant in variants] for surrogate in surrogates]
        rows += _effects(choice, values, int(fits.sum()), np.array(said), params)
    return pd.DataFrame(rows)


def chip_effects(
    sets: list[LearningSet], seed: int = 0, resamples: int = RESAMPLES, settings: Mapping[str, Any] | None = None
) -> pd.DataFrame:
    """How predictions change when one setting of the chip is changed and nothing else is.

    A table has few chips and cannot teach the effect of a setting by itself. What is asked is a `Start`, which knows a
    chip by the noise that its settings make in a network: how noise of a kind lowers accuracies it learned from the
    architectures, which suffer from it more or less.

    Args:
        sets: rows of all chips of a task; the first is the chip whose settings are changed.
        seed: of the parts.
        resamples: tables that are drawn, at least `FEWEST_RESAMPLES`.
        settings: setting -> values to compare; None is `SETTINGS`.

    Returns:
        As `gene_effects`, without parameters; changes are against the first value.
    """
    _enough(sets[0], resamples)
    rng = np.random.default_rng(seed)
    starts = [Start.fit([_resample(part, rng) for part in sets], seed=seed) for _ in range(resamples)]
    first = sets[0]
    levels = np.mean([first.target(head) for head in HEADS], axis=1)
    rows = []
    for name, values in (settings or SETTINGS).items():
        chips = [_with(first.hardware, name, value) for value in values]
        said = np.array([[start.says(first.population, chip) for chip in (first.hardware, *chips)] for start in starts])
        means = levels + (said[:, 1:] - said[:, :1]).mean(axis=2, dtype=np.float64)
        means = from_scales(means.reshape(-1, len(HEADS))).reshape(means.shape)
        rows += _effects(SETTING_NAMES.get(name, name), values, len(first.population), means, None)
    return pd.DataFrame(rows)


def _with(hardware: Mapping[str, float], name: str, value: float) -> dict[str, float]:
    """The chip with one setting changed."""
    if name != DEVICES:
        return {**hardware, name: value}
    return {key: value * error if key.startswith("device_") else error for key, error in hardware.items()}


def space_map(data: LearningSet, seed: int = 0) -> pd.DataFrame:
    """A t-SNE map: architectures that are alike in structure and noise lie together (van der Maaten and Hinton, 2008).

    Args:
        data: rows of one chip.
        seed: of the map.

    Returns:
        One row for each architecture: `x`, `y`, `params`, and its labels.
    """
    features = feature_matrix(data.space, data.population, data.hardware)[:, genes.GENES : CHIPLESS]
    perplexity = min(30.0, (len(features) - 1) / 3)
    mapped = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(
        StandardScaler().fit_transform(features.astype(np.float64))
    )
    return pd.DataFrame(
        {"x": mapped[:, 0], "y": mapped[:, 1], "params": data.space.params(data.population), **data.labels}
    )


def _enough(data: LearningSet, resamples: int = FEWEST_RESAMPLES) -> None:
    if len(data.population) < FEWEST_STUDIED:
        raise InvalidValueError(
            f"{len(data.population)} architectures are too few for a study, it needs {FEWEST_STUDIED}"
        )
    if resamples < FEWEST_RESAMPLES:
        raise InvalidValueError(f"intervals need {FEWEST_RESAMPLES} resampled tables or more, not {resamples}")


def _taus(surrogate: Surrogate, features: Features, unseen: LearningSet) -> Values:
    scores, predicted = surrogate.forecast_features(features)
    guesses = (scores, predicted.accuracy_1d_std, predicted.avm)
    return np.array([metrics.kendall_tau(unseen.labels[head], g) for head, g in zip(HEADS, guesses, strict=True)])


def _resampled(data: LearningSet, resamples: int, seed: int, settings: Mapping[str, Any]) -> list[Surrogate]:
    rng = np.random.default_rng(seed)
    return [Surrogate.learn(_resample(data, rng), seed=seed, **settings) for _ in range(resamples)]


def _resample(data: LearningSet, rng: np.random.Generator) -> LearningSet:
    """As many rows, drawn with replacement; each of the drawn once (`DRAWN`), so that folds hold nothing twice."""
    return data.take(np.unique(rng.integers(len(data.population), size=len(data.population))))


def _changed(data: LearningSet, gene: int | tuple[int, ...], value: int) -> Population:
    """The measured architectures with a gene set, in all their main blocks if it is a block's."""
    changed = data.population.copy()
    if isinstance(gene, tuple):
        genes.block_view(changed)[..., gene[0]] = np.where(genes.active_blocks(changed), value, 0)
    else:
        changed[:, gene] = value
    return data.space.repair(changed)


def _within(data: LearningSet, population: Population) -> npt.NDArray[np.bool_]:
    seen, table = data.provenance["seen"], data.space.layer_table(population)
    params = table.params()
    within: npt.NDArray[np.bool_] = (
        (params >= seen["min_params"]) & (params <= seen["max_params"]) & (table.macs() <= seen["max_macs"])
    )
    return within


def _means(predicted: Prediction) -> list[float]:
    return [float(getattr(predicted, head).mean()) for head in HEADS]


def _effects(
    choice: str, values: tuple[float, ...], architectures: int, said: Values, params: list[float] | None
) -> list[dict[str, Any]]:
    """Rows of a choice from ``(resamples, values, 3)`` mean predictions.

    Of a table of n rows, parts of a share s differ from each other by sqrt((1 - s) / s) of what tables of n rows would:
    they share rows. The intervals are of such tables (delete-d jackknife: Shao and Wu, 1989).
    """
    change = said - said[:, :1]
    error = np.sqrt(DRAWN / (1.0 - DRAWN)) * change.std(axis=0, ddof=1)
    half = student.ppf(0.95, len(said) - 1) * error
    low, high = change.mean(axis=0) - half, change.mean(axis=0) + half
    rows = []
    for index, value in enumerate(values):
        row: dict[str, Any] = {
            "choice": choice,
            "value": value,
            "label": _label(choice, value),
            "against": _label(choice, values[0]),
            "architectures": architectures,
        }
        if params is not None:
            row["params"] = params[index]
        for column, head in enumerate(HEADS):
            row[head] = float(said[:, index, column].mean())
            row[f"{head}_change"] = float(change[:, index, column].mean())
            row[f"{head}_low"], row[f"{head}_high"] = float(low[index, column]), float(high[index, column])
        rows.append(row)
    return rows


def _label(choice: str, value: float) -> str:
    return WORDS.get(choice, {}).get(value, f"{value:g}")
