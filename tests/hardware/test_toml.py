from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.hardware import (
    PRESETS,
    Hardware,
    hardware,
)


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
        ('name = "pcm"\ndac_bits = 4', "the name 'pcm' belongs to another chip"),
        ('base = "hermes"\ng_max = 25.0', "g_max of hermes must be at most 20.7 uS"),
        ('name = ""', "a chip cannot be called ''"),
        ('name = " mine"', "a chip cannot be called ' mine'"),
        ('name = "my/chip"', "a chip cannot be called 'my/chip'"),
        ('name = "\\u001b[2J"', r"a chip cannot be called '\\x1b\[2J': a name must contain only printable characters"),
        ('name = "=1+1"', "a chip cannot be called '=1\\+1'"),
        (f'name = "{"x" * 500}"', "at most 100 characters"),
        ('name = "mine.toml"', "a chip cannot be called 'mine.toml'"),
        ("dac_bits = 6\ndac_bits = 7", "is not TOML"),
        (f"g_max = {'9' * 3500}", "g_max is a number of more than 18 digits"),
        (f"tile_rows = 0x{'f' * 4000}", "tile_rows is a number of more than 18 digits"),
        (f"name = [0x{'f' * 4000}]", "name is a list or table, but must be a string"),
        (f"x = {'[' * 2000}{']' * 2000}", "nested too deeply"),
        (f"a{'.a' * 3000} = 1", "has 6,005 characters without its comments; the limit is 4,096"),
        (f"a{'.a' * 1900} = 1", "a chip has no setting 'a'"),
        ("#" * 70_000, "has 70,000 bytes; the limit is 65,536 bytes"),
        ("base = 3", "base is 3, but must be the name of a preset"),
        (f'base = "{"x" * 3000}"', "unknown hardware"),
        ("g_max = 1e300", r"g_max must be 0\.001 to 1e\+06, not 1e\+300"),
        ("adc_bound = 1e-300", "adc_bound must be 1e-06 to"),
        ("tile_rows = 1_000_000_000", "tile_rows must be at most 999999999"),
        ("drift = 1e30", r"drift must be at most 1000, not 1e\+30"),
        ('technology = "reram"\ng_max = 1e-5', r"g_max must be 0\.001"),
        (
            'technology = "reram"\ng_max = 9.0',
            r"g_max of reram must be above its smallest conductance of 9\.0 uS, not 9\.0",
        ),
        (
            'technology = "reram"\ng_max = 0.5',
            r"g_max of reram must be above its smallest conductance of 9\.0 uS, not 0\.5",
        ),
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


def test_a_file_may_have_the_name_of_a_varied_chip_if_it_describes_that_chip(tmp_path: Path) -> None:
    path = tmp_path / "pcm-t64-d8-a6.toml"
    path.write_text("tile_rows = 64\ntile_columns = 64\nadc_bits = 6\n", encoding="utf-8")
    assert hardware(str(path)) == hardware("pcm-t64-d8-a6")
    path.write_text("tile_rows = 64\ntile_columns = 64\nadc_bits = 7\n", encoding="utf-8")
    with pytest.raises(InvalidValueError, match="the name 'pcm-t64-d8-a6' belongs to another chip; choose another"):
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
    for name, message in (("pipe", "is a named pipe, not a file"), ("latin", "is not UTF-8")):
        with pytest.raises(InvalidValueError, match=message):
            hardware(str(tmp_path / f"{name}.toml"))
