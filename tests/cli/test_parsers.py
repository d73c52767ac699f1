from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from ohmnas.cli.parsers import parser

from .conftest import Ohmnas

WORDS = {
    "search": ("--task", "digits"),
    "refine": ("--task", "digits", "--store", "s.sqlite"),
    "gradient-search": ("--task", "digits"),
    "verify": ("result.json", "--task", "digits"),
    "campaign": ("--store", "s.sqlite"),
    "export-table": ("--store", "s.sqlite", "--out", "t.csv"),
    "merge": ("s.sqlite", "--store", "t.sqlite"),
    "describe": ("--table", "digits"),
    "study": ("--table", "digits", "--out", "study"),
    "fit": ("--table", "digits", "--out", "s"),
    "score": ("--table", "digits"),
    "data": ("cifar10",),
    "doctor": (),
    "completion": ("bash",),
}
"""Command -> the words that it needs at least."""
HEAVY = {"numpy", "scipy", "pandas", "sklearn", "xgboost", "joblib", "matplotlib", "torch", "aihwkit"}


@pytest.mark.parametrize("command", WORDS)
def test_every_command_has_a_module_that_runs_it(command: str) -> None:
    arguments = parser().parse_args([command, *WORDS[command]])
    assert callable(import_module(f"ohmnas.cli.{arguments.module}").run)


def test_the_status_of_a_campaign_has_a_module_of_its_own() -> None:
    assert parser().parse_args(["campaign", "--store", "s.sqlite", "--status"]).module == "status"


def test_help_names_every_command_in_the_order_of_their_use(ohmnas: Ohmnas) -> None:
    lines = ohmnas("--help").out.splitlines()
    assert [line.split()[0] for line in lines if line.startswith("    ") and line.split()[0] in WORDS] == [*WORDS]


@pytest.mark.parametrize("words", [("--help",), *((command, "--help") for command in WORDS)], ids=" ".join)
def test_help_loads_nothing_heavy(words: tuple[str, ...]) -> None:
    script = (
        "import sys; from ohmnas.cli.main import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True, check=True)
    assert not HEAVY & {*done.stderr.split()}
    assert done.stdout.startswith(f"usage: {' '.join(('ohmnas', *words[:-1]))}")
