"""The documentation site: one list of pages, and a reference of every public name. `make docs` builds the whole."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

import ohmnas

DOCS = Path(__file__).parent.parent / "docs"


def program(name: str) -> ModuleType:
    spec = spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def conf() -> ModuleType:
    return program("conf")


def test_the_sidebar_has_every_page(conf: ModuleType) -> None:
    pages = (DOCS / "README.md").read_text("utf-8")
    listed = re.findall(r"^([\w-]+)$", conf.sidebar(pages), re.MULTILINE)
    assert sorted(listed) == sorted(path.stem for path in DOCS.glob("*.md") if path.name != "README.md")


def test_no_page_has_the_name_of_a_page_that_sphinx_writes() -> None:
    assert not {path.stem for path in DOCS.glob("*.md")} & {"search", "genindex", "index", "py-modindex"}


def test_every_public_package_has_a_reference() -> None:
    packages = {
        module.name
        for module in pkgutil.iter_modules(ohmnas.__path__)
        if module.ispkg and getattr(importlib.import_module(f"ohmnas.{module.name}"), "__all__", None)
    }
    documented = {path.stem for path in (DOCS / "api").glob("*.md")}
    assert not packages - documented, "write docs/api/NAME.md: a title and a sentence"


@pytest.mark.parametrize("page", sorted((DOCS / "api").glob("*.md")), ids=lambda page: page.stem)
def test_a_reference_has_every_public_name(page: Path, conf: ModuleType) -> None:
    package = page.read_text("utf-8").splitlines()[0].strip("# `")
    text = conf.reference(package)
    for name in conf.public_names(importlib.import_module(package)):
        home = package if package == "ohmnas" or name not in ohmnas.__all__ else "ohmnas"
        assert re.search(rf"^   ~{re.escape(home)}\.{name}(\.{name})?$", text, re.MULTILINE)
        described = re.search(rf"^\.\. auto\w+:: {re.escape(home)}\.{name}(\.{name})?$", text, re.MULTILINE)
        assert (described is None) == (home != package)


def test_broken_links_are_found(tmp_path: Path) -> None:
    broken_links = program("check_links").broken_links
    (tmp_path / "a.html").write_text('<p id="top"><a href="b.html#here">b</a> <a href="#top">up</a>')
    (tmp_path / "b.html").write_text('<h1 id="here">b</h1> <a href="a.html#gone">a</a> <img src="c.png">')
    assert broken_links(tmp_path) == ["b.html links to a.html#gone", "b.html links to c.png"]


def test_links_of_the_start_page_are_those_of_the_readme(conf: ModuleType) -> None:
    text = conf.start_page()
    assert "](first-search.md)" in text
    assert "](docs/" not in text


@pytest.mark.parametrize("page", sorted((DOCS / "tutorials").glob("*.md")), ids=lambda page: page.stem)
def test_a_tutorial_has_the_cells_of_its_notebook(page: Path, conf: ModuleType) -> None:
    notebook = DOCS.parent / "examples" / f"{page.stem}.ipynb"
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    assert page.read_text("utf-8").splitlines()[0] == "".join(cells[0]["source"]).splitlines()[0]
    text = conf.cells(notebook)
    code = ["".join(cell["source"]).removeprefix("%%bash\n") for cell in cells if cell["cell_type"] == "code"]
    assert all(f"\n{one}\n```" in text for one in code)
    assert not re.search(r"\]\([^)]*(\.ipynb|/docs/)", text)
    assert not text.startswith("# ")
