"""Running the command in this process, as a user would type it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from ohmnas.cli.main import main


@dataclass(frozen=True)
class Run:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def values(self) -> dict[str, Any]:
        """What --json printed."""
        values = json.loads(self.out)
        assert isinstance(values, dict)
        return values

    @property
    def sentence(self) -> str:
        """The one line of an error."""
        assert self.code == 2
        assert self.out == ""
        assert self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.err
        return self.err


Ohmnas = Callable[..., Run]


@pytest.fixture
def ohmnas(capfd: pytest.CaptureFixture[str]) -> Ohmnas:
    def run(*words: object) -> Run:
        try:
            code = main([str(word) for word in words])
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        captured = capfd.readouterr()
        return Run(code, captured.out, captured.err)

    return run
