from __future__ import annotations

from typing import Any

import pytest

from ohmnas.errors import OhmnasError
from ohmnas.oneshot.gradient.settings import Settings


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"method": "gradas"}, "unknown method 'gradas'"),
        ({"remedy": "hope"}, "unknown remedy 'hope'"),
        ({"epochs": 0}, "epochs must be at least 1, not 0"),
        ({"settle": -1}, "settle must be at least 0, not -1"),
        ({"images": 100}, "use at least 256"),
        ({"reach": 0.0}, "reach must be a number above 0, not 0.0"),
        ({"hinge": -1.0}, "hinge must be a number, 0 or more, not -1.0"),
        ({"warmup": 1.0}, "warmup must be at least 0 and below 1, not 1.0"),
        ({"weights": {"accuracy_1d": 1.0}}, "unknown cost 'accuracy_1d'"),
        ({"weights": {"energy": 0.0}}, "the weight of energy must be a number above 0, not 0.0"),
    ],
)
def test_a_wrong_value_is_one_sentence(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(OhmnasError) as error:
        Settings(**wrong)
    assert message in str(error.value)
