"""Version of the installed package."""

from __future__ import annotations

from functools import cache


@cache
def version() -> str:
    """Version from the package's metadata."""
    from importlib.metadata import version as installed  # takes 20 ms

    return installed("ohmnas")
