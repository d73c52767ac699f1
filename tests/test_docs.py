"""The documentation works: its Python runs, its links resolve, and its commands and flags exist."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from ohmnas.cli.parsers import parser

ROOT = Path(__file__).parent.parent
PAGES = [
    *(ROOT / f"{name}.md" for name in ("README", "CHANGELOG", "CONTRIBUTING")),
    *sorted((ROOT / "docs").glob("*.md")),
]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^    ((?:ohmnas|python|make) [^#\n]*)", re.MULTILINE)
FLAG = re.compile(r"`(--[a-z][a-z-]+)")
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "page", [page for page in PAGES if BLOCK.search(page.read_text("utf-8"))], ids=lambda p: p.name
)
def test_the_python_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    script, code = tmp_path / "page.py", "\n".join(BLOCK.findall(page.read_text("utf-8")))
    script.write_text(code, encoding="utf-8")
    run = ["-m", "pytest", "-q", "-p", "no:cacheprovider"] if "\nclass Test" in code else []  # a contract, and all else
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *run, str(script)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text("utf-8")):
        there = (page.parent / target).resolve() if target else page
        assert there.exists(), f"{page.name} links to {target}"
        if anchor:
            titles = re.findall(r"^#+ (.+)$", there.read_text("utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
            assert anchor in anchors, f"{page.name} links to {target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_commands_exist(page: Path) -> None:
    for command in COMMAND.findall(page.read_text("utf-8")):
        program, *arguments = shlex.split(command)
        if program == "ohmnas":
            parser().parse_args(arguments)
        elif program == "make":
            assert re.search(rf"^{arguments[0]}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE), command
        elif arguments[0] != "-m":
            source = (ROOT / arguments[0]).read_text("utf-8")
            assert all(f'"{word}"' in source for word in arguments if word.startswith("--")), command


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_flags_exist(page: Path) -> None:
    sources = [*(ROOT / "ohmnas" / "cli").glob("*.py"), *(ROOT / "benchmarks").glob("*.py")]
    known = {flag for source in sources for flag in re.findall(r'"(--[a-z-]+)"', source.read_text("utf-8"))}
    assert set(FLAG.findall(page.read_text("utf-8"))) <= known


def test_commands_of_the_list_of_tasks_exist() -> None:
    commands = re.findall(r"`ohmnas ([^`]+)`", (ROOT / "docs" / "how-to.md").read_text("utf-8"))
    for command in commands:
        if "--config" not in command:  # its file would have to be there
            parser().parse_args(shlex.split(command))
    assert commands


def test_every_page_is_listed() -> None:
    index = ROOT / "docs" / "README.md"
    listed = {target for target, _ in LINK.findall(index.read_text("utf-8"))}
    assert listed == {page.name for page in PAGES if page.parent == index.parent and page != index}
