from __future__ import annotations

import subprocess
import sys
from importlib import metadata


def test_the_package_runs_as_the_command() -> None:
    command = [sys.executable, "-m", "ohmnas"]
    said = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True).stdout
    assert said == f"ohmnas {metadata.version('ohmnas')}\n"
    wrong = subprocess.run([*command, "fly"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("ohmnas: error: ")
