"""The record of a chip: ranges, settings, presets."""

from __future__ import annotations

import math
import os
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.spaces.hardware import (
    BATCH_NORMS,
    HERMES,
    IDEAL,
    LARGEST_NOISE,
    PRESETS,
    RANGES,
    SMALLEST_CONDUCTANCE,
    Hardware,
    hardware,
    is_varied,
    kind_of,
    varied,
)

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
@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_sizes_must_be_above_zero(name: str, value: float) -> None:
    with pytest.raises(InvalidValueError, match=rf"{name} must be above 0( and whole)?, not {value}"):
        with_setting(name, value)


@pytest.mark.parametrize("name", FROM_ZERO)
@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf])
def test_noises_must_not_be_negative(name: str, value: float) -> None:
    with pytest.raises(InvalidValueError, match=rf"{name} must be 0 or more, not {value}"):
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
def test_bits_that_are_no_number_are_an_error_for_people(name: str, value: float) -> None:
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
    with pytest.raises(UnknownNameError, match="no batch norm 'adabs'; there are trained, adaptive"):
        Hardware(batch_norm="adabs")


def test_presets_are_found_by_their_own_names() -> None:
    assert all(hardware(name) is chip and chip.name == name for name, chip in PRESETS.items())
    assert hardware("pcm") == Hardware()


def test_ideal_chip_has_no_noise_no_drift_and_no_rounding() -> None:
    assert all(getattr(IDEAL, name) == 0 for name in [*FROM_ZERO, *BITS])


def test_unknown_names_list_those_that_exist() -> None:
    with pytest.raises(UnknownNameError, match=r"rram.*pcm.*ideal"):
        hardware("rram")
    with pytest.raises(UnknownNameError, match=r"rram.*pcm"):
        Hardware(technology="rram")


def test_a_chip_from_a_file_takes_what_it_does_not_say_from_its_base(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text('base = "reram"\ntile_rows = 128\nadc_bound = 8\n', encoding="utf-8")
    expected = replace(PRESETS["reram"], name="small", tile_rows=128, adc_bound=8.0)
    assert hardware(str(path)) == expected
    assert isinstance(hardware(str(path)).adc_bound, float)
    path.write_text('name = "other"\n', encoding="utf-8")
    assert hardware(str(path)) == replace(Hardware(), name="other")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tile_rows = ", "is not TOML"),
        ("tile_row = 3", "has no setting 'tile_row'; it has name, technology"),
        ("tile_rows = 3.5", "tile_rows is 3.5, but must be a whole number"),
        ("tile_rows = true", "tile_rows is True, but must be a whole number"),
        ("tile_rows = 0", "tile_rows must be"),
        ('output_noise = "much"', "output_noise is 'much', but must be a number"),
        ("drift_compensation = 1", "must be true or false"),
        ('base = "memristor"', "memristor"),
        ('technology = "memristor"', "memristor"),
        ('name = "pcm"\ndac_bits = 4', "the name 'pcm' is that of another chip"),
        ('base = "hermes"\ng_max = 25.0', "g_max of hermes is at most 20.7 uS"),
        ('name = ""', "a chip cannot be called ''"),
        ('name = " mine"', "a chip cannot be called ' mine'"),
        ('name = "my/chip"', "a chip cannot be called 'my/chip'"),
        ('name = "\\u001b[2J"', r"a chip cannot be called '\\x1b\[2J': a name has no control characters"),
        ('name = "=1+1"', "a chip cannot be called '=1\\+1'"),
        (f'name = "{"x" * 500}"', "at most 100 characters"),
        ('name = "mine.toml"', "a chip cannot be called 'mine.toml'"),
        ("dac_bits = 6\ndac_bits = 7", "is not TOML"),
        (f"g_max = {'9' * 3500}", "g_max is a number of more than 18 digits"),
        (f"tile_rows = 0x{'f' * 4000}", "tile_rows is a number of more than 18 digits"),
        (f"name = [0x{'f' * 4000}]", "name is a list or table, but must be a text"),
        (f"x = {'[' * 2000}{']' * 2000}", "nested too deeply"),
        (f"a{'.a' * 3000} = 1", "has 6,005 characters without its comments; a chip has at most 4,096"),
        (f"a{'.a' * 1900} = 1", "a chip has no setting 'a'"),
        ("#" * 70_000, "has 70,000 bytes; a file of its kind has at most 65,536"),
        ("base = 3", "base is 3, but must be the name of a preset"),
        (f'base = "{"x" * 3000}"', "no hardware"),
        ("g_max = 1e300", r"g_max must be 0\.001 to 1e\+06, not 1e\+300"),
        ("adc_bound = 1e-300", "adc_bound must be 1e-06 to"),
        ("tile_rows = 1_000_000_000", "tile_rows must be at most 999999999"),
        ("drift = 1e30", r"drift must be at most 1000, not 1e\+30"),
        ('technology = "reram"\ng_max = 1e-5', r"g_max must be 0\.001"),
        ('technology = "reram"\ng_max = 9.0', r"g_max of reram is above its g_min of 9\.0 uS, not 9\.0"),
        ('technology = "reram"\ng_max = 0.5', r"g_max of reram is above its g_min of 9\.0 uS, not 0\.5"),
        ('name = "a\\u001b[31m"', "a chip cannot be called"),
        ('name = "a\\nb"', "a chip cannot be called"),
        (f'name = "{"m" * 101}"', "a chip cannot be called 'm.*\\.\\.\\.: a name has at most 100"),
        (f"{'k' * 3000} = 1", "a chip has no setting 'k"),
    ],
)
def test_a_file_that_describes_no_chip_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "chip.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises((InvalidValueError, UnknownNameError), match=message) as error:
        hardware(str(path))
    assert str(error.value).startswith(str(path))
    assert len(str(error.value)) < 500 + len(str(path))
    with pytest.raises(InvalidValueError, match=r"cannot read .*nothing\.toml"):
        hardware(str(tmp_path / "nothing.toml"))


@given(
    st.sampled_from(["pcm", "hermes", "reram"]),
    st.integers(1, 99_999),
    st.sampled_from([0, *range(2, 17)]),
    st.sampled_from([0, *range(2, 17)]),
)
def test_a_varied_chip_is_its_preset_but_for_what_its_name_says(technology: str, tile: int, dac: int, adc: int) -> None:
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
def test_other_names_are_no_varied_chips(name: str) -> None:
    assert not is_varied(name)
    assert kind_of(name) == name
    with pytest.raises(UnknownNameError, match=r"no hardware .*; there are pcm, hermes, reram, ideal"):
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
    with pytest.raises(UnknownNameError, match="no technology 'ideal'; there are pcm, hermes, reram"):
        varied("ideal", 256, 8, 8)


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


def test_settings_that_are_not_said_are_those_of_pcm() -> None:
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
    with pytest.raises(UnknownNameError, match="no technology 'rram'"):
        Hardware.of_settings("rram", HERMES.settings())


def test_a_file_may_have_the_name_of_a_varied_chip_if_it_describes_that_chip(tmp_path: Path) -> None:
    path = tmp_path / "pcm-t64-d8-a6.toml"
    path.write_text("tile_rows = 64\ntile_columns = 64\nadc_bits = 6\n", encoding="utf-8")
    assert hardware(str(path)) == hardware("pcm-t64-d8-a6")
    path.write_text("tile_rows = 64\ntile_columns = 64\nadc_bits = 7\n", encoding="utf-8")
    with pytest.raises(InvalidValueError, match="the name 'pcm-t64-d8-a6' is that of another chip; choose another"):
        hardware(str(path))
    path.write_text('name = "mine"\nadc_bits = 7\n', encoding="utf-8")
    assert hardware(str(path)) == Hardware(name="mine", adc_bits=7)


def test_a_chip_file_of_windows_with_many_comments_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xef\xbb\xbf" + b"# dots .................\r\n" * 500 + b"adc_bits = 6\r\n")
    assert hardware(str(path)) == Hardware(name="mine", adc_bits=6)


def test_only_regular_files_are_chips(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "latin.toml").write_bytes(b'name = "gr\xfcn"')
    for name, message in (("pipe", "is a named pipe, not a file"), ("latin", "is not a text in UTF-8")):
        with pytest.raises(InvalidValueError, match=message):
            hardware(str(tmp_path / f"{name}.toml"))


def test_the_smallest_conductance_is_that_of_the_device_models() -> None:
    device = pytest.importorskip("ohmnas.analog.device")
    for technology, smallest in SMALLEST_CONDUCTANCE.items():
        assert device.noise_model(PRESETS[technology]).g_converter.g_min == smallest
        device.noise_model(replace(PRESETS[technology], g_max=smallest + 0.1))
    assert {name for name in PRESETS if hasattr(device.noise_model(PRESETS[name]).g_converter, "g_min")} >= set(
        SMALLEST_CONDUCTANCE
    )
