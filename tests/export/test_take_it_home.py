"""From an empty folder to every export, as docs/take-it-home.md has it, with a short training run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ohmnas.cli.main import main
from ohmnas.datasets.campaign.trained import TrainedNetwork

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "take-it-home"


def _run(folder: Path, script: str, *words: str) -> str:
    """Run an example; return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(EXAMPLES / script), *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.train
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_search_train_export_and_run_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    few = ("--iterations", "3", "--population", "30", "--max-macs", "400k")
    assert main(["search", "--task", "digits", "--max-params", "20k", *few, "--out", "found"]) == 0
    assert main(["train", "found", "--task", "digits", "--fidelity", "smoke", "--out", "net"]) == 0
    for to in ("onnx", "torch", "aihwkit", "hub"):
        assert main(["export", "net", "--to", to, "--out", to]) == 0
    assert "360 images" in _run(tmp_path, "images.py", "digits", "test.npz")
    measured = TrainedNetwork.load("net").provenance["measured"]
    digital = f"accuracy {measured['accuracy_digital']:.4f} on 360 test images\n"
    assert _run(tmp_path, "run_torch.py", "torch", "test.npz") == digital
    assert _run(tmp_path, "run_onnx.py", "onnx", "test.npz") == digital
    lines = _run(tmp_path, "run_aihwkit.py", "aihwkit", "test.npz", "2").splitlines()
    assert [line.split("  ")[0] for line in lines] == ["1 second", "1 hour", "1 day", "1 month"]
