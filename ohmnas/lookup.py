"""Look up names, suggest similar ones, and check names chosen by users."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Final, TypeVar

from ohmnas.errors import InvalidValueError, UnknownNameError, shown

T = TypeVar("T")
LONGEST: Final = 100
"""Largest number of characters of a name that are compared for suggestions."""

LONGEST_NAME: Final = 100
"""Longest name of a chip or task, in characters: it is part of file names."""


def look_up(kind: str, known: Mapping[str, T], name: str) -> T:
    """Return the entry with this name.

    Args:
        kind: noun for the message, such as ``task``.
        known: name -> entry.
        name: name given by the user.

    Raises:
        UnknownNameError: the name is unknown; the message lists the known names.
    """
    if name not in known:
        raise unknown_name(kind, known, name)
    return known[name]


def check_name(kind: str, known: Collection[str], name: str) -> None:
    """Check that a name is known.

    Raises:
        UnknownNameError: the name is unknown; the message lists the known names.
    """
    if name not in known:
        raise unknown_name(kind, known, name)


def unknown_name(kind: str, known: Collection[str], name: str) -> UnknownNameError:
    """Create the error for an unknown name, with a suggestion."""
    choices = f": choose {', '.join(known)}" if known else ""
    return UnknownNameError(f"unknown {kind} {shown(name)}{choices}{suggestion(known, name)}")


def suggestion(known: Collection[str], name: str) -> str:
    """Return ``; did you mean NAME?`` with the closest name; empty if none is close."""
    folded = {other.casefold(): other for other in known}
    close = get_close_matches(name[:LONGEST].casefold(), folded, n=1)
    return f"; did you mean {folded[close[0]]}?" if close else ""


def name_fault(name: str) -> str:
    """Return the reason why a name is not allowed, for example for a chip or task; empty if it is allowed.

    A name must be usable in file names, commands, tables and terminals unchanged.
    """
    if not name.strip() or name != name.strip():
        return "a name must not be empty, or start or end with spaces"
    if not name.isprintable():
        return "a name must contain only printable characters and ordinary spaces"
    if len(name) > LONGEST_NAME:
        return f"a name has at most {LONGEST_NAME} characters"
    if "/" in name or "\\" in name or name.startswith("."):
        return "a name must not contain slashes or backslashes, or begin with a dot"
    if name[0] in "=+-@":
        return f"commands and spreadsheets misread a name that begins with {name[0]}"
    return ""


def check_plain_name(kind: str, name: str) -> None:
    """Check a name chosen by a user.

    Args:
        kind: noun for the message, such as ``task``.
        name: name given by the user or a file.

    Raises:
        InvalidValueError: the name is not allowed; the message shows the reason.
    """
    if why := name_fault(name):
        raise InvalidValueError(f"a {kind} cannot be called {shown(name)}: {why}")
