from __future__ import annotations

import pytest

from ohmnas.hardware import RERAM, Hardware
from ohmnas.hardware.technologies.reram import TECHNOLOGY


def test_its_numbers_are_those_that_tables_and_surrogates_were_made_with() -> None:
    errors = {"device_spread_1d": 0.023, "device_spread_1mo": 0.027, "device_offset_1d": -0.025}
    assert (errors, dict(TECHNOLOGY.settings)) == (TECHNOLOGY.device_errors, {"g_max": 88.2})


def test_the_smallest_conductance_is_that_of_the_device_model() -> None:
    device = pytest.importorskip("ohmnas.analog.device")
    assert device.noise_model(RERAM).g_converter.g_min == TECHNOLOGY.smallest_conductance
    device.noise_model(Hardware(technology="reram", g_max=TECHNOLOGY.smallest_conductance + 0.1))
