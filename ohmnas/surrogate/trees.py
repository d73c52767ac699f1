"""`Trees`: a boosted ensemble of regression trees as plain arrays."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.errors import InvalidValueError

LEAF: Final = -1
"""Value of `Trees.splits` for a leaf."""
LARGEST_PREDICTION: Final = 1e6
"""Largest sum of the largest leaves of all trees: far above any score or label, far below the float32 limit."""
DEEPEST_TREE: Final = 1000
"""Largest depth of a tree; `Surrogate` grows no deeper trees."""


@dataclass(frozen=True, slots=True)
class Trees:
    """Nodes of t trees, tree by tree, each in level order from its root.

    The order makes child arrays unnecessary: the k-th split of a tree (k from 0) has the nodes 2k + 1 and 2k + 2 of
    this tree as children. Every node but the root thus has one parent; the order of the parents is checked.
    """

    sizes: npt.NDArray[np.int32]
    """``(t,)``: number of nodes of each tree."""
    splits: npt.NDArray[np.int16]
    """``(m,)``: feature of a split, or `LEAF`."""
    numbers: npt.NDArray[np.float32]
    """``(m,)``: threshold of a split, or value of a leaf. A row goes to the second child if its feature is at least the
    threshold."""
    base: float
    """Initial value of the sum over the trees."""

    def __post_init__(self) -> None:
        """Check that the arrays describe trees.

        Raises:
            InvalidValueError: shapes do not match, a number is not finite, a split comes after its children, a tree is
                too deep, or the leaves add up to more than `LARGEST_PREDICTION`.
        """
        sizes, leaf = self.sizes.astype(np.int64), self.splits == LEAF
        if self.splits.shape != self.numbers.shape or (sizes < 1).any() or sizes.sum() != len(self.splits):
            raise InvalidValueError("the sizes of the trees do not add up to their nodes")
        if (self.splits < LEAF).any() or not np.isfinite(self.numbers).all():
            raise InvalidValueError("a node has a negative feature or a number that is not finite")
        if not len(sizes):
            reach = 0.0
        else:
            starts = self.starts
            splits_of = np.add.reduceat((~leaf).astype(np.int64), starts)
            if (2 * splits_of + 1 != sizes).any():
                raise InvalidValueError("a tree must have one more leaf than splits")
            place = np.arange(len(leaf)) - np.repeat(starts, sizes)
            if (self.first_children() <= place)[~leaf].any():
                raise InvalidValueError("a node of a tree comes before its parent")
            reach = float(np.maximum.reduceat(np.where(leaf, np.abs(self.numbers), 0.0), starts).sum(dtype=np.float64))
        if not (math.isfinite(self.base) and abs(self.base) + reach <= LARGEST_PREDICTION):
            raise InvalidValueError(
                f"predictions must be at most {LARGEST_PREDICTION:g}, but the base is {self.base:g} and the leaves "
                f"of the trees add up to {reach:g}"
            )
        if self.depth() > DEEPEST_TREE:
            raise InvalidValueError(f"a tree has more than {DEEPEST_TREE} levels of splits")

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        """``(t,)``: index of each tree's root."""
        starts: npt.NDArray[np.int64] = np.cumsum(self.sizes, dtype=np.int64) - self.sizes
        return starts

    def first_children(self) -> npt.NDArray[np.int64]:
        """``(m,)``: first child of each split, relative to the root; the second follows. Leaves have no valid value."""
        is_split = (self.splits != LEAF).astype(np.int64)
        before = np.cumsum(is_split) - is_split
        first: npt.NDArray[np.int64] = 2 * (before - np.repeat(before[self.starts], self.sizes)) + 1
        return first

    def depth(self) -> int:
        """Depth of the deepest tree; `DEEPEST_TREE` + 1 for any depth above `DEEPEST_TREE`."""
        first = np.repeat(self.starts, self.sizes) + self.first_children() if len(self.sizes) else np.empty(0, np.int64)
        level = self.starts
        for depth in range(DEEPEST_TREE + 1):
            level = level[self.splits[level] != LEAF]
            if not len(level):
                return depth
            level = np.concatenate([first[level], first[level] + 1])
        return DEEPEST_TREE + 1
