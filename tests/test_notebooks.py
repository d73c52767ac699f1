"""The notebooks of examples/ run, and their stored outputs are those of a run on no particular machine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
_PACKAGES = {"analognas-bench": "analognasbench"}
"""Package without which a notebook only says that it is skipped."""
_TRAINING = ("first-search", "your-images", "your-model")


def _marked(path: Path) -> object:
    marks = [pytest.mark.train] if path.stem in _TRAINING else []
    return pytest.param(path, marks=marks, id=path.stem)


@pytest.mark.minutes
@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", map(_marked, NOTEBOOKS))
def test_a_notebook_runs(path: Path, tmp_path: Path) -> None:
    package = _PACKAGES.get(path.stem)
    if package is not None and find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    words = [sys.executable, "benchmarks/notebooks.py", path.stem, "--out", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    check_stored(tmp_path / path.name)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_with_its_outputs(path: Path) -> None:
    check_stored(path)


def check_stored(path: Path) -> None:
    text = path.read_text("utf-8")
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == [*range(1, len(cells) + 1)]
    assert sum(bool(cell["outputs"]) for cell in cells) > len(cells) / 2
    assert not any(output["output_type"] == "error" for cell in cells for output in cell["outputs"])
    assert not re.findall(r"(?:/home|/root|/tmp|/work|/usr|/Users)/\w+", text)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_links_of_a_notebook_lead_somewhere(path: Path) -> None:
    cells = json.loads(path.read_text("utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    links = re.findall(r"\]\((?!https?:)([^)#]+)", "\n".join(texts))
    assert links
    assert all((path.parent / link).exists() for link in links)


def test_every_notebook_is_listed_and_has_a_page() -> None:
    listed = (ROOT / "docs" / "tutorials.md").read_text("utf-8")
    pages = {page.stem for page in (ROOT / "docs" / "tutorials").glob("*.md")}
    assert pages == {path.stem for path in NOTEBOOKS}
    assert all(f"](tutorials/{path.stem}.md)" in listed for path in NOTEBOOKS)
