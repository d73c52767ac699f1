"""A tiny package, as pip installs it, used from the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import ohmnas

GOOD = """
class Toy:
    allows_oversampling = True

    def __init__(self, problem):
        self.problem = problem

    def ask(self, n, rng):
        return self.problem.sample(n, rng)

    def tell(self, population, evaluation):
        pass
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of installed packages: one that works, one that cannot be imported, one of a name that is taken."""
    folder = tmp_path / "site"
    folder.mkdir()
    for name, code, point in (
        ("goodtoy", GOOD, "toy = goodtoy:Toy"),
        ("badtoy", "raise RuntimeError('no licence')", "broken = badtoy:Toy"),
        ("notoy", "Toy = 3", "number = notoy:Toy"),
        ("takentoy", "raise RuntimeError('imported')", "evolution = takentoy:Toy"),
    ):
        (folder / f"{name}.py").write_text(code)
        info = folder / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[ohmnas.strategies]\n{point}\n")
    return folder


def searched(site: Path, strategy: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(site), str(Path(ohmnas.__file__).parents[1])])
    words = ("--task", "digits", "--iterations", "1", "--population", "5", "--strategy", strategy)
    command = [sys.executable, "-m", "ohmnas", "search", *words]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=site.parent, env={**os.environ, "PYTHONPATH": path}
    )


def test_an_installed_strategy_is_searched_with(site: Path) -> None:
    done = searched(site, "toy")
    assert done.returncode == 0, done.stderr
    assert (site.parent / "found" / "result.json").read_text("utf-8").count('"strategy": "toy"') == 1


def test_a_package_breaks_only_the_commands_that_use_it(site: Path) -> None:
    assert searched(site, "evolution").returncode == 0


@pytest.mark.parametrize(
    ("strategy", "sentence"),
    [
        (
            "broken",
            "the strategy 'broken' of the package badtoy cannot be used: importing it failed with RuntimeError: no "
            "licence",
        ),
        (
            "number",
            "the strategy 'number' of the package notoy cannot be used: it is of type int, not a class or a function "
            "that makes a strategy",
        ),
        (
            "tyo",
            "did you mean toy?; left out: the strategy 'evolution' of the package takentoy, because ohmnas has a",
        ),
    ],
)
def test_a_package_that_cannot_be_used_is_one_sentence(site: Path, strategy: str, sentence: str) -> None:
    done = searched(site, strategy)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert sentence in done.stderr
