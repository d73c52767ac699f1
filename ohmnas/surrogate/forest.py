"""What boosted trees say of many rows at once, to the bit what XGBoost says, in half of its time.

XGBoost follows each row down each tree. A search asks about a hundred rows, which is too few to hide what each step
waits for. Here a tree takes a whole population down: a split is a string of bits, one for each row that goes right, and
all trees that have the same split share it. Level by level the bits of a row choose among those of the level below, 64
rows a machine word; in the end they are the number of its leaf. That is bit-slicing (E. Biham, *A Fast New DES
Implementation in Software*, 1997), as QuickScorer (C. Lucchese et al., SIGIR 2015) brought it to ranking, with rows in
place of leaves.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import xgboost as xgb

from ohmnas.errors import InvalidValueError
from ohmnas.surrogate.features import Features

DEEPEST: Final = 8
"""Levels of splits. A level has twice as many as the one above, whether a tree needs them or not: in deeper trees a row
rather takes its own path."""
_WORD: Final = 64
"""Bits that a processor combines at a time."""
_AT_ONCE: Final = 512
"""Rows whose bits stay near the processor."""

Single = npt.NDArray[np.float32]
Indices = npt.NDArray[np.intp]
Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Paths:
    """Nodes of all trees in one row, for rows that each take their own path; children are places in it."""

    roots: Indices
    """``(t,)``."""
    left: Indices
    """``(m,)``: the child on this side; of a leaf, the leaf itself."""
    right: Indices
    """``(m,)``, likewise."""
    features: Indices
    """``(m,)``: what a node splits by."""
    numbers: Single
    """``(m,)``: threshold of a split, or value of a leaf."""

    @classmethod
    def of(cls, trees: list[Tree]) -> Self:
        """Put the nodes of the trees one after the other."""
        sizes = [len(tree["left_children"]) for tree in trees]
        roots = np.cumsum([0, *sizes[:-1]], dtype=np.intp)
        first = np.repeat(roots, sizes)
        itself = np.arange(sum(sizes), dtype=np.intp)

        def joined(name: str) -> Indices:
            return np.concatenate([np.array(tree[name], dtype=np.intp) for tree in trees])

        left, right = joined("left_children"), joined("right_children")
        leaf = left == -1
        return cls(
            roots,
            np.where(leaf, itself, left + first),
            np.where(leaf, itself, right + first),
            joined("split_indices"),
            np.concatenate([np.array(tree["split_conditions"], dtype=np.float32) for tree in trees]),
        )

    def values(self, rows: Single) -> Single:
        """``(n, f)`` -> ``(t, n)``: value of the leaf of each tree that each row comes to; of a single row ``(t, 2)``.

        NumPy would add up a single column in another order, which rounds otherwise.
        """
        rows = np.repeat(rows, 2, axis=0) if len(rows) == 1 else rows
        at = np.repeat(self.roots[:, None], len(rows), axis=1)
        row = np.arange(len(rows))[None, :]
        while True:
            goes_right = rows[row, self.features[at]] >= self.numbers[at]
            below = np.where(goes_right, self.right[at], self.left[at])
            if np.array_equal(below, at):
                values: Single = self.numbers[at]
                return values
            at = below


@dataclass(frozen=True, slots=True)
class Forest:
    """The trees of some models of the same features, whose sums are as many outputs."""

    features: int
    """That rows have."""
    split_features: Indices
    """``(s,)``: of each different split, increasing."""
    thresholds: Single
    """``(s, 1)``: a row goes right where its feature is this or more."""
    levels: tuple[Indices, ...]
    """``(2 ** d, t)`` for each level d: the split of each node of each tree, from left to right."""
    leaves: Single
    """``(t * 2 ** len(levels),)``: value of each leaf, tree by tree; one that ends early fills all places below it."""
    ends: tuple[int, ...]
    """For each output, how many trees there are up to its last."""
    bases: tuple[float, ...]
    """What each sum begins with."""
    deep: Paths | None = None
    """The trees instead, where some are deeper than `DEEPEST`."""

    @classmethod
    def of(cls, models: Iterable[xgb.Booster | str]) -> Self:
        """Take over the trees of regressors.

        Args:
            models: boosters, or what `model_text` says of them. Texts are read here and never by XGBoost: versions
                differ in what they read in a file of another one.
        """
        texts = [model if isinstance(model, str) else model_text(model) for model in models]
        learners = [json.loads(text)["learner"] for text in texts]
        features = int(learners[0]["learner_model_param"]["num_feature"])
        several: list[list[Tree]] = [learner["gradient_booster"]["model"]["trees"] for learner in learners]
        bases = [float(learner["learner_model_param"]["base_score"].strip("[]")) for learner in learners]
        trees = [tree for own in several for tree in own]
        ends = tuple(np.cumsum([len(own) for own in several]).tolist())
        depth = max((_depth(tree) for tree in trees), default=0) or 1
        if depth > DEEPEST:
            nothing = np.empty(0, dtype=np.float32)
            return cls(features, np.empty(0, np.intp), nothing, (), nothing, ends, tuple(bases), Paths.of(trees))
        placed = [[*_places(tree)] for tree in trees]
        found = {split for tree in placed for _, _, split, _ in tree if split is not None} or {(0, math.inf)}
        number = {split: index for index, split in enumerate(sorted(found))}
        levels = [np.zeros((1 << level, len(trees)), dtype=np.intp) for level in range(depth)]
        leaves = np.zeros((len(trees), 1 << depth), dtype=np.float32)
        for column, tree in enumerate(placed):
            for level, place, split, value in tree:
                if split is None:
                    below = depth - level
                    leaves[column, place << below : (place + 1) << below] = value
                else:
                    levels[level][place, column] = number[split]
        return cls(
            features,
            np.array([feature for feature, _ in number], dtype=np.intp),
            np.array([[threshold] for _, threshold in number], dtype=np.float32),
            tuple(levels),
            leaves.ravel(),
            ends,
            tuple(bases),
        )

    def predict(self, rows: Features) -> Single:
        """``(n, f)`` -> ``(n, k)``: what the trees of each output add up to. Features are numbers, none is missing.

        Raises:
            InvalidValueError: the rows have other features.
        """
        if rows.ndim != 2 or rows.shape[1] != self.features:
            raise InvalidValueError(f"rows have {self.features} features, not shape {rows.shape}")
        said = np.empty((len(rows), len(self.bases)), dtype=np.float32)
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            if self.deep is None:
                values = self.leaves.take(self._reached(some))
            else:
                values = self.deep.values(np.asarray(some, dtype=np.float32))
            for column, (begin, end) in enumerate(zip((0, *self.ends), self.ends, strict=False)):
                # tree after tree, as XGBoost does: another order would round otherwise
                total = np.add.reduce(values[begin:end], axis=0, initial=np.float32(self.bases[column]))
                said[start : start + _AT_ONCE, column] = total[: len(some)]
        return said

    def _reached(self, rows: Features) -> Indices:
        """``(t, m)``: which leaf of each tree each row comes to; rows are filled up to whole words."""
        columns = np.ascontiguousarray(rows.T, dtype=np.float32)
        right = np.zeros((len(self.thresholds), _WORD * math.ceil(len(rows) / _WORD)), dtype=bool)
        np.greater_equal(columns[self.split_features], self.thresholds, out=right[:, : len(rows)])
        bits = np.packbits(right, axis=1).view(np.uint64)
        turns: list[npt.NDArray[np.uint64]] = []
        for splits in self.levels:
            ways = bits[splits]
            for turn in reversed(turns):  # of two neighbours, the one on the side to which a row turned
                left = ways[0::2]
                ways = left ^ ((left ^ ways[1::2]) & turn)
            turns.append(ways[0])
        steps = np.unpackbits(np.stack(turns).view(np.uint8), axis=-1)
        leaf = steps[0]
        for step in steps[1:]:
            leaf <<= 1
            leaf |= step
        first = np.arange(len(leaf), dtype=np.intp)[:, None] << len(self.levels)
        reached: Indices = leaf + first
        return reached


def model_text(booster: xgb.Booster) -> str:
    """A booster as XGBoost writes it: JSON."""
    return str(booster.save_raw("json").decode())


def _depth(tree: Tree) -> int:
    """Levels of its splits."""
    depth, level = 0, [0]
    while level := [
        child
        for node in level
        if tree["left_children"][node] != -1
        for child in (tree["left_children"][node], tree["right_children"][node])
    ]:
        depth += 1
    return depth


def _places(tree: Tree) -> Iterator[tuple[int, int, tuple[int, float] | None, float]]:
    """Level, place from the left, and what is there: feature and threshold of a split, or the value of a leaf."""
    left, right = tree["left_children"], tree["right_children"]
    waiting = [(0, 0, 0)]
    while waiting:
        node, level, place = waiting.pop()
        number = float(np.float32(tree["split_conditions"][node]))
        if left[node] == -1:
            yield level, place, None, number
        else:
            yield level, place, (int(tree["split_indices"][node]), number), 0.0
            waiting += [(left[node], level + 1, 2 * place), (right[node], level + 1, 2 * place + 1)]
