from __future__ import annotations

import pytest

from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.lookup import (
    LONGEST_NAME,
    check_name,
    check_plain_name,
    look_up,
    name_fault,
    suggestion,
    unknown_name,
)


def test_a_known_name_is_found_and_an_unknown_one_lists_the_known() -> None:
    assert look_up("pet", {"cat": 1, "dog": 2}, "dog") == 2
    with pytest.raises(UnknownNameError, match=r"^unknown pet 'fox': choose cat, dog$"):
        look_up("pet", {"cat": 1, "dog": 2}, "fox")
    with pytest.raises(UnknownNameError, match=r"^unknown pet '': choose cat$"):
        look_up("pet", {"cat": 1}, "")


@pytest.mark.parametrize("known", [("cat", "dog"), ["cat", "dog"], {"cat": 1, "dog": 2}])
def test_a_name_is_checked_against_any_collection(known: tuple[str, ...]) -> None:
    check_name("pet", known, "cat")
    with pytest.raises(UnknownNameError, match=r"^unknown pet 'Cat': choose cat, dog; did you mean cat\?$"):
        check_name("pet", known, "Cat")


def test_the_error_of_an_unknown_name_is_made_and_not_raised() -> None:
    error = unknown_name("pet", ["cat"], "bat")
    assert isinstance(error, LookupError)
    assert str(error) == "unknown pet 'bat': choose cat; did you mean cat?"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("evoluton", "evolution"), ("EVOLUTION", "evolution"), ("q_learning", "q-learning"), ("nsga", "nsga2")],
)
def test_the_closest_name_is_suggested(typed: str, meant: str) -> None:
    assert suggestion(["evolution", "random", "nsga2", "q-learning"], typed) == f"; did you mean {meant}?"


@pytest.mark.parametrize("typed", ["", "magic", "x" * 10_000_000])
def test_no_suggestion_is_made_without_a_close_name(typed: str) -> None:
    assert suggestion(["evolution", "random"], typed) == ""


def test_a_long_name_is_shown_in_short() -> None:
    with pytest.raises(UnknownNameError, match=r"unknown fruit 'x{56}\.\.\.: choose apple"):
        look_up("fruit", {"apple": 1}, "x" * 5000)


@pytest.mark.parametrize("name", ["pcm", "my img", "größe", "pcm-t256-d8-a7", "a=1", "x" * LONGEST_NAME, "[b]", "a.b"])
def test_plain_names_are_taken(name: str) -> None:
    assert name_fault(name) == ""
    check_plain_name("chip", name)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "not be empty"),
        (" a", "spaces"),
        ("a\n", "spaces"),
        ("a\nb", "printable"),
        ("\x1b[2J", "printable"),
        ("a\u202eb", "printable"),
        ("a\udc80", "printable"),
        ("x" * (LONGEST_NAME + 1), "at most 100 characters"),
        ("a/b", "not contain slashes"),
        ("a\\b", "not contain slashes"),
        ("..", "not contain slashes"),
        *((sign + "a", "spreadsheet") for sign in "=+-@"),
    ],
)
def test_a_name_that_can_be_taken_for_something_else_is_refused(name: str, why: str) -> None:
    with pytest.raises(InvalidValueError, match=f"^a chip cannot be called .*: .*{why}") as raised:
        check_plain_name("chip", name)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 200
