"""Build the distributions, check them, and run the search of the README with the wheel alone.

    python benchmarks/wheel.py

The wheel is installed with its dependencies into an empty virtual environment, and the search runs in an empty folder:
the tables and surrogates that it needs come from the wheel. Prints sizes and seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parent.parent
SEARCH = ("search", "--task", "digits", "--max-params", "50k", "--max-avm", "0.02", "--out", "found")


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Run a program without the repository in its path. Return its standard output; fail with its errors."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "OHMNAS_DATA")}
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def build(out: Path) -> Path:
    """Build the source distribution and, from it, the wheel. Return the wheel."""
    run(sys.executable, "-m", "build", "--outdir", out)
    run(sys.executable, "-m", "twine", "check", "--strict", *out.iterdir())
    (wheel,) = out.glob("*.whl")
    return wheel


def missing(wheel: Path) -> set[str]:
    """Return the files of the package in the repository that the wheel lacks."""
    listed = run("git", "ls-files", "ohmnas").split()
    with ZipFile(wheel) as archive:
        return {*listed} - {*archive.namelist()}


def main() -> None:
    """Build, install and search in a temporary folder."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        wheel = build(Path(folder) / "dist")
        for path in sorted(wheel.parent.iterdir()):
            print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")
        if lacks := missing(wheel):
            sys.exit(f"the wheel lacks {', '.join(sorted(lacks))}")
        print(f"built and checked in {time.perf_counter() - started:.0f} s")

        started = time.perf_counter()
        empty = Path(folder) / "empty"
        run(sys.executable, "-m", "venv", empty)
        run(empty / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel)
        print(f"installed into an empty environment in {time.perf_counter() - started:.0f} s")

        where = run(empty / "bin" / "python", "-c", "import ohmnas; print(ohmnas.__file__)", cwd=empty).strip()
        assert Path(where).is_relative_to(empty), where
        print(run(empty / "bin" / "ohmnas", *SEARCH, cwd=empty))
        best = json.loads((empty / "found" / "result.json").read_text("utf-8"))["best"]
        assert best["params"] <= 50_000
        assert best["predicted"]["avm"] <= 0.02


if __name__ == "__main__":
    main()
