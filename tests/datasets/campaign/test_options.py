from __future__ import annotations

import pytest

from ohmnas.datasets.campaign.options import BACKENDS, CHOOSERS, DEVICES, ENGINE_NAMES, PLANS
from ohmnas.lookup import name_fault


@pytest.mark.parametrize("names", [BACKENDS, CHOOSERS, DEVICES, ENGINE_NAMES, PLANS])
def test_options_are_different_plain_names(names: tuple[str, ...]) -> None:
    assert len({*names}) == len(names)
    assert not any(map(name_fault, names))
