from __future__ import annotations

import pytest

from ohmnas.errors import UnknownNameError
from ohmnas.lookup import check_name, look_up, suggestion, unknown_name


def test_a_known_name_is_found_and_an_unknown_one_lists_the_known() -> None:
    assert look_up("pet", {"cat": 1, "dog": 2}, "dog") == 2
    with pytest.raises(UnknownNameError, match=r"^no pet 'fox'; there are cat, dog$"):
        look_up("pet", {"cat": 1, "dog": 2}, "fox")
    with pytest.raises(UnknownNameError, match=r"^no pet ''; there is cat$"):
        look_up("pet", {"cat": 1}, "")


@pytest.mark.parametrize("known", [("cat", "dog"), ["cat", "dog"], {"cat": 1, "dog": 2}])
def test_a_name_is_checked_against_any_collection(known: tuple[str, ...]) -> None:
    check_name("pet", known, "cat")
    with pytest.raises(UnknownNameError, match=r"^no pet 'Cat'; there are cat, dog; did you mean cat\?$"):
        check_name("pet", known, "Cat")


def test_the_error_of_an_unknown_name_is_made_and_not_raised() -> None:
    error = unknown_name("pet", ["cat"], "bat")
    assert isinstance(error, LookupError)
    assert str(error) == "no pet 'bat'; there is cat; did you mean cat?"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("evoluton", "evolution"), ("EVOLUTION", "evolution"), ("q_learning", "q-learning"), ("nsga", "nsga2")],
)
def test_the_closest_name_is_suggested(typed: str, meant: str) -> None:
    assert suggestion(["evolution", "random", "nsga2", "q-learning"], typed) == f"; did you mean {meant}?"


@pytest.mark.parametrize("typed", ["", "magic", "x" * 10_000_000])
def test_what_is_close_to_nothing_is_not_guessed(typed: str) -> None:
    assert suggestion(["evolution", "random"], typed) == ""
