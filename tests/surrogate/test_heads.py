"""The targets that a surrogate learns."""

from __future__ import annotations

from ohmnas.surrogate.heads import HEADS
from ohmnas.targets import DEFAULTS, TARGETS


def test_heads_are_the_default_targets_in_their_order() -> None:
    assert HEADS == ("accuracy_1d", "accuracy_1d_std", "avm")
    assert tuple(TARGETS[head] for head in HEADS) == DEFAULTS
