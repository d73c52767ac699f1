"""Finding a thing by the name that a user typed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Final, TypeVar

from ohmnas.errors import UnknownNameError

T = TypeVar("T")
LONGEST: Final = 100
"""Letters of a typed name that are compared."""


def look_up(kind: str, known: Mapping[str, T], name: str) -> T:
    """The entry of that name.

    Args:
        kind: what it is, for the message.
        known: name -> entry.
        name: what the user typed.

    Raises:
        UnknownNameError: there is none; the message lists all.
    """
    if name not in known:
        raise unknown_name(kind, known, name)
    return known[name]


def check_name(kind: str, known: Collection[str], name: str) -> None:
    """Refuse a name that there is not.

    Raises:
        UnknownNameError: there is none; the message lists all.
    """
    if name not in known:
        raise unknown_name(kind, known, name)


def unknown_name(kind: str, known: Collection[str], name: str) -> UnknownNameError:
    """The error of a name that there is not, with the one that was probably meant."""
    there = f"there {'is' if len(known) == 1 else 'are'} {', '.join(known)}"
    return UnknownNameError(f"no {kind} {name!r}; {there}{suggestion(known, name)}")


def suggestion(known: Collection[str], name: str) -> str:
    """``; did you mean NAME?`` of the name that is closest to the typed one; empty where none is close."""
    folded = {other.casefold(): other for other in known}
    close = get_close_matches(name[:LONGEST].casefold(), folded, n=1)
    return f"; did you mean {folded[close[0]]}?" if close else ""
