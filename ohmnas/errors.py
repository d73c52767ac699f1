"""What can go wrong, as types: every error a user can cause is an `OhmnasError` whose text is one sentence."""

from __future__ import annotations

from typing import Self

LONGEST = 60
"""Characters of a value in a message, at most."""


class OhmnasError(Exception):
    """Base of all errors that ohmnas raises on purpose; the command line prints it and exits with 2."""


class InvalidValueError(OhmnasError, ValueError):
    """A value is out of range or of the wrong kind; the message names it and says what would be right."""


class UnknownNameError(OhmnasError, LookupError):
    """A task, table, hardware or strategy of that name does not exist; the message lists those that do."""


class BrokenFileError(OhmnasError, ValueError):
    """A table, store, surrogate or result file does not hold what it should; the message says where."""


class InfeasibleError(OhmnasError, RuntimeError):
    """No architecture meets all limits; the message names the nearest miss."""


class DivergedError(OhmnasError, ArithmeticError):
    """The training loss stopped being a number."""


class AllFailedError(OhmnasError, RuntimeError):
    """Not one of the rows of a campaign could be measured; the message says why. The command line exits with 1."""


class MissingDependencyError(OhmnasError, ImportError):
    """Something needs an optional package that is not installed; the message says how to install it."""

    @classmethod
    def of(cls, needs: str, extra: str, error: ImportError) -> Self:
        """The error of an import that failed.

        Args:
            needs: what needs which package: ``the strategy nsga2 needs pymoo``.
            extra: of ohmnas, that brings the package.
            error: the import's own.
        """
        return cls(f"{needs} ({error}); install it with: pip install 'ohmnas[{extra}]'")


class StorageError(OhmnasError, OSError):
    """The disk refused a write (full, read-only); nothing that was stored before is lost."""


def shown(value: object) -> str:
    """A value of unknown origin as a message shows it: as Python writes it, in short, without control characters."""
    if isinstance(value, int) and abs(value) >= 10**18:
        return "a number of more than 18 digits"  # Python refuses to write numbers of more than 4,300
    try:
        return in_short(repr(value))
    except (ValueError, RecursionError):  # there is such a number in it, or it is nested deeply
        return "a list or table"


def in_short(text: object, longest: int = LONGEST) -> str:
    """The begin of a text, or of an error's, in one line."""
    line = " ".join(str(text).split())
    return line if len(line) <= longest else f"{line[: longest - 3]}..."
