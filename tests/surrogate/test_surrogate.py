"""What a fitted surrogate promises, and scikit-learn's conventions."""

from __future__ import annotations

import itertools
from copy import copy
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from threadpoolctl import threadpool_limits

from ohmnas import threads
from ohmnas.errors import InvalidValueError
from ohmnas.spaces.hardware import HERMES, Hardware
from ohmnas.surrogate import surrogate as module
from ohmnas.surrogate.growing import USUAL
from ohmnas.surrogate.heads import TreeSettings
from ohmnas.surrogate.learning import FEWEST_ROWS, HEADS, LearningSet
from ohmnas.surrogate.metrics import kendall_tau, tau_scorer
from ohmnas.surrogate.surrogate import Surrogate
from ohmnas.surrogate.transfer import Start

from .conftest import CHIP, FAST, SPACE, STD_FLOOR, learning_set, table_of_designs


def test_every_head_recovers_its_formula_on_architectures_it_never_saw(surrogate: Surrogate) -> None:
    unseen = learning_set(100, seed=99)
    predicted = surrogate.forecast(unseen.population)
    for head in HEADS:
        assert kendall_tau(unseen.labels[head], getattr(predicted, head)) > 0.75, head
    assert np.abs(predicted.accuracy_1d - unseen.labels["accuracy_1d"]).mean() < 0.03
    assert np.abs(predicted.avm - unseen.labels["avm"]).mean() < 0.01


def test_predictions_are_within_what_the_heads_can_say(surrogate: Surrogate) -> None:
    predicted = surrogate.forecast(SPACE.sample_uniform(200, np.random.default_rng(3)))
    assert ((predicted.accuracy_1d >= 0) & (predicted.accuracy_1d <= 1)).all()
    assert ((predicted.accuracy_1d_std >= STD_FLOOR) & (predicted.accuracy_1d_std <= 1)).all()
    assert all(np.isfinite(getattr(predicted, head)).all() for head in HEADS)


def test_predicted_standard_deviation_is_never_below_the_floor(surrogate: Surrogate, data: LearningSet) -> None:
    free = surrogate.forecast(data.population).accuracy_1d_std
    floor = float(np.median(free))
    raised = copy(surrogate).set_params(std_floor=floor).forecast(data.population).accuracy_1d_std
    assert_allclose(raised, np.maximum(free, floor), rtol=1e-12)
    assert free.min() < floor <= raised.min()


def test_standard_deviations_below_the_floor_are_learned_as_the_floor() -> None:
    data = learning_set(30)
    data.labels["accuracy_1d_std"][:] = 0.0
    predicted = Surrogate.learn(data, **FAST).forecast(data.population)
    assert_allclose(predicted.accuracy_1d_std, STD_FLOOR, rtol=1e-6)


def test_prediction_of_a_row_does_not_depend_on_the_others(surrogate: Surrogate, data: LearningSet) -> None:
    together = surrogate.forecast(data.population)
    for row in (0, 17, 99):
        alone = surrogate.forecast(data.population[row : row + 1])
        for head in HEADS:
            assert getattr(alone, head)[0] == pytest.approx(getattr(together, head)[row], rel=1e-3, abs=1e-5)


def test_predicted_accuracies_keep_the_order_of_the_scores(surrogate: Surrogate) -> None:
    population = learning_set(100, seed=5).population
    order = np.argsort(surrogate.rank_scores(population))
    assert (np.diff(surrogate.forecast(population).accuracy_1d[order]) >= 0).all()


def test_the_process_of_spread_and_variation_sees_the_score(surrogate: Surrogate, data: LearningSet) -> None:
    alone = copy(surrogate)
    alone.shares_ = (0.0, 0.0)  # no trees
    moved = copy(alone)
    trees, process = alone.spreads_
    moved.spreads_ = (2.0 * trees, 2.0 * process)  # half the score, features as they are
    for head in HEADS[1:]:
        assert (getattr(alone.forecast(data.population), head) != getattr(moved.forecast(data.population), head)).any()


def test_trees_of_spread_and_variation_are_shallow_whatever_depth_the_ranker_has() -> None:
    deep = Surrogate.learn(learning_set(60, noise=0.02), **{**FAST, "depth": 5})
    ranker, regressors = deep.forests_
    assert len(ranker.levels) == 5
    assert len(regressors.levels) == module.SPREAD_DEPTH
    assert len(Surrogate.learn(learning_set(60), **{**FAST, "depth": 2}).forests_[1].levels) == 2


def test_same_data_and_seed_give_the_same_surrogate_and_another_seed_another() -> None:
    data = learning_set(40, noise=0.02)
    one, same, other = (
        Surrogate.learn(data, seed=seed, **FAST).forecast(data.population).accuracy_1d for seed in (1, 1, 2)
    )
    assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_calibration_is_learned_on_rows_that_the_ranker_did_not_see() -> None:
    """On labels that are noise, the ranker fits its own rows; a calibration on them would promise what nobody can."""
    data = learning_set(100)
    data.labels["accuracy_1d"][:] = np.random.default_rng(0).random(100)
    predicted = Surrogate.learn(data, **FAST).forecast(data.population).accuracy_1d
    assert np.std(predicted) < 0.6 * np.std(data.labels["accuracy_1d"])


def test_intervals_hold_what_they_say_on_architectures_that_nobody_saw() -> None:
    """Labels with noise of a known size; 20 sets of 60 unseen rows make the share accurate to about a point."""
    surrogate = Surrogate.learn(learning_set(200, noise=0.05), **FAST)
    unseen = learning_set(1200, seed=77, noise=0.05)
    predicted = surrogate.forecast(unseen.population)
    low, high = surrogate.quantile(predicted, 0.05), surrogate.quantile(predicted, 0.95)
    inside = (low.accuracy_1d <= unseen.labels["accuracy_1d"]) & (unseen.labels["accuracy_1d"] <= high.accuracy_1d)
    assert 0.83 < inside.mean() < 0.97
    below = unseen.labels["accuracy_1d"] <= surrogate.quantile(predicted, 0.8).accuracy_1d
    assert 0.72 < below.mean() < 0.88


def test_intervals_are_of_one_training_where_labels_are_means_of_several() -> None:
    """Means of five trainings are learned; a single one lies further off, and its interval must be wider."""
    rng = np.random.default_rng(0)
    data = learning_set(200)
    each = data.labels["accuracy_1d"][:, None] + 0.05 * rng.standard_normal((200, 5))
    data.labels["accuracy_1d"][:] = each.mean(axis=1)
    repeated = replace(data, first={**data.labels, "accuracy_1d": each[:, 0]})
    unseen = learning_set(600, seed=77, noise=0.05)
    widths, inside = [], []
    for rows in (data, repeated):
        surrogate = Surrogate.learn(rows, **FAST)
        predicted = surrogate.forecast(unseen.population)
        low, high = (surrogate.quantile(predicted, p).accuracy_1d for p in (0.05, 0.95))
        widths.append(float((high - low).mean()))
        inside.append(float(((low <= unseen.labels["accuracy_1d"]) & (unseen.labels["accuracy_1d"] <= high)).mean()))
    assert widths[1] > 1.2 * widths[0]
    assert inside[0] < 0.85 < inside[1] < 0.97


def test_spread_and_variation_stay_within_what_was_measured(surrogate: Surrogate, data: LearningSet) -> None:
    predicted = surrogate.forecast(SPACE.sample_uniform(500, np.random.default_rng(3)))
    for head in ("accuracy_1d_std", "avm"):
        low, high = data.labels[head].min(), data.labels[head].max()
        values = getattr(predicted, head)
        assert low - 1e-9 <= values.min() <= values.max() <= high + 1e-9


def test_quantiles_increase_and_stay_within_what_a_head_can_say(surrogate: Surrogate) -> None:
    predicted = surrogate.forecast(SPACE.sample_uniform(200, np.random.default_rng(3)))
    steps = [surrogate.quantile(predicted, probability) for probability in (0.01, 0.1, 0.5, 0.9, 0.99)]
    for one, next_ in itertools.pairwise(steps):
        assert all((getattr(one, head) <= getattr(next_, head)).all() for head in HEADS)
    for step in (steps[0], steps[-1]):
        assert ((step.accuracy_1d >= 0) & (step.accuracy_1d <= 1)).all()
        assert (step.accuracy_1d_std >= STD_FLOOR).all()


def test_it_is_a_regressor_of_scikit_learn(data: LearningSet) -> None:
    surrogate = Surrogate(SPACE, CHIP, std_floor=STD_FLOOR, **FAST)
    assert clone(surrogate).get_params() == surrogate.get_params()
    with pytest.raises(NotFittedError):
        surrogate.predict(data.population)
    fitted = clone(surrogate).set_params(margin=0.2).fit(data.population, data.matrix())
    assert fitted.margin == 0.2
    predicted = fitted.predict(data.population)
    assert predicted.shape == (len(data.population), len(HEADS))
    assert_array_equal(predicted[:, 2], fitted.forecast(data.population).avm)
    assert fitted.score(data.population, data.matrix()) == kendall_tau(
        data.labels["accuracy_1d"], fitted.rank_scores(data.population)
    )


def test_it_stands_in_pipelines_and_grid_searches(data: LearningSet) -> None:
    architectures = SPACE.decode(data.population)
    pipeline = make_pipeline(FunctionTransformer(SPACE.encode), Surrogate(SPACE, CHIP, **FAST))
    pipeline.fit(architectures, data.matrix())
    alone = Surrogate(SPACE, CHIP, **FAST).fit(data.population, data.matrix())
    assert_array_equal(pipeline.predict(architectures), alone.predict(data.population))
    search = GridSearchCV(Surrogate(SPACE, CHIP, **FAST), {"margin": [0.05, 0.2]}, scoring=tau_scorer("avm"), cv=3)
    search.fit(data.population, data.matrix())
    assert search.best_params_["margin"] in {0.05, 0.2}
    assert search.best_score_ > 0.5


def test_a_scorer_is_tau_of_its_head(data: LearningSet) -> None:
    estimator = Surrogate(SPACE, CHIP, **FAST)
    scores = cross_val_score(estimator, data.population, data.matrix(), scoring=tau_scorer(), cv=3)
    assert_allclose(scores, cross_val_score(estimator, data.population, data.matrix(), cv=3))
    with pytest.raises(InvalidValueError, match="head"):
        tau_scorer("accuracy")


def test_the_chip_may_be_a_hardware_or_its_description(data: LearningSet) -> None:
    one, other = (Surrogate(SPACE, chip, **FAST).fit(data.population, data.matrix()) for chip in (Hardware(), CHIP))
    assert_array_equal(one.predict(data.population), other.predict(data.population))
    assert one.hardware_ == CHIP


def test_what_cannot_be_learned_is_refused(data: LearningSet) -> None:
    with pytest.raises(InvalidValueError, match="space"):
        Surrogate().fit(data.population, data.matrix())
    blank = Surrogate(SPACE, **FAST)
    with pytest.raises(InvalidValueError, match=r"y has shape \(100, 2\)"):
        blank.fit(data.population, data.matrix()[:, :2])
    with pytest.raises(InvalidValueError, match="finite"):
        blank.fit(data.population, np.full((100, 3), np.nan))
    with pytest.raises(InvalidValueError, match="fractions"):
        blank.fit(data.population, 100 * data.matrix())
    few = FEWEST_ROWS - 1
    with pytest.raises(InvalidValueError, match=f"{few} architectures are too few"):
        blank.fit(data.population[:few], data.matrix()[:few])
    with pytest.raises(InvalidValueError, match="out of its range"):
        blank.fit(data.population * 100, data.matrix())
    with pytest.raises(InvalidValueError, match="std_floor is 0"):
        Surrogate(SPACE, std_floor=0).fit(data.population, data.matrix())


def test_genomes_may_come_as_a_list_and_wrong_ones_are_refused_when_asked(
    surrogate: Surrogate, data: LearningSet
) -> None:
    assert_array_equal(surrogate.predict(data.population[:3].tolist()), surrogate.predict(data.population[:3]))
    for wrong in (np.full((1, 28), 7), data.population[:2, :5]):
        with pytest.raises(InvalidValueError):
            surrogate.predict(wrong)


def test_a_start_makes_few_rows_worth_more() -> None:
    """Another chip has the same order of architectures at other accuracies; ten new rows alone say little."""
    known, unseen = learning_set(200), learning_set(200, seed=9)
    start = Start.fit([known])
    few = learning_set(12, seed=4)
    alone = Surrogate.learn(few, **FAST)
    helped = clone(alone).set_params(hardware=HERMES, start=start).fit(few.population, few.matrix())
    features = helped.features(unseen.population)
    assert_array_equal(helped.forecast_features(features)[0], helped.rank_scores(unseen.population))
    for head in ("accuracy_1d", "avm"):
        taus = [kendall_tau(unseen.labels[head], getattr(s.forecast(unseen.population), head)) for s in (alone, helped)]
        assert taus[1] > taus[0] + 0.1, head


@pytest.mark.parametrize(("stops", "trees"), [(True, USUAL), (False, USUAL + 20)])
def test_few_networks_cannot_tell_where_to_stop(stops: bool, trees: int) -> None:
    few = Surrogate.learn(learning_set(30), rounds=USUAL + 20, early_stopping=stops, depth=2)
    assert few.trees_ == (trees, trees, trees)


def test_a_start_says_nothing_of_designs() -> None:
    designs = LearningSet.of_designs(table_of_designs(20))
    start = Start.fit([learning_set(30)], TreeSettings(rounds=5))
    with pytest.raises(InvalidValueError, match="says nothing of designs"):
        Surrogate.learn(designs, start=start)


def test_forecasts_do_not_depend_on_threads(monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    surrogate = Surrogate.learn(learning_set(), **FAST)
    population = SPACE.sample_uniform(300, rng)
    monkeypatch.setattr(module, "_AT_ONCE", 40)
    found = []
    for workers in (1, 2, 5):
        monkeypatch.setattr(threads, "cpu_count", lambda workers=workers: workers)
        with threadpool_limits(workers, user_api="blas"):
            found.append(surrogate.predict(population))
    assert_array_equal(found[0], found[1])
    assert_array_equal(found[0], found[2])
    assert surrogate.predict(population[:0]).shape == (0, 3)
