"""Values of flags in the stored command of a result."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise


def values_of(command: Sequence[str], flag: str) -> list[str]:
    """Return the values of a flag as the user wrote them, in order; empty if the command does not have it.

    Args:
        command: words of a command, such as ``("search", "--max-params", "50k")``.
        flag: name of a flag with one value, such as ``--max-params``.
    """
    found = []
    for word, following in pairwise([*command, ""]):
        if word == flag:
            found.append(following)
        elif word.startswith(f"{flag}="):
            found.append(word.removeprefix(f"{flag}="))
    return found
