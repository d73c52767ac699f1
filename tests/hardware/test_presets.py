from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.hardware import (
    IDEAL,
    PRESETS,
    Hardware,
    hardware,
    is_varied,
    kind_of,
    varied,
)

NOISES_AND_BITS = ("output_noise", "programming_noise", "read_noise", "drift", "training_noise", "dac_bits", "adc_bits")


def test_presets_are_found_by_their_own_names() -> None:
    assert all(hardware(name) is chip and chip.name == name for name, chip in PRESETS.items())
    assert hardware("pcm") == Hardware()


def test_ideal_chip_has_no_noise_no_drift_and_no_rounding() -> None:
    assert all(getattr(IDEAL, name) == 0 for name in NOISES_AND_BITS)


def test_unknown_names_list_those_that_exist() -> None:
    with pytest.raises(UnknownNameError, match=r"rram.*pcm.*ideal"):
        hardware("rram")
    with pytest.raises(UnknownNameError, match=r"rram.*pcm"):
        Hardware(technology="rram")


@given(
    st.sampled_from(["pcm", "hermes", "reram"]),
    st.integers(1, 99_999),
    st.sampled_from([0, *range(2, 17)]),
    st.sampled_from([0, *range(2, 17)]),
)
def test_a_varied_chip_differs_from_its_preset_only_as_its_name_states(
    technology: str, tile: int, dac: int, adc: int
) -> None:
    chip = varied(technology, tile, dac, adc)
    preset = PRESETS[technology]
    changed = replace(preset, name=chip.name, tile_rows=tile, tile_columns=tile, dac_bits=dac, adc_bits=adc)
    assert chip == changed
    assert chip.name == f"{technology}-t{tile}-d{dac}-a{adc}"
    assert hardware(chip.name) == chip
    assert is_varied(chip.name)
    assert kind_of(chip.name) == f"varied-{technology}"


def test_a_varied_chip_has_the_devices_of_its_technology() -> None:
    chip = hardware("hermes-t64-d4-a5")
    assert (chip.technology, chip.g_max, chip.tile_rows, chip.tile_columns) == ("hermes", 20.7, 64, 64)
    assert chip.description().items() >= {"device_spread_1d": 0.068, "hw_dac_bits": 4.0, "hw_adc_bits": 5.0}.items()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "pcm-t256-d8-a07",
        "pcm-t0256-d8-a7",
        "pcm-t0-d8-a8",
        "pcm-t256-d8",
        "pcm-t256-d8-a7-",
        "pcm-t-d8-a7",
        "PCM-t256-d8-a7",
        "ideal-t256-d8-a8",
        "pcm-t256-a7-d8",
    ],
)
def test_other_names_are_not_varied_chips(name: str) -> None:
    assert not is_varied(name)
    assert kind_of(name) == name
    with pytest.raises(UnknownNameError, match=r"unknown hardware .*: choose pcm, hermes, reram, ideal"):
        hardware(name)


def test_presets_count_as_themselves() -> None:
    assert [kind_of(name) for name in PRESETS] == list(PRESETS)
    assert not any(map(is_varied, PRESETS))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pcm-t256-d1-a8", "dac_bits must be .* not 1"),
        ("reram-t256-d8-a17", "adc_bits must be .* not 17"),
    ],
)
def test_a_varied_chip_has_settings_in_their_ranges(name: str, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        hardware(name)


def test_only_technologies_with_a_preset_are_varied() -> None:
    with pytest.raises(UnknownNameError, match="unknown technology 'ideal': choose pcm, hermes, reram"):
        varied("ideal", 256, 8, 8)
