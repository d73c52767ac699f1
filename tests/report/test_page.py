from __future__ import annotations

import base64
import hashlib
import json
import re

from ohmnas.report.page import Grid, Group, Section, policy, render, text_cell

EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u2028'\""


def test_nothing_from_files_becomes_markup() -> None:
    page = render(
        EVIL,
        EVIL,
        [(EVIL, EVIL, EVIL)],
        [EVIL],
        [
            Section(
                "a", EVIL, [EVIL], grid=Grid([EVIL], [[text_cell(EVIL, "dot r0")]], [EVIL], True), picks=True,
                details=[(EVIL, Grid([EVIL], []))], command=EVIL, after=[EVIL], legend=[(f"dot {EVIL}", EVIL)],
            )
        ],
        [Group([EVIL], {EVIL: (EVIL, EVIL, [EVIL], [[0, 0, 1, 1, 0]], EVIL)}, [(EVIL, EVIL)])],
    )  # fmt: skip
    assert "<img" not in page
    assert page.count("<script") == 2
    assert page.count("</script>") == 2
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert data
    assert json.loads(data[1])[0]["labels"] == [EVIL]


def test_the_policy_allows_only_the_style_and_script_of_the_page() -> None:
    page = render("t", "s", [], [], [])
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)
    assert style
    assert script
    said = policy(style[1], script[1])
    assert said.startswith("default-src 'none'; ")
    for text in (style[1], script[1]):
        assert base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() in said
    assert said.replace("'", "&#39;") in page
    assert "unsafe" not in said
    assert not re.search(r"""(?:src|href)=["'](?!#|data:,)""", page)
    assert "style=" not in page
