"""The record of a chip: ranges and settings."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.hardware import (
    HERMES,
    PRESETS,
    Hardware,
)
from ohmnas.hardware.settings import BATCH_NORMS, LARGEST_NOISE, RANGES

NUMERIC = [field.name for field in fields(Hardware) if field.name not in ("name", "technology")]
ABOVE_ZERO = ["g_max", "adc_bound"]
WHOLE = ["tile_rows", "tile_columns"]
FROM_ZERO = ["output_noise", "programming_noise", "read_noise", "drift", "training_noise", "clip_sigma"]
BITS = ["dac_bits", "adc_bits"]


def with_setting(name: str, value: object) -> Hardware:
    values: dict[str, Any] = {name: value}
    return Hardware(**values)


def test_every_number_of_a_chip_has_a_rule_here() -> None:
    assert sorted(NUMERIC) == sorted([*ABOVE_ZERO, *WHOLE, *FROM_ZERO, *BITS, "drift_compensation", "batch_norm"])


@pytest.mark.parametrize("name", ABOVE_ZERO)
@pytest.mark.parametrize("value", [0, -1, math.nan])
def test_sizes_must_be_above_zero(name: str, value: float) -> None:
    with pytest.raises(InvalidValueError, match=rf"{name} must be above 0( and whole)?, not {value}"):
        with_setting(name, value)


@pytest.mark.parametrize("name", [*ABOVE_ZERO, *FROM_ZERO])
def test_infinite_values_are_too_large(name: str) -> None:
    with pytest.raises(
        InvalidValueError, match=rf"{name}( of pcm)? must be (at most )?[0-9.eE+]+( to [0-9.eE+]+)?.* not inf"
    ):
        with_setting(name, math.inf)


@pytest.mark.parametrize("name", FROM_ZERO)
@pytest.mark.parametrize("value", [-0.1, math.nan])
def test_noises_must_not_be_negative(name: str, value: float) -> None:
    with pytest.raises(InvalidValueError, match=rf"{name} must be at least 0, not {value}"):
        with_setting(name, value)
    assert getattr(with_setting(name, 0.0), name) == 0.0


@pytest.mark.parametrize("name", BITS)
def test_bits_are_none_or_two_to_sixteen(name: str) -> None:
    for bits in (0, *range(2, 17)):
        assert getattr(with_setting(name, bits), name) == bits
    for bits in (-2, -1, 1, 17, 32):
        with pytest.raises(InvalidValueError, match=rf"{name} must be .* not {bits}"):
            with_setting(name, bits)
    with pytest.raises(InvalidValueError, match=rf"{name} .* not 7\.5"):
        with_setting(name, 7.5)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("name", BITS)
def test_bits_that_are_not_a_number_are_one_sentence(name: str, value: float) -> None:
    with pytest.raises(InvalidValueError, match=name):
        with_setting(name, value)


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("value", [0, -1, 0.5, 511.5, math.nan, math.inf])
def test_tiles_have_whole_rows_and_columns(name: str, value: float) -> None:
    with pytest.raises(InvalidValueError, match=rf"{name} must be .*whole.*, not {value}"):
        with_setting(name, value)
    assert getattr(with_setting(name, 1), name) == 1


@given(st.sampled_from(ABOVE_ZERO + FROM_ZERO), st.floats() | st.integers(-(10**9), 10**9))
@settings(max_examples=200)
def test_any_number_is_a_chip_or_an_error_that_names_the_setting(name: str, value: float) -> None:
    low, high = RANGES.get(name, (0, LARGEST_NOISE))
    if low <= value <= high:
        assert with_setting(name, value).settings()[f"hw_{name}"] == float(value)
    else:
        with pytest.raises(InvalidValueError, match=name):
            with_setting(name, value)


def test_settings_are_all_numbers_of_the_chip_in_order() -> None:
    chip = Hardware(drift_compensation=False, tile_rows=256)
    settings_ = chip.settings()
    assert list(settings_) == [f"hw_{name}" for name in NUMERIC]
    assert all(type(value) is float for value in settings_.values())
    numbers = {name: getattr(chip, name) for name in NUMERIC} | {"batch_norm": 0}
    assert settings_ == {f"hw_{name}": float(value) for name, value in numbers.items()}
    assert Hardware(batch_norm="adaptive").settings()["hw_batch_norm"] == 1.0
    assert (settings_["hw_tile_rows"], settings_["hw_drift_compensation"]) == (256.0, 0.0)


@pytest.mark.parametrize("name", NUMERIC)
def test_changing_a_number_changes_its_setting_and_no_other(name: str) -> None:
    chip = Hardware()
    named: dict[str, Any] = {"drift_compensation": False, "batch_norm": "adaptive"}
    changes = {name: named[name] if name in named else 2 * getattr(chip, name)}
    changed = replace(chip, **changes).settings()
    assert {key for key, value in changed.items() if value != chip.settings()[key]} == {f"hw_{name}"}


def test_chips_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Hardware().g_max = 1.0  # type: ignore[misc]


def test_a_batch_norm_is_one_of_the_known() -> None:
    with pytest.raises(UnknownNameError, match="unknown batch norm 'adabs': choose trained, adaptive"):
        Hardware(batch_norm="adabs")


@given(
    st.builds(
        replace,
        st.sampled_from([*PRESETS.values()]),
        tile_rows=st.integers(1, 4096),
        tile_columns=st.integers(1, 4096),
        dac_bits=st.sampled_from([0, *range(2, 17)]),
        adc_bits=st.sampled_from([0, *range(2, 17)]),
        adc_bound=st.floats(0.1, 100),
        drift=st.floats(0, 2),
        drift_compensation=st.booleans(),
        batch_norm=st.sampled_from(BATCH_NORMS),
    )
)
def test_a_chip_follows_from_its_technology_and_its_settings(chip: Hardware) -> None:
    again = Hardware.of_settings(chip.technology, chip.settings(), chip.name)
    assert again == chip
    assert [type(getattr(again, name)) for name in NUMERIC] == [type(getattr(chip, name)) for name in NUMERIC]
    assert Hardware.of_settings(chip.technology, chip.settings()) == replace(chip, name="")


def test_missing_settings_are_those_of_pcm() -> None:
    assert Hardware.of_settings("pcm", {"hw_adc_bits": 6.0}, "mine") == Hardware(name="mine", adc_bits=6)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("g_max", 25.0),
        ("hw_batch_norm", 2.0),
        ("hw_batch_norm", 0.5),
        ("tile_rows", 0.0),
        ("adc_bits", 17.0),
        ("output_noise", -1.0),
        ("read_noise", math.nan),
        ("tile_columns", 256.5),
        ("dac_bits", 7.5),
        ("dac_bits", math.nan),
        ("adc_bits", math.inf),
    ],
)
def test_settings_of_no_chip_are_refused(name: str, value: float) -> None:
    with pytest.raises(InvalidValueError, match=name):
        Hardware.of_settings("hermes", HERMES.settings() | {f"hw_{name}": value})


def test_settings_of_an_unknown_technology_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown technology 'rram'"):
        Hardware.of_settings("rram", HERMES.settings())


@pytest.mark.parametrize("setting", ["hw_drift_compensation", "hw_batch_norm"])
def test_a_number_that_is_no_choice_is_refused(setting: str) -> None:
    settings = Hardware().settings()
    with pytest.raises(InvalidValueError, match=f"{setting} is 2, which is not valid"):
        Hardware.of_settings("pcm", {**settings, setting: 2.0})
