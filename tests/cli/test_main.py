from __future__ import annotations

import subprocess
import sys
from importlib import metadata

import pytest

from .conftest import Ohmnas

COMMANDS = ("search", "verify", "campaign", "export-table", "fit", "score")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_json(command: str, ohmnas: Ohmnas) -> None:
    help_ = ohmnas(command, "--help")
    assert help_.code == 0
    assert "--json" in help_.out


def test_the_version_is_the_packages(ohmnas: Ohmnas) -> None:
    assert metadata.version("ohmnas") in ohmnas("--version").out


@pytest.mark.parametrize("words", [(), ("fly",), ("search",), ("search", "--task", "digits", "--max-params", "x")])
def test_wrong_words_are_one_sentence_and_exit_code_2(words: tuple[str, ...], ohmnas: Ohmnas) -> None:
    assert "error" in ohmnas(*words).sentence


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_option_names_the_help_of_its_command(command: str, ohmnas: Ohmnas) -> None:
    required = {
        "search": ("--task", "digits"),
        "verify": ("result.json", "--task", "digits"),
        "campaign": ("--task", "digits", "--n", "1", "--store", "s.sqlite"),
        "export-table": ("--store", "s.sqlite", "--out", "t.csv"),
        "fit": ("--table", "digits", "--out", "s"),
        "score": ("--table", "digits"),
    }
    sentence = ohmnas(command, *required[command], "--wings", "2").sentence
    assert f"unrecognized arguments: --wings 2; see ohmnas {command} --help" in sentence


def test_the_installed_command_runs() -> None:
    done = subprocess.run([sys.executable, "-c", "from ohmnas.cli.main import main; main(['--help'])"], check=False)
    assert done.returncode == 0
