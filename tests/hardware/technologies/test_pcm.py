from __future__ import annotations

from ohmnas.hardware.technologies.pcm import TECHNOLOGY


def test_its_numbers_are_those_that_tables_and_surrogates_were_made_with() -> None:
    errors = {"device_spread_1d": 0.053, "device_spread_1mo": 0.061, "device_offset_1d": 0.0}
    assert (errors, dict(TECHNOLOGY.settings)) == (TECHNOLOGY.device_errors, {})
