"""Sphinx settings of the documentation site: `make docs` writes it to build/docs.

The pages are the Markdown files of this folder, as a Git host shows them. The start page is the README of the
repository with the list of pages of docs/README.md, and the sidebar follows that list: a page is added in one place.
"""

from __future__ import annotations

import importlib
import inspect
import json
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from sphinx.pycode import ModuleAnalyzer

import ohmnas

DOCS = Path(__file__).parent

project = "ohmnas"
author = "The ohmnas developers"
project_copyright = author
version = release = ohmnas.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]

root_doc = "README"
source_suffix = {".md": "markdown"}
default_role = "py:obj"  # single backticks in docstrings: a link if it is a public name, otherwise code

html_theme = "furo"
html_title = f"ohmnas {release}"
html_copy_source = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0b5c8f", "color-brand-content": "#0b5c8f"},
    "dark_css_variables": {"color-brand-primary": "#6db8e8", "color-brand-content": "#6db8e8"},
}

myst_heading_anchors = 4  # the anchors of a Git host

autosummary_generate = False
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
autodoc_class_signature = "mixed"
autodoc_default_options = {"members": True}
autodoc_mock_imports = [name for name in ("torch", "aihwkit", "numba") if find_spec(name) is None]
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
python_use_unqualified_type_names = True

LINK = re.compile(r"\[([^\]]*)\]\(([^)#\s:]+)(#[^)\s]*)?\)")
"""Links of Markdown to files: text, file, anchor."""
LISTED = re.compile(r"^\*\*(.+)\*\*$|^\d+\. \[[^]]+\]\((\S+)\.md\)", re.MULTILINE)
"""Captions and pages of docs/README.md."""
TO_START = re.compile(rf'(href="(?:\.\./)*){root_doc}\.html')
"""Link of a built page to the start page."""
MOVED = '<meta http-equiv="refresh" content="0; url=index.html">'


def start_page() -> str:
    """Return the README of the repository, the list of pages and the sidebar."""
    readme = (DOCS.parent / "README.md").read_text("utf-8")
    readme = LINK.sub(lambda link: f"[{link[1]}]({_from_docs(link[2])}{link[3] or ''})", readme)
    pages = (DOCS / "README.md").read_text("utf-8")
    return f"{readme}\n#{pages}\n{sidebar(pages)}"


def _from_docs(target: str) -> str:
    if target == "docs/README.md":
        return "#documentation"  # the list of pages is on the start page
    return target.removeprefix("docs/") if target.startswith("docs/") else f"../{target}"


def sidebar(pages: str) -> str:
    """Return one hidden toctree for each group of the list of pages."""
    trees: list[tuple[str, list[str]]] = []
    for caption, page in LISTED.findall(pages):
        if caption:
            trees.append((caption, []))
        else:
            trees[-1][1].append(page)
    return "\n".join(
        f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n" + "\n".join(names) + "\n```" for caption, names in trees
    )


def reference(package: str) -> str:
    """Return the reference of a module: a table of its public names, then each that `ohmnas` itself does not have."""
    module = importlib.import_module(package)
    names = sorted(public_names(module), key=str.lower)
    own = [name for name in names if module is ohmnas or name not in ohmnas.__all__]
    homes = {name: module if name in own else ohmnas for name in names}
    qualified = [f"{home.__name__}.{name}" + f".{name}" * _is_module(home, name) for name, home in homes.items()]
    lines = [".. autosummary::", "", *(f"   ~{name}" for name in qualified), ""]
    for name in own:
        value = getattr(module, name)
        kind = "class" if inspect.isclass(value) else "function" if callable(value) else "data"
        where = f"{package}.{name}"
        if _is_module(module, name):
            kind, where = "function", f"{where}.{name}"
        lines += [f".. auto{kind}:: {where}", "   :no-value:" if kind == "data" else "", ""]
    return "\n".join(["```{eval-rst}", *lines, "```"])


def _is_module(package: ModuleType, name: str) -> bool:
    """Return True for a package that is called like its function: the function of its name is described."""
    return isinstance(getattr(package, name), ModuleType)


def public_names(module: ModuleType) -> list[str]:
    """Return `__all__`, or without it the classes and functions that a module defines."""
    listed: list[str] | None = getattr(module, "__all__", None)
    return listed or [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]


def read_source(app: Any, docname: str, source: list[str]) -> None:
    """Replace the start page, append references and notebooks, and link to files where a page links to a folder."""
    del app
    if docname == root_doc:
        source[0] = start_page()
    elif docname.startswith("api/"):
        package = re.search(r"^# `(.+)`", source[0], re.MULTILINE)
        if package is None:
            raise ValueError(f"{docname}: the title is not the name of a module")
        source[0] = f"{source[0]}\n{reference(package[1])}\n"
    elif docname == "tutorials":
        source[0] += "\n```{toctree}\n:hidden:\n:glob:\n\ntutorials/*\n```\n"
    elif docname.startswith("tutorials/"):
        source[0] += "\n" + cells(DOCS.parent / "examples" / f"{Path(docname).name}.ipynb")
    folder = (DOCS / docname).parent
    source[0] = LINK.sub(lambda link: _link(folder, *link.groups(default="")), source[0])


def _link(folder: Path, text: str, target: str, anchor: str) -> str:
    """Return a link that works on the site. It has no pages of folders: link to the folder's first file, or not."""
    path = (folder / target).resolve()
    if path == DOCS.parent / "README.md":
        target = "README.md"
    elif path.is_dir():
        target = next((f"{target}/{name}" for name in ("__init__.py", "README.md") if (path / name).is_file()), "")
    return f"[{text}]({target}{anchor})" if target else text


def cells(notebook: Path) -> str:
    """Return the cells of a notebook as Markdown without its title: text, code, printed output, pictures."""
    pieces = []
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            pieces.append(LINK.sub(lambda link: f"[{link[1]}]({_from_tutorials(link[2])}{link[3] or ''})", source))
            continue
        language = "bash" if source.startswith("%%bash") else "python"
        pieces.append(_fenced(source.removeprefix("%%bash\n"), language))
        for output in cell["outputs"]:
            if "text" in output:
                pieces.append(_fenced("".join(output["text"]), "text"))
            elif picture := output["data"].get("image/png"):
                pieces.append(f"![output of the cell above](data:image/png;base64,{''.join(picture).strip()})")
    return re.sub(r"\A# .*\n", "", "\n\n".join(pieces))


def _from_tutorials(target: str) -> str:
    """Return a link of a notebook as a link of its page in docs/tutorials."""
    return f"../{target.removeprefix('../docs/')}" if target.startswith("../docs/") else target.replace(".ipynb", ".md")


def _fenced(text: str, language: str) -> str:
    return f"```{language}\n{text.rstrip()}\n```"


def skip(app: Any, what: str, name: str, value: object, skipped: bool, options: object) -> bool | None:
    """Leave out the methods that scikit-learn adds for its metadata routing."""
    del app, what, value, options
    return True if skipped or re.fullmatch(r"set_\w+_request|get_metadata_routing", name) else None


def plain_defaults(
    app: Any, what: str, name: str, value: object, options: object, arguments: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """Write defaults that are no Python, such as ``<factory>``, as an ellipsis: Sphinx can then parse the signature."""
    del app, what, name, value, options
    return arguments and re.sub(r"= <[^<>]*>", "= ...", arguments), returned


def describe_data(app: Any, what: str, name: str, value: object, options: object, lines: list[str]) -> None:
    """Replace the docstring of a value's class by the text below the assignment, in the module or a module of it."""
    del app, options
    package, _, attribute = name.rpartition(".")
    if what != "data":
        return
    for module in [one for one in sys.modules if f"{one}.".startswith(f"{package}.")]:
        text = ModuleAnalyzer.for_module(module).find_attr_docs().get(("", attribute))
        if text is not None and getattr(sys.modules[module], attribute, None) is value:
            lines[:] = text
            return


def name_start_page(app: Any, failure: Exception | None) -> None:
    """Give the start page the name that web servers look for. Its old name, which the search uses, leads there."""
    if failure is not None or app.builder.name != "html":
        return
    out = Path(app.outdir)
    for page in out.rglob("*.html"):
        page.write_text(TO_START.sub(r"\1index.html", page.read_text("utf-8")), "utf-8")
    built = out / f"{root_doc}.html"
    if MOVED not in built.read_text("utf-8"):  # built again
        built.replace(out / "index.html")
        built.write_text(f"<!doctype html>\n<title>{project}</title>\n{MOVED}\n", "utf-8")


def setup(app: Any) -> None:
    """Connect the functions above."""
    app.connect("source-read", read_source)
    app.connect("autodoc-skip-member", skip)
    app.connect("autodoc-process-signature", plain_defaults)
    app.connect("autodoc-process-docstring", describe_data)
    app.connect("build-finished", name_start_page)
