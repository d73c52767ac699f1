from __future__ import annotations

import inspect

from ohmnas import errors
from ohmnas.errors import counted


def test_every_error_is_an_ohmnas_error_and_a_builtin_of_its_kind() -> None:
    classes = [value for _, value in inspect.getmembers(errors, inspect.isclass)]
    for error in classes:
        assert issubclass(error, errors.OhmnasError)
        if error is not errors.OhmnasError:
            assert any(base.__module__ == "builtins" for base in error.__bases__)


def test_values_are_shown_in_short_and_without_control_characters() -> None:
    assert errors.shown("a\x1b\n") == r"'a\x1b\n'"
    assert errors.shown(-3) == "-3"
    assert errors.shown("x" * 9000) == f"'{'x' * 56}..."
    assert errors.shown(10**9999) == errors.shown(-(10**18)) == "a number of more than 18 digits"
    assert errors.shown([10**9999]) == "a list or table"
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert errors.shown(deep) == "a list or table"


def test_texts_of_other_errors_become_one_short_line() -> None:
    assert errors.in_short(ValueError("a\n  b")) == "a b"
    assert errors.in_short("y" * 500, 100) == f"{'y' * 97}..."


def test_numbers_agree_with_their_nouns() -> None:
    assert [counted(n, "row") for n in (0, 1, 1200)] == ["0 rows", "1 row", "1,200 rows"]
    assert [counted(n, "row is", "rows are") for n in (1, 2)] == ["1 row is", "2 rows are"]
