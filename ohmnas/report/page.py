"""One self-contained HTML page from sections.

Jinja2 or markupsafe escapes everything that comes from a file. The page's content security policy forbids all requests.
It allows only the page's own script and style, identified by their checksums.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ohmnas.report.charts import Picture

_TEMPLATES: Final = "templates"


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table."""

    text: str
    value: float | str | None = None
    """Value for sorting the column; None sorts by the text."""
    is_number: bool = True
    mark: str = ""
    """Class of a mark before the text."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    networks: Sequence[str] = ()
    """Id of the network of each row, for tables whose rows can be selected."""
    is_sortable: bool = False
    is_tall: bool = False
    """True for a long table, which scrolls."""
    is_stacked: bool = False
    """True for a table that a phone shows with one cell per line, each after the title of its column."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A titled picture or chart with a row of its own."""

    title: str
    svg: Markup
    legend: Sequence[tuple[str, str]] = ()
    note: str = ""
    is_wide: bool = True


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a page. Its parts are shown in the order of the fields; the selected network is above `grid`."""

    anchor: str
    title: str
    text: Sequence[str] = ()
    figures: Sequence[Figure] = ()
    pictures: Sequence[Picture] = ()
    legend: Sequence[tuple[str, str]] = ()
    """Legend that all pictures share."""
    grid: Grid | None = None
    notes: Sequence[str] = ()
    """Notes below the table."""
    picks: bool = False
    """True if the networks of its charts can be selected; the selected one is shown below them."""
    details: Sequence[tuple[str, Grid]] = ()
    """Titles and tables that are folded until the reader opens them."""
    command: str = ""
    after: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """Networks with the same labels. The page shows their details when the pointer is over them."""

    labels: Sequence[str]
    networks: Mapping[str, tuple[str, str, Sequence[str], Sequence[Sequence[int]], str]] = field(default_factory=dict)
    """Id -> title, architecture, text for each label, boxes of a small drawing, value of ``--pick`` (or empty)."""
    commands: Sequence[tuple[str, str]] = ()
    """Purpose of each command for a selected network, and the command up to ``--pick``, without its value."""


def render(
    title: str,
    subtitle: str,
    facts: Sequence[tuple[str, str, str]],
    lead: Sequence[str],
    sections: Sequence[Section],
    groups: Sequence[Group] = (),
) -> str:
    """Return the page.

    Args:
        title: title of the page.
        subtitle: line below the title.
        facts: name, value and remark of each key figure.
        lead: first paragraphs.
        sections: sections, in order.
        groups: networks that charts and tables refer to.
    """
    environment = Environment(
        loader=PackageLoader("ohmnas.report", _TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = _text("page.css"), _text("page.js")
    data = [
        {"labels": list(group.labels), "networks": group.networks, "commands": list(group.commands)} for group in groups
    ]
    return environment.get_template("page.html").render(
        title=title,
        subtitle=subtitle,
        facts=facts,
        lead=lead,
        sections=sections,
        data=data,
        style=Markup(style),  # noqa: S704 - a file of this package
        script=Markup(script),  # noqa: S704 - a file of this package
        policy=policy(style, script),
    )


def policy(style: str, script: str) -> str:
    """Return the content security policy: no requests, and only this style and this script."""
    return (
        f"default-src 'none'; style-src '{_checksum(style)}'; script-src '{_checksum(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _checksum(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _text(name: str) -> str:
    return (resources.files("ohmnas.report") / _TEMPLATES / name).read_text(encoding="utf-8")


def number_cell(text: str, value: Any) -> Cell:
    """Return a cell that sorts by a number."""
    return Cell(text, float(value))


def text_cell(text: str, mark: str = "") -> Cell:
    """Return a left-aligned cell that sorts by its text."""
    return Cell(text, None, is_number=False, mark=mark)
