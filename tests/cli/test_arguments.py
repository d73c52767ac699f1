from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmnas.cli.arguments import above_zero, chip_name, count, fraction, one_of, positive, seed, size


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("50k", 50_000), ("1M", 1_000_000), ("1.5m", 1_500_000), ("2000", 2000), ("2G", 2 * 10**9)),
        *(("2.05M", 2_050_000), ("4.1M", 4_100_000), ("16.1k", 16_100), ("0.001k", 1), ("1.000", 1)),
        *(("1e5", 100_000), ("1.5E+3", 1500), ("1e10", 10**10), ("50,000", 50_000), ("1,000,000", 1_000_000)),
    ],
)
def test_sizes_may_carry_a_unit(text: str, value: int) -> None:
    assert size(text) == value


@given(st.integers(1, 10**12))
def test_any_whole_number_is_a_size(value: int) -> None:
    assert size(str(value)) == value


@given(st.integers(1, 10**12), st.sampled_from([("k", 3), ("M", 6), ("G", 9)]))
def test_any_whole_number_can_be_written_with_a_unit(value: int, unit: tuple[str, int]) -> None:
    letter, digits = unit
    assert size(f"{value // 10**digits}.{value % 10**digits:0{digits}}{letter}") == value


@pytest.mark.parametrize("text", ["9" * 400, "9" * 19, "1." + "0" * 5000 + "k"])
def test_endless_sizes_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="at most 18 characters"):
        size(text)


@pytest.mark.parametrize("text", ["0", "-5", "1.5", "50kk", "k", "", "nan", "inf", "1e-5", "5,0", "0,500", "0.0001k"])
def test_invalid_sizes_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="such as 50000, 50k or 1M"):
        size(text)


@pytest.mark.parametrize("text", ["2", "-0.1", "nan", "inf", "two", ""])
def test_invalid_fractions_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="2 points are"):
        fraction(text)


def test_fractions_seeds_and_counts_are_read() -> None:
    assert fraction("0.02") == 0.02
    assert seed("7") == 7
    assert positive("3") == 3
    assert [count(text) for text in ("0", "12")] == [0, 12]
    assert [above_zero(text) for text in ("60", "0.5")] == [60.0, 0.5]


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "1e999", "a minute", ""])
def test_invalid_times_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="number above 0, such as 60"):
        above_zero(text)


@pytest.mark.parametrize("text", ["-1", "2147483648", "x", "1.0"])
def test_invalid_seeds_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="not a seed"):
        seed(text)


@pytest.mark.parametrize("text", ["0", "-1", "x"])
def test_invalid_counts_are_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="above 0"):
        positive(text)


@pytest.mark.parametrize("text", ["-1", "1.0", "x", "", "9" * 30])
def test_a_count_of_zero_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="whole number, 0 or more"):
        count(text)


def test_the_name_of_a_chip_file_is_that_of_its_chip(tmp_path: Path) -> None:
    path = tmp_path / "file.toml"
    path.write_text('name = "mine"\n', encoding="utf-8")
    assert chip_name(str(path)) == "mine"
    assert chip_name("pcm") == "pcm"
    path.write_text("bits = 7\n", encoding="utf-8")
    with pytest.raises(argparse.ArgumentTypeError, match=r"file\.toml: a chip has no setting 'bits'; it has name"):
        chip_name(str(path))


def test_a_name_is_one_of_those_that_are_known_or_the_closest_is_suggested() -> None:
    read = one_of("strategy", ("evolution", "random"))
    assert read("random") == "random"
    with pytest.raises(argparse.ArgumentTypeError, match=r"unknown strategy 'randm': .*; did you mean random\?$"):
        read("randm")
