from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from ohmnas.cli import doctor

from .conftest import Ohmnas


def test_packages_are_shown_with_their_state(ohmnas: Ohmnas, monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"numpy": "2.4.6", "xgboost": "4.0", "torch": None}
    installed = doctor._installed
    monkeypatch.setattr(doctor, "_installed", lambda name: there[name] if name in there else installed(name))
    values = ohmnas("doctor", "--json").values
    states = {one["package"]: (one["state"], one["extra"]) for one in values["packages"]}
    assert states["numpy"] == ("ok", "")
    assert states["xgboost"] == ("not tested", "")
    assert states["torch"] == ("missing", "train")
    assert "pytest" not in states
    assert values["training"].startswith("not installed")
    assert "pip install 'ohmnas[" in ohmnas("doctor").out


@pytest.mark.parametrize(
    ("trial", "says"),
    [
        ("raise ImportError('undefined symbol: x')", "torch 2 with aihwkit 1 fails: ImportError: undefined symbol: x"),
        ("print('loading'); print(0)", "torch 2 with aihwkit 1 works; no GPU"),
        ("print(2)", "torch 2 with aihwkit 1 works; 2 GPUs"),
        ("import os; os.abort()", "torch 2 with aihwkit 1 fails: exit code -6"),
    ],
)
def test_a_pair_is_tried_in_another_process(trial: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_TRIAL", trial)
    assert doctor._training({"torch": "2", "aihwkit": "1"}) == says


@pytest.mark.train
@pytest.mark.skipif(not find_spec("aihwkit"), reason="needs aihwkit")
def test_the_tested_pair_works() -> None:
    assert "works" in doctor._training({"torch": "2", "aihwkit": "1"})


def test_folders_are_those_of_the_environment(ohmnas: Ohmnas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "images").write_bytes(bytes(3_000_000))
    monkeypatch.setenv("OHMNAS_DATA", str(tmp_path))
    monkeypatch.setenv("OHMNAS_CACHE", str(tmp_path / "none"))
    monkeypatch.setattr(doctor, "_TRIAL", "print(0)")
    folders = {one["folder"].split()[0]: one for one in ohmnas("doctor", "--json").values["folders"]}
    assert (folders["data"]["path"], folders["data"]["state"]) == (str(tmp_path), "3 MB")
    assert (folders["cache"]["path"], folders["cache"]["state"]) == (str(tmp_path / "none"), "does not exist")


def test_the_doctor_itself_loads_no_torch() -> None:
    script = "import sys, ohmnas.cli.doctor; print({'torch', 'aihwkit'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
