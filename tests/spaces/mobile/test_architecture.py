from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ohmnas.errors import InvalidValueError
from ohmnas.spaces.mobile import MobileArchitecture, MobileStage

STAGE = MobileStage(2, 4, 5, 24, 2)
NETWORK = MobileArchitecture(6, 16, 3, 2, 2, (STAGE, MobileStage(1, 0, 3, 32, 1)))


def test_a_network_is_one_line() -> None:
    assert str(NETWORK) == "6/8 stem 16@3x3/2 | 2x[e4 k5 24]/2 | [sep k3 32], head x2, depth 11"


@pytest.mark.parametrize(
    ("field", "value"), [("depth", 7), ("expansion", 5), ("kernel", 4), ("width", 9), ("stride", 3), ("depth", True)]
)
def test_values_that_a_stage_has_not_are_refused_with_those_that_it_has(field: str, value: int) -> None:
    with pytest.raises(InvalidValueError, match=f"{field} must be one of .*, not {value}"):
        replace(STAGE, **{field: value})


@pytest.mark.parametrize(("field", "value"), [("resolution", 3), ("stem_channels", 9), ("head", 3), ("stages", ())])
def test_values_that_a_network_has_not_are_refused(field: str, value: Any) -> None:
    changed: dict[str, Any] = {field: value}
    with pytest.raises(InvalidValueError, match=r"must (be one of|have 1 to 7 stages)"):
        replace(NETWORK, **changed)


@pytest.mark.parametrize("values", [{}, {"stages": [{}]}, {**NETWORK.to_dict(), "more": 1}, {"stages": 3}])
def test_an_object_that_is_not_a_network_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(InvalidValueError, match="this is not an architecture"):
        MobileArchitecture.from_dict(values)


def test_only_inverted_residuals_of_one_shape_add_their_input() -> None:
    assert [STAGE.adds_input(block, 24) for block in (0, 1)] == [False, True]
    assert replace(STAGE, stride=1).adds_input(0, 24)
    assert not replace(STAGE, stride=1).adds_input(0, 16)
    assert not replace(STAGE, expansion=0).adds_input(1, 24)
