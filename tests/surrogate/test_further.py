"""Targets beyond the default three: learned as differences from them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmnas.errors import BrokenFileError, InvalidValueError, UnknownNameError
from ohmnas.search.limits import Limits
from ohmnas.search.problem import Problem
from ohmnas.surrogate import metrics
from ohmnas.surrogate.further import from_differences, to_differences
from ohmnas.surrogate.model import SurrogateModel
from ohmnas.surrogate.shipped import load_surrogate
from ohmnas.surrogate.surrogate import Surrogate
from ohmnas.surrogate.training_set import FURTHER, TrainingSet
from ohmnas.targets import DEFAULTS, TARGETS

from .conftest import FAST, SCALES, SPACE, STD_FLOOR, edit, learning_set, truth

MONTH, SPREAD = "accuracy_1mo", "accuracy_1mo_std"
fractions = st.floats(0.0, 1.0)


def further_of(population: np.ndarray) -> dict[str, np.ndarray]:
    """A month's accuracy falls by the AVM, and its spread is twice the one after a day."""
    known = truth(population)
    return {MONTH: known["accuracy_1d"] - 0.7 * known["avm"], SPREAD: 2.0 * known["accuracy_1d_std"]}


@pytest.fixture(scope="module")
def data() -> TrainingSet:
    data = learning_set(150)
    return replace(data, others={name: (values, values) for name, values in further_of(data.population).items()})


@pytest.fixture(scope="module")
def model(data: TrainingSet) -> SurrogateModel:
    return Surrogate.learn(data, data.others, **FAST).model_


@given(fractions, fractions, fractions, st.sampled_from(FURTHER))
def test_differences_give_the_value_back(value: float, accuracy: float, std: float, name: str) -> None:
    target, defaults = TARGETS[name], np.array([[accuracy, std, 0.0]])
    there = to_differences(target, np.array([value]), defaults, SCALES)
    back = from_differences(target, there, defaults, SCALES)
    expected = max(value, STD_FLOOR) if target.scale == "log" else value
    assert back == pytest.approx([expected], rel=1e-9, abs=1e-9)


@given(fractions, st.floats(0.0, 1.0), st.floats(-50.0, 50.0), st.sampled_from(FURTHER))
def test_no_difference_leaves_the_range(accuracy: float, std: float, difference: float, name: str) -> None:
    target = TARGETS[name]
    (value,) = from_differences(target, np.array([difference]), np.array([[accuracy, std, 0.0]]), SCALES)
    assert target.low <= value <= target.high


def test_only_selected_targets_are_predicted(model: SurrogateModel, data: TrainingSet) -> None:
    assert model.targets == DEFAULTS
    plain, month = model.estimate(data.population), model.predicting([MONTH]).estimate(data.population)
    assert month.names == (*plain.names, MONTH)
    np.testing.assert_array_equal(month.values[:, :3], plain.values)
    both = model.predicting([MONTH]).predicting([SPREAD, MONTH, "avm"])
    assert both.estimate(data.population).names == (*plain.names, MONTH, SPREAD)
    assert model.predicting(["avm"]) is model


def test_formulas_are_recovered_on_new_architectures(model: SurrogateModel) -> None:
    population = SPACE.sample(200, np.random.default_rng(9), max_params=200_000)
    estimate = model.predicting([MONTH, SPREAD]).estimate(population)
    for name, values in further_of(population).items():
        assert metrics.kendall_tau(values, estimate[name]) > 0.75
    fall = estimate["accuracy_1d"] - estimate[MONTH]
    known = truth(population)
    assert np.abs(fall - 0.7 * known["avm"]).mean() < 0.01


def test_intervals_hold(data: TrainingSet) -> None:
    rng = np.random.default_rng(3)
    noisy = {name: values + 0.02 * rng.standard_normal(len(values)) for name, (values, _) in data.others.items()}
    model = Surrogate.learn(data, **FAST).fit(
        data.population, data.shrunk_labels(), further={MONTH: (noisy[MONTH], noisy[MONTH])}
    )
    population = SPACE.sample(300, rng, max_params=200_000)
    labels = further_of(population)[MONTH] + 0.02 * rng.standard_normal(300)
    chosen = model.model_.predicting([MONTH])
    estimate = chosen.estimate(population)
    low, high = chosen.quantile(estimate, 0.05), chosen.quantile(estimate, 0.95)
    assert (low[MONTH] <= estimate[MONTH]).all()
    assert (high[MONTH] >= estimate[MONTH]).all()
    assert ((low[MONTH] <= labels) & (labels <= high[MONTH])).mean() > 0.8


def test_a_file_keeps_them(model: SurrogateModel, data: TrainingSet, tmp_path: Path) -> None:
    again = load_surrogate(model.save(tmp_path / "s"))
    assert [one.target.name for one in again.further] == [MONTH, SPREAD]
    chosen = [one.predicting([SPREAD]) for one in (model, again)]
    first, second = (one.estimate(data.population) for one in chosen)
    np.testing.assert_array_equal(first.values, second.values)
    low = [one.quantile(one.estimate(data.population), 0.1).values for one in chosen]
    np.testing.assert_array_equal(low[0], low[1])


def test_a_file_with_an_unknown_target_is_refused(model: SurrogateModel, tmp_path: Path) -> None:
    path = model.save(tmp_path / "s")
    edit(path, lambda header: header["further"].update(accuracy_1y=[0.0, 0.0, 0.0, 1.0]))
    with pytest.raises(BrokenFileError, match="'accuracy_1y', which is not a target"):
        load_surrogate(path)


def test_a_problem_selects_what_it_needs(model: SurrogateModel) -> None:
    limited = Problem(SPACE, model, Limits(least={MONTH: 0.5}))
    assert [one.name for one in limited.estimator.targets] == [*(one.name for one in DEFAULTS), MONTH]
    front = Problem(SPACE, model, Limits(), pareto=(SPREAD, "params"))
    assert SPREAD in [one.name for one in front.estimator.targets]
    assert Problem(SPACE, model, Limits()).estimator is model


def test_a_target_that_was_not_learned_is_refused_by_name(model: SurrogateModel, data: TrainingSet) -> None:
    with pytest.raises(InvalidValueError, match=r"does not predict avm_std; it predicts accuracy_1d.*accuracy_1mo_std"):
        model.predicting(["avm_std"])
    with pytest.raises(InvalidValueError, match="avm_std was not measured"):
        Surrogate.learn(data, ["avm_std"])
    with pytest.raises(UnknownNameError, match="unknown target 'accuracy_1y'"):
        Surrogate.learn(data, ["accuracy_1y"])
