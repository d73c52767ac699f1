"""Check the links of a built site offline: every internal link leads to a file, and every anchor exists there.

python docs/check_links.py build/docs
"""

from __future__ import annotations

import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class _Page(HTMLParser):
    """The links and anchors of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect a tag's link and anchor."""
        for name, value in attrs:
            if value and name in ("href", "src"):
                self.links.add(value)
            elif value and (name == "id" or (tag == "a" and name == "name")):
                self.anchors.add(value)


@cache
def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text("utf-8"))
    return page


def broken_links(site: Path) -> list[str]:
    """Return one line for each internal link that leads nowhere.

    Args:
        site: folder of HTML pages.
    """
    broken = []
    for path in sorted(site.rglob("*.html")):
        for link in sorted(_read(path).links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            there = there / "index.html" if there.is_dir() else there
            anchor = unquote(parts.fragment)
            exists = there.is_file() and (not anchor or there.suffix != ".html" or anchor in _read(there).anchors)
            if not exists:
                broken.append(f"{path.relative_to(site)} links to {link}")
    return broken


def main() -> int:
    """Print the broken links of the site that the first argument names. Return 1 if there are any."""
    site = Path(sys.argv[1])
    broken = broken_links(site)
    print("\n".join(broken) or f"all internal links of {len(list(site.rglob('*.html')))} pages lead somewhere")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
