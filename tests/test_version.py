"""The version is that of the installed package."""

from __future__ import annotations

from importlib import metadata

from ohmnas.version import version


def test_it_is_that_of_the_package() -> None:
    assert version() == metadata.version("ohmnas")
