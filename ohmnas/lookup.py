"""Finding a thing by the name that a user typed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeVar

from ohmnas.errors import UnknownNameError, shown

T = TypeVar("T")


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
    """The error of a name that there is not."""
    return UnknownNameError(f"no {kind} {shown(name)}; there {'is' if len(known) == 1 else 'are'} {', '.join(known)}")
