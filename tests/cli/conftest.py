"""Running the command in this process, as a user would type it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ohmnas.cli.main import main
from ohmnas.datasets.tables.table import read_table
from ohmnas.surrogate import Surrogate, TrainingSet
from tests.datasets.conftest import MadeMeasurements


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


@pytest.fixture(scope="session")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a surrogate of the shipped digits table: learning it takes longer than searching with it."""
    return Surrogate.learn(TrainingSet.of(read_table("digits"))).model_.save(tmp_path_factory.mktemp("digits") / "s")


@pytest.fixture
def made_measurements(monkeypatch: pytest.MonkeyPatch) -> MadeMeasurements:
    made = MadeMeasurements()
    monkeypatch.setattr("ohmnas.datasets.campaign.campaign.measure", made)
    return made
