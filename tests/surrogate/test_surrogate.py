"""Fits as a whole, and scikit-learn's conventions."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.hardware import HERMES, Hardware
from ohmnas.surrogate.fit.early_stopping import DEFAULT_TREES
from ohmnas.surrogate.fit.learners import TreeSettings
from ohmnas.surrogate.fit.stages import SPREAD_DEPTH
from ohmnas.surrogate.fit.transfer import fit_source
from ohmnas.surrogate.metrics import kendall_tau, tau_scorer
from ohmnas.surrogate.model import SurrogateModel
from ohmnas.surrogate.surrogate import Surrogate
from ohmnas.surrogate.training_set import FEWEST_ROWS, TrainingSet
from ohmnas.targets import DEFAULT_NAMES

from .conftest import CHIP, FAST, SPACE, STD_FLOOR, learned, learning_set, table_of_designs


def test_trees_of_spread_and_variation_are_shallow_for_any_depth_of_the_ranker() -> None:
    ranker, regressors = learned(learning_set(60, noise=0.02), depth=5).forests
    assert len(ranker.levels) == 5
    assert len(regressors.levels) == SPREAD_DEPTH
    assert len(learned(learning_set(60), depth=2).forests[1].levels) == 2


def test_same_data_and_seed_give_the_same_surrogate_and_another_seed_another() -> None:
    data = learning_set(40, noise=0.02)
    one, same, other = (
        Surrogate.learn(data, seed=seed, **FAST).estimate(data.population)["accuracy_1d"] for seed in (1, 1, 2)
    )
    assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_calibration_is_learned_on_rows_that_the_ranker_did_not_see() -> None:
    """On labels that are noise, the ranker fits its own rows; a calibration on them would promise what nobody can."""
    data = learning_set(100)
    data.labels["accuracy_1d"][:] = np.random.default_rng(0).random(100)
    predicted = Surrogate.learn(data, **FAST).estimate(data.population)["accuracy_1d"]
    assert np.std(predicted) < 0.6 * np.std(data.labels["accuracy_1d"])


def test_intervals_are_of_one_training_where_labels_are_means_of_several() -> None:
    """Means of five training runs are learned; a single one lies further off, and its interval must be wider."""
    rng = np.random.default_rng(0)
    data = learning_set(200)
    each = data.labels["accuracy_1d"][:, None] + 0.05 * rng.standard_normal((200, 5))
    data.labels["accuracy_1d"][:] = each.mean(axis=1)
    repeated = replace(data, first={**data.labels, "accuracy_1d": each[:, 0]})
    unseen = learning_set(600, seed=77, noise=0.05)
    widths, inside = [], []
    for rows in (data, repeated):
        surrogate = Surrogate.learn(rows, **FAST)
        predicted = surrogate.estimate(unseen.population)
        low, high = (surrogate.quantile(predicted, p)["accuracy_1d"] for p in (0.05, 0.95))
        widths.append(float((high - low).mean()))
        inside.append(float(((low <= unseen.labels["accuracy_1d"]) & (unseen.labels["accuracy_1d"] <= high)).mean()))
    assert widths[1] > 1.2 * widths[0]
    assert inside[0] < 0.85 < inside[1] < 0.97


def test_quantiles_increase_and_stay_within_the_range_of_a_target(surrogate: SurrogateModel) -> None:
    predicted = surrogate.estimate(SPACE.sample_uniform(200, np.random.default_rng(3)))
    steps = [surrogate.quantile(predicted, probability) for probability in (0.01, 0.1, 0.5, 0.9, 0.99)]
    for one, next_ in itertools.pairwise(steps):
        assert all((one[target] <= next_[target]).all() for target in DEFAULT_NAMES)
    for step in (steps[0], steps[-1]):
        assert ((step["accuracy_1d"] >= 0) & (step["accuracy_1d"] <= 1)).all()
        assert (step["accuracy_1d_std"] >= STD_FLOOR).all()


def test_it_is_a_regressor_of_scikit_learn(data: TrainingSet) -> None:
    surrogate = Surrogate(SPACE, CHIP, std_floor=STD_FLOOR, **FAST)
    assert clone(surrogate).get_params() == surrogate.get_params()
    with pytest.raises(NotFittedError):
        surrogate.predict(data.population)
    fitted = clone(surrogate).set_params(margin=0.2).fit(data.population, data.matrix())
    assert fitted.margin == 0.2
    predicted = fitted.predict(data.population)
    assert predicted.shape == (len(data.population), len(DEFAULT_NAMES))
    assert_array_equal(predicted[:, 2], fitted.estimate(data.population)["avm"])
    assert fitted.score(data.population, data.matrix()) == kendall_tau(
        data.labels["accuracy_1d"], fitted.rank_scores(data.population)
    )


def test_it_works_in_pipelines_and_grid_searches(data: TrainingSet) -> None:
    architectures = SPACE.decode(data.population)
    pipeline = make_pipeline(FunctionTransformer(SPACE.encode), Surrogate(SPACE, CHIP, **FAST))
    pipeline.fit(architectures, data.matrix())
    alone = Surrogate(SPACE, CHIP, **FAST).fit(data.population, data.matrix())
    assert_array_equal(pipeline.predict(architectures), alone.predict(data.population))
    search = GridSearchCV(Surrogate(SPACE, CHIP, **FAST), {"margin": [0.05, 0.2]}, scoring=tau_scorer("avm"), cv=3)
    search.fit(data.population, data.matrix())
    assert search.best_params_["margin"] in {0.05, 0.2}
    assert search.best_score_ > 0.5


def test_a_scorer_is_tau_of_its_target(data: TrainingSet) -> None:
    estimator = Surrogate(SPACE, CHIP, **FAST)
    scores = cross_val_score(estimator, data.population, data.matrix(), scoring=tau_scorer(), cv=3)
    assert_allclose(scores, cross_val_score(estimator, data.population, data.matrix(), cv=3))
    with pytest.raises(InvalidValueError, match="cannot score the target 'accuracy'"):
        tau_scorer("accuracy")


def test_the_chip_may_be_a_hardware_or_its_description(data: TrainingSet) -> None:
    one, other = (Surrogate(SPACE, chip, **FAST).fit(data.population, data.matrix()) for chip in (Hardware(), CHIP))
    assert_array_equal(one.predict(data.population), other.predict(data.population))
    assert one.hardware_ == CHIP


def test_invalid_training_data_is_refused(data: TrainingSet) -> None:
    with pytest.raises(InvalidValueError, match="space"):
        Surrogate().fit(data.population, data.matrix())
    blank = Surrogate(SPACE, **FAST)
    with pytest.raises(InvalidValueError, match=r"its shape is \(100, 2\)"):
        blank.fit(data.population, data.matrix()[:, :2])
    with pytest.raises(InvalidValueError, match="finite"):
        blank.fit(data.population, np.full((100, 3), np.nan))
    with pytest.raises(InvalidValueError, match="fractions"):
        blank.fit(data.population, 100 * data.matrix())
    few = FEWEST_ROWS - 1
    with pytest.raises(InvalidValueError, match=f"{few} architectures are too few"):
        blank.fit(data.population[:few], data.matrix()[:few])
    with pytest.raises(InvalidValueError, match="out of range"):
        blank.fit(data.population * 100, data.matrix())
    with pytest.raises(InvalidValueError, match="std_floor is 0"):
        Surrogate(SPACE, std_floor=0).fit(data.population, data.matrix())
    for wrong in ({"rounds": 20.5}, {"depth": "4"}, {"seed": 1.5}, {"margin": None}):
        (name,) = wrong
        with pytest.raises(InvalidValueError, match=f"{name} is .*; it must be a"):
            Surrogate(SPACE, **{**FAST, **wrong}).fit(data.population, data.matrix())
    for variation, message in (
        ("nonsense", "unknown target"),
        ("accuracy_1d", "the variation is accuracy_1d, but must"),
    ):
        with pytest.raises((InvalidValueError, UnknownNameError), match=message):
            Surrogate(SPACE, variation=variation, **FAST).fit(data.population, data.matrix())
    for labels in (np.full(100, np.nan), np.zeros(99)):
        with pytest.raises(InvalidValueError, match="the labels of accuracy_1mo must be 100 finite numbers"):
            blank.fit(data.population, data.matrix(), further={"accuracy_1mo": (labels, labels)})


def test_a_source_model_makes_few_rows_worth_more() -> None:
    """Another chip has the same order of architectures at other accuracies; ten new rows alone say little."""
    known, unseen = learning_set(200), learning_set(200, seed=9)
    source = fit_source([known])
    few = learning_set(12, seed=4)
    learned_from = {genome.tobytes() for genome in few.population}
    unseen = unseen.take(np.array([row for row, g in enumerate(unseen.population) if g.tobytes() not in learned_from]))
    alone = Surrogate.learn(few, **FAST)
    helped = clone(alone).set_params(hardware=HERMES, source=source).fit(few.population, few.matrix())
    features = helped.model_.features(unseen.population)
    assert_array_equal(helped.model_.forecast_features(features)[0], helped.rank_scores(unseen.population))
    for target in ("accuracy_1d", "avm"):
        taus = [kendall_tau(unseen.labels[target], s.estimate(unseen.population)[target]) for s in (alone, helped)]
        assert taus[1] > taus[0] + 0.1, target


@pytest.mark.parametrize(("stops", "trees"), [(True, DEFAULT_TREES), (False, DEFAULT_TREES + 20)])
def test_few_networks_cannot_tell_where_to_stop(stops: bool, trees: int) -> None:
    few = Surrogate.learn(learning_set(30), rounds=DEFAULT_TREES + 20, early_stopping=stops, depth=2).model_
    assert [len(one.sizes) for one in (few.ranker, *few.spread_trees)] == [trees] * 3


def test_a_source_model_predicts_no_designs() -> None:
    designs = TrainingSet.of_designs(table_of_designs(20))
    source = fit_source([learning_set(30)], TreeSettings(rounds=5))
    with pytest.raises(InvalidValueError, match="cannot be used for co-design"):
        Surrogate.learn(designs, source=source)
