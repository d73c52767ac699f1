from __future__ import annotations

import json
from pathlib import Path

import pytest

from ohmnas.cli.output import write_json


def test_a_file_that_is_replaced_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"x": 1})
    assert capsys.readouterr().err == ""
    write_json(path, {"x": 2})
    assert "replaced" in capsys.readouterr().err
    assert json.loads(path.read_text("utf-8")) == {"x": 2}
