"""Scores of a table: held-out quality and the ceiling of its noise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ohmnas.datasets.tables.table import MeasuredTable
from ohmnas.errors import InvalidValueError
from ohmnas.spaces.resnet.genes import GENE_NAMES
from ohmnas.surrogate import metrics
from ohmnas.surrogate.score import FEWEST_REPEATS, FEWEST_SCORED, TargetScore, repeated, score
from ohmnas.targets import DEFAULT_NAMES

from .conftest import SPACE, table

N = 40
POPULATION = SPACE.sample(N, np.random.default_rng(0), max_params=50_000)
NOISE = 0.05


@pytest.fixture(scope="module")
def twice() -> MeasuredTable:
    """Every architecture with two seeds."""
    return table(POPULATION, seeds=(1, 0), noise=NOISE)


@pytest.fixture(scope="module")
def scores(twice: MeasuredTable) -> dict[str, TargetScore]:
    rows, found = score(twice, rounds=1)
    assert rows == N
    return found


def test_every_head_is_scored_within_the_range_of_its_metrics(scores: dict[str, TargetScore]) -> None:
    assert set(scores) == set(DEFAULT_NAMES)
    for found in scores.values():
        assert found.kendall_tau is not None
        assert found.spearman is not None
        assert found.precision_at_10 is not None
        assert -1 <= found.kendall_tau[0] <= 1
        assert -1 <= found.spearman[0] <= 1
        assert 0 <= found.precision_at_10[0] <= 1
        assert found.coverage is not None
        assert 0.5 < found.coverage[0] <= 1
        assert min(found.kendall_tau[1], found.spearman[1], found.precision_at_10[1]) >= 0


def test_labels_that_are_a_formula_of_genes_are_learned(scores: dict[str, TargetScore]) -> None:
    tau = {target: found.kendall_tau[0] for target, found in scores.items() if found.kendall_tau is not None}
    assert tau["avm"] > 0.5
    assert tau["accuracy_1d_std"] > 0.5
    assert tau["accuracy_1d"] > 0.2


def test_ceiling_is_that_of_the_two_measurements(twice: MeasuredTable, scores: dict[str, TargetScore]) -> None:
    accuracy = twice.frame["accuracy_1d"].to_numpy()
    assert scores["accuracy_1d"].ceiling == pytest.approx(metrics.noise_ceiling(accuracy[:N], accuracy[N:]))
    assert all(found.repeats == N for found in scores.values())
    assert scores["avm"].ceiling == pytest.approx(1.0)  # no noise on it
    low, high = scores["accuracy_1d"].ceiling_interval or (0.0, 0.0)
    assert 0.3 < low < (scores["accuracy_1d"].ceiling or 0.0) < high < 1.0


def test_no_ceiling_is_stated_where_too_few_were_measured_twice() -> None:
    few = FEWEST_REPEATS - 1
    again = table(POPULATION[:few], seeds=(1,))
    once = table(POPULATION)
    both = MeasuredTable(pd.concat([once.frame, again.frame], ignore_index=True), once.card, "synthetic")
    rows, found = score(both, rounds=1)
    assert rows == N
    assert all(
        (target.ceiling, target.ceiling_interval, target.repeats) == (None, None, few) for target in found.values()
    )


def test_labels_that_are_all_equal_have_neither_scores_nor_a_ceiling() -> None:
    ideal = table(POPULATION, seeds=(0, 1), noise=NOISE, accuracy_1d_std=0.0, avm=0.0)
    found = score(ideal, rounds=1)[1]
    assert found["accuracy_1d"].kendall_tau is not None
    for target in ("accuracy_1d_std", "avm"):
        assert found[target] == TargetScore(None, None, None, (1.0, 0.0), None, None, repeats=N)


def test_tables_that_folds_make_too_small_are_refused_by_their_own_count() -> None:
    few = FEWEST_SCORED - 1
    with pytest.raises(InvalidValueError, match=f"{few} measured architectures; a score needs {FEWEST_SCORED}"):
        score(table(POPULATION[:few]), rounds=1)
    assert score(table(POPULATION[:FEWEST_SCORED]), rounds=1)[0] == FEWEST_SCORED


def test_repeats_are_side_by_side_in_the_order_of_their_seeds(twice: MeasuredTable) -> None:
    pairs = repeated(twice, "pcm", "paper")
    assert len(pairs) == N
    frame = twice.frame.set_index([*GENE_NAMES, "seed"])
    for row, genome in enumerate(pairs[list(GENE_NAMES)].to_numpy()):
        key = tuple(genome.tolist())
        assert pairs["accuracy_1d_first"].iloc[row] == frame.loc[(*key, 0), "accuracy_1d"]
        assert pairs["accuracy_1d_second"].iloc[row] == frame.loc[(*key, 1), "accuracy_1d"]


def test_measurements_of_other_chips_and_fidelities_do_not_count_as_repeats() -> None:
    one, other = table(POPULATION), table(POPULATION, seeds=(1,), fidelity="short")
    both = MeasuredTable(pd.concat([one.frame, other.frame], ignore_index=True), one.card, "synthetic")
    assert len(repeated(both, "pcm", "paper")) == len(repeated(both, "pcm", "short")) == 0
    with pytest.raises(InvalidValueError, match="no measured rows of hardware 'ideal'"):
        repeated(table(POPULATION, seeds=(0, 1)), "ideal", "paper")


def test_third_measurements_change_neither_the_pairs_nor_their_number(twice: MeasuredTable) -> None:
    third = table(POPULATION, seeds=(7,), accuracy_1d=0.1)
    more = MeasuredTable(pd.concat([third.frame, twice.frame], ignore_index=True), twice.card, "synthetic")
    pd.testing.assert_frame_equal(repeated(more, "pcm", "paper"), repeated(twice, "pcm", "paper"))
