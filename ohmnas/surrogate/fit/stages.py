"""Stages of a fit, in order, with the reason for each.

All models are trained on the training rows of each of five folds and on all rows. Each row is predicted by the fold
models that were not fitted to it. Later stages, calibration and intervals are fitted to these held-out predictions,
which behave like predictions for new networks. The models trained on all rows form the surrogate.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from ohmnas.spaces.space import Space
from ohmnas.surrogate.calibration import Calibration
from ohmnas.surrogate.features import Features, feature_groups
from ohmnas.surrogate.fit.calibration import fit_calibration
from ohmnas.surrogate.fit.early_stopping import DEFAULT_TREES, FEWEST_TO_STOP, Growing, grown_on
from ohmnas.surrogate.fit.folds import Rows, networks_of
from ohmnas.surrogate.fit.learners import TreeSettings, ranker, regressor, trees_of
from ohmnas.surrogate.fit.mixture import share, spread
from ohmnas.surrogate.fit.process import MOST_ROWS, SPREAD_ROWS, fitted_on
from ohmnas.surrogate.fit.transfer import fit_line, line_shares
from ohmnas.surrogate.further import FurtherTarget, from_differences, to_differences, to_scale
from ohmnas.surrogate.intervals import Residuals
from ohmnas.surrogate.mixture import Mixture
from ohmnas.surrogate.model import with_score
from ohmnas.surrogate.process import GaussianProcess
from ohmnas.surrogate.scales import Scales, Values
from ohmnas.surrogate.transfer import Line
from ohmnas.surrogate.trees import Trees
from ohmnas.targets import Target

SPREAD_DEPTH: Final = 3
"""Largest depth of the trees for standard deviation and AVM: the score explains most, and shallow trees are faster."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Space, settings of all trees, and folds."""

    space: Space
    trees: TreeSettings
    margin: float
    emphasis: float
    early_stopping: bool
    seed: int
    folds: Sequence[tuple[Rows, Rows]]
    """Training rows and test rows of each fold."""

    @classmethod
    def of(
        cls,
        population: npt.NDArray[np.int16],
        space: Space,
        folds: Sequence[tuple[Rows, Rows]],
        trees: TreeSettings,
        margin: float,
        emphasis: float,
        early_stopping: bool,
        seed: int,
    ) -> Recipe:
        """Return the recipe for a population; small populations use no early stopping."""
        enough = len(np.unique(networks_of(population, len(space.networks.genes)))) >= FEWEST_TO_STOP
        if early_stopping and not enough:
            trees = replace(trees, rounds=min(trees.rounds, DEFAULT_TREES))
        return cls(space, trees, margin, emphasis, early_stopping and enough, seed, folds)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Ranking of the accuracies."""

    trees: Trees
    process: GaussianProcess
    spreads: tuple[float, float]
    scores: Values
    """``(n,)``: held-out scores."""


@dataclass(frozen=True, slots=True)
class Spreads:
    """Models of standard deviation and AVM."""

    trees: tuple[Trees, Trees]
    process: GaussianProcess
    mixture: Mixture
    predicted: Values
    """``(n, 2)``: held-out predictions, on the targets' scales (`scales`)."""


def rank(features: Features, accuracy: Values, recipe: Recipe) -> Ranking:
    """Stage 1: rank the rows by accuracy.

    A search needs the order of accuracies more than their values, and values are noisy. The trees therefore learn pairs
    and the process learns ranks. Both scores are divided by their standard deviation, so they have equal weight.

    Args:
        features: ``(n, f)``.
        accuracy: ``(n,)``.
        recipe: settings and folds.
    """

    def grow(rows: Rows | slice) -> Growing:
        settings = recipe.trees
        return ranker(features[rows], accuracy[rows], recipe.margin, settings, recipe.seed, recipe.emphasis)

    trees, ranked = _grown(grow, features, accuracy, recipe)
    ranks = rankdata(accuracy)[:, None] / len(accuracy)
    process, expected = fitted_on(recipe.folds, features, ranks, _groups(features, recipe, 0), MOST_ROWS, recipe.seed)
    spreads = spread(ranked), spread(expected[:, 0])
    scores = ranked / spreads[0] + expected[:, 0] / spreads[1]
    return Ranking(trees, process, spreads, scores)


def calibrate(scores: Values, accuracy: Values, recipe: Recipe) -> tuple[Calibration, Values]:
    """Stage 2: map scores to accuracies.

    The map is fitted to held-out scores, because scores of training rows are too optimistic. Held-out accuracies use
    the maps of the other folds, for the same reason.

    Args:
        scores: ``(n,)``, held out.
        accuracy: ``(n,)``.
        recipe: the folds.

    Returns:
        The map fitted to all rows, and ``(n,)`` held-out accuracies.
    """
    held_out = np.empty_like(accuracy)
    for train, test in recipe.folds:
        held_out[test] = fit_calibration(scores[train], accuracy[train])(scores[test])
    return fit_calibration(scores, accuracy), held_out


def spread_and_variation(features: Features, ranking: Ranking, labels: Values, recipe: Recipe) -> Spreads:
    """Stage 3: predict the standard deviation and the AVM, which depend on the accuracy.

    Both are small near chance and near perfection. Trees and process therefore also use the score; training uses the
    held-out score, which behaves like the score of a new network.

    Args:
        features: ``(n, f)``.
        ranking: result of stage 1.
        labels: ``(n, 2)``: labels, on the targets' scales.
        recipe: settings and folds.
    """
    informed = with_score(features, ranking.scores)
    process, expected = fitted_on(
        recipe.folds, informed, labels, _groups(informed, recipe, 1), SPREAD_ROWS, recipe.seed
    )
    shallow = replace(recipe.trees, depth=min(recipe.trees.depth, SPREAD_DEPTH))
    means = labels.mean(axis=0)
    ensembles, held_out = [], np.empty_like(labels)
    for column, centred in enumerate((labels - means).T):

        def grow(rows: Rows | slice, centred: Values = centred) -> Growing:
            return regressor(informed[rows], centred[rows], shallow, recipe.seed)

        trees, predicted = _grown(grow, informed, centred, recipe)
        ensembles.append(trees)
        held_out[:, column] = predicted + means[column]
    shares = [share(*columns) for columns in zip(labels.T, held_out.T, expected.T, strict=True)]
    mixture = Mixture(
        ranking.spreads, _pair(shares), _pair(means), _pair(labels.min(axis=0)), _pair(labels.max(axis=0))
    )
    return Spreads((ensembles[0], ensembles[1]), process, mixture, mixture.labels(held_out, expected))


def follow_source(source: Features, held_out: Values, targets: Values, recipe: Recipe) -> tuple[Line, Values]:
    """Stage 4, only with a source model: use its predictions while there are few rows.

    With few rows, a linear model on the predictions of the source model is better than trees. The weight for each
    target is chosen on held-out rows: a source model often predicts spread and AVM better than accuracy.

    Args:
        source: ``(n, 3)``: predictions of the source model.
        held_out: ``(n, 3)``: held-out predictions of the previous stages, on the targets' scales.
        targets: ``(n, 3)``: labels, on the targets' scales.
        recipe: the folds.

    Returns:
        The line fitted to all rows, and ``(n, 3)`` held-out predictions with the lines of the folds.
    """
    lines = np.empty_like(held_out)
    for train, test in recipe.folds:
        lines[test] = fit_line(source[train], targets[train]).of(source[test])
    line = fit_line(source, targets)
    trees = line.ranked(held_out)
    line = replace(line, shares=line_shares(line.ranked(targets), lines, trees))
    return line, line.values(line.shares * lines + (1.0 - line.shares) * trees)


def intervals(held_out: Values, targets: Values, scales: Scales) -> tuple[Residuals, ...]:
    """Stage 5: fit the distribution of residuals of held-out predictions, for intervals.

    Args:
        held_out: ``(n, 3)``: held-out predictions, on the targets' scales.
        targets: ``(n, 3)``: labels of one training run each, on the targets' scales.
        scales: scales of the targets.

    Returns:
        The residuals of each target, along the predicted accuracy.
    """
    predicted = scales.bounded(held_out)
    return tuple(Residuals.fit(predicted[:, 0], column) for column in (targets - predicted).T)


def further_target(
    target: Target,
    features: Features,
    ranking: Ranking,
    labels: tuple[Values, Values, Values],
    held_out: Values,
    scales: Scales,
    recipe: Recipe,
) -> FurtherTarget:
    """Stage 6, for each further target: predict its difference from a default target (`further`).

    Args:
        target: the target.
        features: ``(n, f)``.
        ranking: result of stage 1.
        labels: ``(n,)`` labels of the target, ``(n,)`` labels of one training run each, and ``(n, 3)`` labels of the
            default targets, all as fractions.
        held_out: ``(n, 3)``: held-out default targets, as fractions.
        scales: scales of the targets.
        recipe: settings and folds.
    """
    values, single, defaults = labels
    informed = with_score(features, ranking.scores)
    shallow = replace(recipe.trees, depth=min(recipe.trees.depth, SPREAD_DEPTH))
    differences = to_differences(target, values, defaults, scales)
    mean, lowest, highest = (float(of(differences)) for of in (np.mean, np.min, np.max))

    def grow(rows: Rows | slice) -> Growing:
        return regressor(informed[rows], differences[rows] - mean, shallow, recipe.seed)

    trees, predicted = _grown(grow, informed, differences - mean, recipe)
    moved = np.clip(predicted + mean, lowest, highest)
    expected = from_differences(target, moved, held_out, scales)
    floor = scales.std_floor
    errors = to_scale(target, single, floor) - to_scale(target, expected, floor)
    return FurtherTarget(target, trees, mean, lowest, highest, Residuals.fit(held_out[:, 0], errors))


def weigh_known(held_out: Values, accuracy: Values, noise: float | None) -> Values:
    """Stage 7: predict the training rows, whose labels are known but noisy.

    The final models are fitted to these labels. With the calibration for new networks, the best measured networks on
    CIFAR-10 were predicted 2 points too high, so a search starting from them compared new networks with inflated
    values. Held-out predictions alone would be too low, because they ignore the label. The best estimate of the
    accuracy in a second training run is the mean of the label and the held-out prediction, weighted by their inverse
    variances (empirical Bayes: Efron and Morris, 1973).

    Args:
        held_out: ``(n,)``: held-out predictions.
        accuracy: ``(n,)``: labels.
        noise: variance of the labels between training runs of a network; if None, labels and predictions count equally.

    Returns:
        ``(n,)``: accuracies, comparable with predictions for new networks.
    """
    distance = float(np.square(accuracy - held_out).mean())
    share = 0.5
    if noise is not None:
        share = float(np.clip(1.0 - noise / distance, 0.0, 1.0)) if distance > 0.0 else 0.0
    return share * accuracy + (1.0 - share) * held_out


def _groups(features: Features, recipe: Recipe, stacked: int) -> Rows:
    return feature_groups(recipe.space, features.shape[1], stacked)


def _grown(
    grow: Callable[[Rows | slice], Growing], features: Features, labels: Values, recipe: Recipe
) -> tuple[Trees, Values]:
    """Trees fitted to all rows, with their number chosen on the folds, and ``(n,)`` held-out predictions."""
    rounds, held_out = grown_on(recipe.folds, grow, features, labels, recipe.trees.rounds, recipe.early_stopping)
    return trees_of(grow(slice(None)).grow(rounds)), held_out


def _pair(values: Sequence[float] | Values) -> tuple[float, float]:
    first, second = values
    return float(first), float(second)
