from __future__ import annotations

from ohmnas.oneshot.rules import RULES


def test_each_rule_has_a_summary_with_its_source() -> None:
    assert all("20" in summary for summary in RULES.values())
