"""A study finds what the formula behind made-up labels says: stems make accurate, kernels noisy, main blocks drift."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ohmnas.errors import InvalidValueError
from ohmnas.hardware import HERMES
from ohmnas.surrogate import study
from ohmnas.surrogate.features import chipless
from ohmnas.surrogate.study import (
    FEWEST_STUDIED,
    SETTING_NAMES,
    SETTINGS,
    _resample,
    chip_effects,
    gene_effects,
    importance,
    space_map,
)
from ohmnas.surrogate.training_set import FEWEST_ROWS, TrainingSet
from ohmnas.targets import DEFAULT_NAMES

from .conftest import FAST, SPACE, learning_set


@pytest.fixture(scope="module")
def rows() -> TrainingSet:
    data = learning_set(200)
    seen = {"min_params": 500, "max_params": 10_000_000, "max_macs": 10**12}
    return replace(data, provenance={**data.provenance, "seen": seen})


@pytest.fixture(scope="module")
def effects(rows: TrainingSet) -> pd.DataFrame:
    return gene_effects(rows, resamples=3, **FAST)


def of(effects: pd.DataFrame, choice: str, target: str) -> Any:
    return effects[effects["choice"] == choice][f"{target}_change"].to_numpy()


def test_only_features_that_labels_depend_on_are_important(rows: TrainingSet) -> None:
    frame = importance(rows, **FAST).set_index("feature")
    assert len(frame) == chipless(SPACE) + 3
    of_std = frame[frame["group"] != "group"]["accuracy_1d_std"]
    assert of_std["KS0"] == of_std.max() > 0.3
    assert frame["accuracy_1d"]["skip1"] < 0.02
    assert (frame[[f"{target}_error" for target in DEFAULT_NAMES]] >= 0).all(axis=None)


def test_effects_have_the_direction_of_the_formula(effects: pd.DataFrame) -> None:
    stem, kernel = of(effects, "stem channels", "accuracy_1d"), of(effects, "stem kernel", "accuracy_1d_std")
    assert (np.diff(stem) > 0).all()
    assert (np.diff(kernel) > 0).all()
    assert np.abs(of(effects, "skip", "accuracy_1d")).max() < 0.05 < stem[-1]


def test_changes_begin_at_nothing_and_lie_in_their_intervals(effects: pd.DataFrame) -> None:
    assert set(effects["choice"]) == set(SPACE.choices)
    blocks = effects[effects["choice"] == "block type"]
    assert blocks[["label", "against"]].to_numpy().tolist() == [["basic", "basic"], ["bottleneck", "basic"]]
    for _, group in effects.groupby("choice"):
        for target in DEFAULT_NAMES:
            low, change, high = (group[f"{target}_{name}"].to_numpy() for name in ("low", "change", "high"))
            assert low[0] == change[0] == high[0] == 0.0
            assert (low <= change + 1e-12).all()
            assert (change <= high + 1e-12).all()


def test_only_architectures_within_the_measured_range_are_evaluated(rows: TrainingSet) -> None:
    tight = replace(rows, provenance={**rows.provenance, "seen": {**rows.provenance["seen"], "max_params": 30_000}})
    effects = gene_effects(tight, resamples=3, **FAST)
    assert effects["params"].max() <= 30_000
    assert effects["architectures"].max() < len(rows.population)


def test_effects_of_a_chip_are_those_of_its_noise(rows: TrainingSet) -> None:
    """Accuracies that fall with the noise which reaches the classes; more noise on the chip must lower them further."""
    from ohmnas.costs.noise import noise_budget

    def on(chip: dict[str, float]) -> TrainingSet:
        noise = noise_budget(rows.space.layers(rows.population), chip)
        total = np.log2(noise.converters + chip["device_spread_1d"] ** 2 * noise.weights)
        accuracy = np.clip(0.6 - 0.05 * total, 0.0, 1.0)
        return replace(rows, hardware=chip, labels={**rows.labels, "accuracy_1d": accuracy})

    sets = [on(rows.hardware), on(HERMES.description())]
    effects = chip_effects(sets, resamples=3, settings={name: SETTINGS[name] for name in ("hw_output_noise",)})
    assert (np.diff(of(effects, "hw_output_noise", "accuracy_1d")) < 0).all()
    devices = chip_effects(sets, resamples=3)
    assert set(devices["choice"]) == {SETTING_NAMES.get(name, name) for name in SETTINGS}
    assert (np.diff(of(devices, "device errors (times)", "accuracy_1d")) < 0).all()


def test_nine_of_ten_intervals_hold_what_is_true(rows: TrainingSet) -> None:
    """Of the mean of numbers, which says what it learned exactly: means of parts of a table stand for surrogates."""
    rng, truth, held = np.random.default_rng(0), 0.3, 0
    for _ in range(400):
        table = rng.normal(truth, 1.0, len(rows.population))
        parts = [study._resample(rows.take(np.arange(len(table))), rng).population for _ in range(8)]
        place = {genome.tobytes(): index for index, genome in enumerate(rows.population)}
        means = [table[[place[genome.tobytes()] for genome in part]].mean() for part in parts]
        said = np.stack([np.zeros((8, 3)), np.repeat(np.array(means)[:, None], 3, axis=1)], axis=1)
        (_, row) = study._effects("skip", (0, 1), 1, said, None)
        held += row["avm_low"] <= truth <= row["avm_high"]
    assert 0.86 <= held / 400 <= 0.94


def test_the_map_places_networks_by_size_and_noise(rows: TrainingSet) -> None:
    frame = space_map(rows)
    assert len(frame) == len(rows.population)
    assert (frame["params"] == rows.space.params(rows.population)).all()
    assert (frame["noise_1d"] > 0).all()
    assert frame["noise_1d"].nunique() > len(frame) / 2


def test_every_resampled_table_has_enough_rows_for_a_surrogate(rows: TrainingSet) -> None:
    few, rng = rows.take(np.arange(FEWEST_STUDIED)), np.random.default_rng(0)
    assert min(len(_resample(few, rng).population) for _ in range(1000)) >= FEWEST_ROWS


def test_too_little_to_study_is_refused_at_once(rows: TrainingSet) -> None:
    few = rows.take(np.arange(FEWEST_STUDIED - 1))
    for refuses in (importance, gene_effects, lambda data: chip_effects([data])):
        with pytest.raises(InvalidValueError, match=f"{len(few.population)} architectures are too few for a study"):
            refuses(few)
    with pytest.raises(InvalidValueError, match="at least one chip"):
        chip_effects([])
    with pytest.raises(InvalidValueError, match="at least 3 resampled tables, not 2"):
        gene_effects(rows, resamples=2)
    enough = rows.take(np.arange(FEWEST_STUDIED))
    assert len(gene_effects(enough, resamples=3, **FAST)) >= 0
    importance(enough, **FAST)
