"""Names that users type: finding a thing by one, and which names things of their own may have."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Final, TypeVar

from ohmnas.errors import InvalidValueError, UnknownNameError, shown

T = TypeVar("T")
LONGEST: Final = 100
"""Letters of a typed name that are compared."""

LONGEST_NAME: Final = 100
"""Characters of a chip's or a task's name: it is part of file names."""


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
    return UnknownNameError(f"no {kind} {shown(name)}; {there}{suggestion(known, name)}")


def suggestion(known: Collection[str], name: str) -> str:
    """``; did you mean NAME?`` of the name that is closest to the typed one; empty where none is close."""
    folded = {other.casefold(): other for other in known}
    close = get_close_matches(name[:LONGEST].casefold(), folded, n=1)
    return f"; did you mean {folded[close[0]]}?" if close else ""


def name_fault(name: str) -> str:
    """Why no chip, task or fidelity can be called so; empty where one can.

    Names stand in files, commands, tables and on terminals: none of them may take a name for something else.
    """
    if not name.strip() or name != name.strip():
        return "a name is not empty and has no blanks around it"
    if not name.isprintable():
        return "a name has no control characters"
    if len(name) > LONGEST_NAME:
        return f"a name has at most {LONGEST_NAME} characters"
    if "/" in name or "\\" in name or name.startswith("."):
        return "a name is no path"
    if name[0] in "=+-@":
        return f"a command or a spreadsheet takes a name that begins with {name[0]} for something else"
    return ""


def check_plain_name(kind: str, name: str) -> None:
    """Refuse what a thing of a user's own cannot be called.

    Args:
        kind: what it is, for the message.
        name: as the user, or a file, has it.

    Raises:
        InvalidValueError: it is no plain name; the message says why.
    """
    if why := name_fault(name):
        raise InvalidValueError(f"a {kind} cannot be called {shown(name)}: {why}")
