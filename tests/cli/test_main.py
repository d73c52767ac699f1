from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from .conftest import Ohmnas, Run

COMMANDS = ("search", "verify", "campaign", "export-table", "fit", "score")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_json(command: str, ohmnas: Ohmnas) -> None:
    help_ = ohmnas(command, "--help")
    assert help_.code == 0
    assert all(flag in help_.out for flag in ("--json", "--quiet", "--config"))


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


INTERRUPT = """
import sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Finder())
from ohmnas.cli.main import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize(
    "module", ["argparse", "rich", "ohmnas.cli.render", "ohmnas.cli.parsers", "numpy", "ohmnas.cli.search"]
)
def test_an_interruption_while_modules_are_loaded_is_one_sentence(module: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", INTERRUPT, module, "search", "--task", "digits"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "ohmnas: error: interrupted\n")


def test_a_lack_of_memory_is_one_sentence(ohmnas: Ohmnas, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("ohmnas.cli.search.run", run)
    assert "not enough memory" in ohmnas("search", "--task", "digits").sentence


SCRIPT = "import sys; from ohmnas.cli.main import main; sys.exit(main(sys.argv[1:]))"


def in_a_process(words: tuple[str, ...], stdout: int, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command with another standard output, buffered as it is by default."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = [sys.executable, "-c", SCRIPT, *words]
    return subprocess.run(
        command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False, cwd=folder, env=environment
    )


SEARCH = ("search", "--task", "digits", "--iterations", "1", "--population", "5")
SPEAKING = pytest.mark.parametrize("words", [("--help",), SEARCH, (*SEARCH, "--json")], ids=["help", "table", "json"])


@SPEAKING
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_behind_standard_output_is_one_sentence(words: tuple[str, ...], tmp_path: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    done = in_a_process(words, full, tmp_path)
    os.close(full)
    assert done.returncode == 2
    assert done.stderr == "ohmnas: error: cannot write to standard output: No space left on device\n"
    assert words not in {SEARCH} or (tmp_path / "found" / "result.json").exists()


@SPEAKING
def test_a_closed_pipe_is_not_an_error(words: tuple[str, ...], tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = in_a_process(words, writer, tmp_path)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_closed_standard_output_is_silence(tmp_path: Path) -> None:
    command = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-c", SCRIPT, *SEARCH]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_quiet_command_prints_warnings_and_errors_only(tmp_path: Path, ohmnas: Ohmnas) -> None:
    words = (*SEARCH, "--out", tmp_path / "found", "--quiet")
    assert ohmnas(*words) == Run(0, "", "")
    assert (tmp_path / "found" / "result.json").exists()
    assert "error" in ohmnas(*words, "--max-params", "1").sentence
    assert ohmnas(*words, "--json").values["seed"] == 0
    assert ohmnas(*words[:-1]).out != ""  # the next command in this process is not quiet


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("setting", "coloured"), [({"NO_COLOR": "1"}, False), ({}, True)], ids=["NO_COLOR", "default"])
def test_no_colour_is_printed_if_the_user_wants_none(setting: dict[str, str], coloured: bool, tmp_path: Path) -> None:
    import pty

    script = "from ohmnas.cli import render\nwith render.meter('searching', 3, show=True) as m: m.advance(1, 'x')"
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    main, side = pty.openpty()
    subprocess.run(
        [sys.executable, "-c", script], env={**environment, "TERM": "xterm", **setting}, stderr=side, check=True
    )
    printed = os.read(main, 1 << 16).decode()
    os.close(side)
    os.close(main)
    assert "searching" in printed
    assert bool(re.search(r"\x1b\[(\d+;)*3\d", printed)) == coloured
