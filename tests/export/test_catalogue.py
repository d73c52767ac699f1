from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ohmnas.datasets.campaign.trained import TrainedNetwork
from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.export import EXPORTERS, Exported, export
from ohmnas.export.plain_torch import imported


def _broken(trained: TrainedNetwork, folder: Path) -> Exported:
    (folder / "half").write_text(trained.name, encoding="utf-8")
    raise InvalidValueError("no")


def test_the_folder_is_whole_or_not_there(
    branched: TrainedNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with EXPORTERS.registered("broken", _broken), pytest.raises(InvalidValueError, match="no"):
        export(branched, "broken", tmp_path / "out")
    assert not [*tmp_path.iterdir()]
    (tmp_path / "my net").mkdir()  # an empty folder may be there
    done = export(branched, "torch", tmp_path / "my net")
    assert f"'{tmp_path}/my net'" in done.use
    assert {path.name for path in (tmp_path / "my net").iterdir()} == {"network.py", "weights.safetensors"}
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidValueError, match="is the current folder"):
        export(branched, "torch", ".")
    with pytest.raises(InvalidValueError, match="is not an empty folder"):
        export(branched, "torch", tmp_path / "my net")
    with pytest.raises(UnknownNameError, match="unknown exporter 'tensorflow'"):
        export(branched, "tensorflow", tmp_path / "other")


@pytest.mark.parametrize("to", ["torch", "aihwkit", "hub"])
@pytest.mark.parametrize("quotes", ['"""', "'''", '"', '\\"""', '""""'])
def test_no_name_from_a_file_runs_as_code(to: str, quotes: str, branched: TrainedNetwork, tmp_path: Path) -> None:
    evil = f"x{quotes}; raise SystemExit(9); {quotes}"
    named = replace(branched, name=evil, task=evil, chip=replace(branched.chip, name=evil))
    export(named, to, tmp_path / "out")
    assert evil in " ".join(str(imported(tmp_path / "out" / "network.py").__doc__).split())
