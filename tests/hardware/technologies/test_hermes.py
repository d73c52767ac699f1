from __future__ import annotations

from ohmnas.hardware.technologies.hermes import TECHNOLOGY


def test_its_numbers_are_those_that_tables_and_surrogates_were_made_with() -> None:
    errors = {"device_spread_1d": 0.068, "device_spread_1mo": 0.091, "device_offset_1d": 0.0}
    settings = {"g_max": 20.7, "tile_rows": 256, "tile_columns": 256}
    assert (errors, dict(TECHNOLOGY.settings)) == (TECHNOLOGY.device_errors, settings)
