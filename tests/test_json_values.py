from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from ohmnas import json_values
from ohmnas.errors import BrokenFileError

ODD: tuple[object, ...] = (None, True, "x", "", 1, 1.5, -1, float("nan"), 10**400, [], {}, [1])


@pytest.mark.parametrize(
    ("check", "good"),
    [
        (json_values.text, ("x", "")),
        (json_values.name, ("x",)),
        (json_values.whole, (1,)),
        (json_values.number, (1, 1.5, -1)),
        (json_values.mapping, ({},)),
        (json_values.sequence, ([], [1])),
        (json_values.plain, (None, True, "x", "", 1, 1.5, -1)),
    ],
)
def test_a_value_of_another_kind_is_named(check: Callable[[object, str], object], good: tuple[object, ...]) -> None:
    for value in ODD:
        if any(type(value) is type(one) and value == one for one in good):
            assert check(value, "thing") == value
            continue
        with pytest.raises(BrokenFileError, match=r"^its thing is ") as raised:
            check(value, "thing")
        assert len(str(raised.value)) < 200


def test_values_of_numpy_become_those_of_json() -> None:
    values = {"a": np.int64(1), "b": [np.float32(0.5), (np.bool_(True),)], "c": np.arange(2), "d": "x"}
    assert json.loads(json.dumps(json_values.as_json(values))) == {"a": 1, "b": [0.5, [True]], "c": [0, 1], "d": "x"}
