"""Exception types: every error that a user can cause is an `OhmnasError` whose text is one sentence."""

from __future__ import annotations

from typing import Self

LONGEST = 60
"""Largest number of characters of a value in a message."""


class OhmnasError(Exception):
    """Base of all errors that ohmnas raises on purpose; the command line prints it and exits with 2."""


class InvalidValueError(OhmnasError, ValueError):
    """A value is out of range or has the wrong type; the message shows it and states a valid value."""


class UnknownNameError(OhmnasError, LookupError):
    """There is no task, table, chip, strategy or other entry with this name; the message lists the known names."""


class BrokenFileError(OhmnasError, ValueError):
    """A table, store, surrogate or result file has invalid content; the message shows where."""


class InfeasibleError(OhmnasError, RuntimeError):
    """No architecture meets all limits; the message shows the nearest one."""

    reference: str = ""
    """Name of the reference network whose predictions set the violated limits; empty if other limits are violated, or
    if no architecture within the limits on costs was found."""


class DivergedError(OhmnasError, ArithmeticError):
    """The training loss became infinite or NaN."""


class AllFailedError(OhmnasError, RuntimeError):
    """Every measurement of a campaign, refinement or verification failed. The command line exits with 1."""


class MissingDependencyError(OhmnasError, ImportError):
    """An optional package is missing; the message shows how to install it."""

    @classmethod
    def of(cls, needs: str, extra: str, error: ImportError) -> Self:
        """Create the error for a failed import.

        Args:
            needs: start of the message, such as ``the strategy nsga2 needs pymoo``.
            extra: extra of ohmnas that installs the package.
            error: the error that the import raised.
        """
        return cls(f"{needs} ({error}); install it with: pip install 'ohmnas[{extra}]'")


class PluginError(OhmnasError, ImportError):
    """A plugin's entry point cannot be used; the message names the package, the entry and the reason."""


class StorageError(OhmnasError, OSError):
    """A file or store cannot be read or written, for example because the disk is full; data stored earlier is safe."""


def counted(number: int, noun: str, several: str = "") -> str:
    """Return a number with its noun: ``1 row``, ``2 rows``; `several` is an irregular plural."""
    return f"{number:,} {noun if number == 1 else several or noun + 's'}"


def shown(value: object) -> str:
    """Format a value of unknown origin for a message: short, without control characters."""
    if isinstance(value, int) and abs(value) >= 10**18:
        return "a number of more than 18 digits"  # Python refuses to format more than 4,300 digits
    try:
        return in_short(repr(value))
    except (ValueError, RecursionError):  # the value contains a longer number, or is nested too deeply
        return "a list or table"


def in_short(text: object, longest: int = LONGEST) -> str:
    """Return a text on one line, cut to `longest` characters."""
    line = " ".join(str(text).split())
    return line if len(line) <= longest else f"{line[: longest - 3]}..."
