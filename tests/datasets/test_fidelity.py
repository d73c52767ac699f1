from __future__ import annotations

import pytest

from ohmnas.datasets.fidelity import FIDELITIES, fidelity
from ohmnas.errors import UnknownNameError


def test_efforts_grow_with_their_name() -> None:
    smoke, low, paper = (fidelity(name) for name in ("smoke", "low", "paper"))
    assert smoke.epochs < low.epochs < paper.epochs
    assert smoke.chips < low.chips < paper.chips == 25
    assert all(one.chips >= 2 for one in FIDELITIES.values())


def test_an_unknown_fidelity_names_those_that_exist() -> None:
    with pytest.raises(UnknownNameError, match="smoke, low, paper"):
        fidelity("high")
