"""The pairwise hinge loss against its definition, by finite differences and by bounds that convexity implies."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from ohmnas.surrogate.fit import hinge
from ohmnas.surrogate.fit.hinge import BLOCK, MOST_ROWS, HingeObjective, pairwise_hinge

Vector = npt.NDArray[np.float64]
N = 7

grid = 2.0**-10
"""Of scores and margins: sums and differences on it are exact, and so is the kink of a pair."""

vectors = arrays(np.float64, N, elements=st.integers(-2048, 2048).map(lambda i: i * grid))
labels = arrays(np.float64, N, elements=st.integers(0, 4).map(float))
"""Few values, so that many pairs are ties, which do not count."""
margins = st.integers(51, 1024).map(lambda i: i * grid)


def gradient_and_curvature(scores: Vector, labels: Vector, margin: float) -> tuple[Vector, Vector]:
    return HingeObjective(labels, margin, np.float64)(scores)


def shortfalls(scores: Vector, labels: Vector, margin: float) -> list[tuple[int, int, float]]:
    """Better row, worse row, z of each pair whose labels differ."""
    rows = range(len(scores))
    return [(i, j, margin - (scores[i] - scores[j])) for i in rows for j in rows if labels[i] > labels[j]]


@given(vectors, labels, margins)
@settings(max_examples=100)
def test_loss_is_its_definition(scores: Vector, labels: Vector, margin: float) -> None:
    expected = sum(max(0.0, z) for _, _, z in shortfalls(scores, labels, margin)) / N
    assert_allclose(pairwise_hinge(scores, labels, margin), expected, atol=1e-12)


@given(vectors, labels, margins)
@settings(max_examples=100)
def test_gradient_is_that_of_the_loss_by_finite_differences(scores: Vector, labels: Vector, margin: float) -> None:
    step = 1e-4
    assume(all(abs(z) > 3 * step for _, _, z in shortfalls(scores, labels, margin)))  # no kink on the way
    gradient, _ = gradient_and_curvature(scores, labels, margin)
    for row, direction in enumerate(np.eye(N) * step):
        above = pairwise_hinge(scores + direction, labels, margin)
        below = pairwise_hinge(scores - direction, labels, margin)
        assert_allclose(gradient[row], (above - below) / (2 * step), atol=1e-8)


@given(vectors, vectors, labels, margins)
@settings(max_examples=100)
def test_gradient_is_a_subgradient_everywhere(scores: Vector, others: Vector, labels: Vector, margin: float) -> None:
    """The loss is convex, so its tangent never lies above it; on kinks as well."""
    gradient, _ = gradient_and_curvature(scores, labels, margin)
    tangent = pairwise_hinge(scores, labels, margin) + gradient @ (others - scores)
    assert pairwise_hinge(others, labels, margin) >= tangent - 1e-9


@given(vectors, labels, margins)
@settings(max_examples=100)
def test_curvature_is_its_definition(scores: Vector, labels: Vector, margin: float) -> None:
    _, curvature = gradient_and_curvature(scores, labels, margin)
    expected = np.zeros(N)
    for better, worse, z in shortfalls(scores, labels, margin):
        if z > 0:
            expected[[better, worse]] += 1 / max(abs(z), margin) / N
    assert_allclose(curvature, expected, atol=1e-12)


@given(vectors, vectors, labels, margins)
@settings(max_examples=100)
def test_quadratic_lies_above_the_loss(scores: Vector, step: Vector, labels: Vector, margin: float) -> None:
    """Where every pair is in the wrong order, so that none is inactive or floored at the margin."""
    scores = np.sort(scores)[np.argsort(np.argsort(-labels, kind="stable"))]
    gradient, curvature = gradient_and_curvature(scores, labels, margin)
    quadratic = pairwise_hinge(scores, labels, margin) + gradient @ step + curvature @ step**2 / 2
    assert pairwise_hinge(scores + step, labels, margin) <= quadratic + 1e-9


@given(vectors, labels, margins, st.floats(-5, 5))
@settings(max_examples=50)
def test_only_differences_of_scores_count(scores: Vector, labels: Vector, margin: float, shift: float) -> None:
    assume(all(abs(z) > 1e-9 for _, _, z in shortfalls(scores, labels, margin)))
    gradient, curvature = gradient_and_curvature(scores, labels, margin)
    moved, bent = gradient_and_curvature(scores + shift, labels, margin)
    assert_allclose(pairwise_hinge(scores + shift, labels, margin), pairwise_hinge(scores, labels, margin), atol=1e-9)
    assert_allclose(moved, gradient, atol=1e-9)
    assert_allclose(bent, curvature, rtol=1e-6)
    assert_allclose(gradient.sum(), 0.0, atol=1e-12)


@given(labels, margins)
@settings(max_examples=50)
def test_scores_in_order_by_more_than_the_margin_have_no_loss_and_no_pull(labels: Vector, margin: float) -> None:
    scores = 1.01 * margin * labels
    gradient, curvature = gradient_and_curvature(scores, labels, margin)
    assert pairwise_hinge(scores, labels, margin) == 0.0
    assert not gradient.any()
    assert not curvature.any()


@given(vectors, labels, margins)
@settings(max_examples=50)
def test_small_step_against_the_gradient_lowers_the_loss(scores: Vector, labels: Vector, margin: float) -> None:
    gradient, _ = gradient_and_curvature(scores, labels, margin)
    gaps = [z for _, _, z in shortfalls(scores, labels, margin)]
    assume(all(abs(z) > 1e-3 for z in gaps))
    before = pairwise_hinge(scores, labels, margin)
    after = pairwise_hinge(scores - 1e-4 * gradient, labels, margin)
    assert_allclose(after, before - 1e-4 * gradient @ gradient, atol=1e-9)


def test_ties_and_single_rows_have_no_pairs() -> None:
    for count in (1, 5):
        scores, same = np.arange(count, dtype=np.float64), np.ones(count)
        gradient, curvature = gradient_and_curvature(scores, same, 0.1)
        assert pairwise_hinge(scores, same, 0.1) == 0.0
        assert not gradient.any()
        assert not curvature.any()


def test_many_rows_meet_in_blocks_as_few_do_at_once() -> None:
    """Against all pairs at once, with ties within and across blocks, in both precisions."""
    generator = np.random.default_rng(0)
    n, margin = 3 * BLOCK + 5, 0.1
    scores, ties = generator.normal(scale=0.2, size=n), generator.integers(0, 40, n).astype(float)
    z = margin - (scores[:, None] - scores[None, :])
    active = (ties[:, None] > ties[None, :]) & (z > 0)
    weight = np.where(active, 1 / np.maximum(np.abs(z), margin), 0.0)
    expected = (active.sum(axis=0) - active.sum(axis=1)) / n, (weight.sum(axis=0) + weight.sum(axis=1)) / n
    for precision, tolerance in ((np.float64, 1e-12), (np.float32, 1e-3)):
        for found, exact in zip(HingeObjective(ties, margin, precision)(scores), expected, strict=True):
            assert_allclose(found, exact, rtol=tolerance, atol=0.02 if precision is np.float32 else 1e-12)


def test_too_many_pairs_are_sampled_without_bias(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mean over calls approaches what all pairs give, with ties; the same seed draws the same pairs."""
    generator = np.random.default_rng(0)
    n, calls = 200, 400
    scores, ties = generator.normal(scale=0.2, size=n), generator.integers(0, 40, n).astype(float)
    exact = HingeObjective(ties, 0.1, np.float64)(scores)
    monkeypatch.setattr(hinge, "MOST_ROWS", 100)
    monkeypatch.setattr(hinge, "PARTNERS", 3)
    sampled = HingeObjective(ties, 0.1, np.float64)
    found = np.array([sampled(scores) for _ in range(calls)])
    error = found.std(axis=0, ddof=1) / np.sqrt(calls)
    for mean, truth, spread in zip(found.mean(axis=0), exact, error, strict=True):
        z = (mean - truth) / spread
        assert abs(z.mean()) < 0.5
        assert 0.7 < z.std() < 1.3
    again = HingeObjective(ties, 0.1, np.float64)
    np.testing.assert_array_equal(found[0], again(scores))
    np.testing.assert_array_equal(found[1], again(scores))


def test_if_each_row_meets_all_others_the_sample_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(1)
    scores, ties = generator.normal(scale=0.2, size=65), generator.integers(0, 9, 65).astype(float)
    exact = HingeObjective(ties, 0.1, np.float64)(scores)
    monkeypatch.setattr(hinge, "MOST_ROWS", 10)
    monkeypatch.setattr(hinge, "PARTNERS", 64 / np.log2(65))
    for found, truth in zip(HingeObjective(ties, 0.1, np.float64)(scores), exact, strict=True):
        assert_allclose(found, truth, atol=1e-12)


@pytest.mark.parametrize("n", [60, MOST_ROWS + 100])
def test_emphasis_is_on_pairs_whose_better_row_is_among_the_best(n: int) -> None:
    rng = np.random.default_rng(3)
    labels, scores = rng.permutation(n).astype(np.float64), np.zeros(n)
    plain, _ = HingeObjective(labels, 0.1)(scores)
    pulled, curvature = HingeObjective(labels, 0.1, emphasis=2.0)(scores)
    best, middle = labels >= 0.9 * n, (labels > 0.4 * n) & (labels < 0.6 * n)
    assert (pulled[best] < plain[best]).all()  # pulled up harder
    assert np.abs(pulled[middle]).mean() > 0
    assert pulled.sum() == pytest.approx(0.0, abs=1e-2)  # each pair pulls both ways alike
    assert (curvature > 0).all()


def test_emphasis_counts_each_pair_by_its_better_row() -> None:
    labels = np.array([0.3, 0.1, 0.2, 0.2, 0.5])
    scores = np.array([0.0, 0.02, 0.05, 0.0, -0.01])
    margin, emphasis = 0.1, 1.5
    not_worse = (labels[:, None] >= labels[None, :]).mean(axis=1) ** emphasis
    better = labels[:, None] > labels[None, :]
    weight = not_worse / (not_worse[:, None] * better).sum() * better.sum()
    active = better & (margin - (scores[:, None] - scores[None, :]) > 0)
    pull = active * weight[:, None]
    expected = (pull.sum(axis=0) - pull.sum(axis=1)) / len(labels)
    assert np.allclose(HingeObjective(labels, margin, np.float64, emphasis=emphasis)(scores)[0], expected)


def test_no_emphasis_is_the_plain_loss() -> None:
    labels, scores = np.arange(20.0), np.random.default_rng(0).standard_normal(20)
    one, same = (HingeObjective(labels, 0.1, emphasis=e)(scores) for e in (0.0, 1e-12))
    assert np.allclose(one, same, atol=1e-5)
