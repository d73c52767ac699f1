from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ohmnas.cli.completion import completion
from ohmnas.cli.parsers import SHELLS

from .conftest import Ohmnas

CHECK = {"bash": ("bash", "-n"), "zsh": ("zsh", "-n"), "fish": ("fish", "--no-execute")}


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_valid(shell: str, tmp_path: Path, ohmnas: Ohmnas) -> None:
    printed = ohmnas("completion", shell)
    assert printed.code == 0
    assert printed.out.strip() == completion(shell).strip()
    if shutil.which(shell):
        script = tmp_path / "script"
        script.write_text(printed.out)
        subprocess.run([*CHECK[shell], script], check=True)


def completed(line: str, folder: Path) -> set[str]:
    """Return what bash offers for the last word of a line."""
    words = line.split(" ")
    listed = " ".join(f"'{word}'" for word in words)
    script = (
        f"{completion('bash')}\nCOMP_WORDS=({listed}); COMP_CWORD={len(words) - 1}; COMP_LINE='{line}'\n"
        '_shtab_ohmnas; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, cwd=folder)
    return {*done.stdout.split()}


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_commands_flags_names_and_files(tmp_path: Path) -> None:
    (tmp_path / "result.json").touch()
    assert completed("ohmnas ver", tmp_path) == {"verify"}
    assert completed("ohmnas search --max-pa", tmp_path) == {"--max-params"}
    assert completed("ohmnas search --task dig", tmp_path) == {"digits"}
    assert completed("ohmnas search --strategy evo", tmp_path) == {"evolution"}
    assert "result.json" in completed("ohmnas verify res", tmp_path)


def test_an_unknown_shell_is_one_sentence(ohmnas: Ohmnas) -> None:
    assert "invalid choice: 'tcl'" in ohmnas("completion", "tcl").sentence
