from __future__ import annotations

from pathlib import Path

from ohmnas.report.differences import differences_grid
from ohmnas.report.subject import read_subject


def test_each_difference_has_its_interval_and_p_value_if_there_are_any(front: Path) -> None:
    one = read_subject(front)
    assert one.measurement is not None
    reference = one.result.references[0].name
    rows = {row[1].text: [cell.text for cell in row] for row in differences_grid(one.measurement).rows}
    pair = f"found - {reference}"
    assert rows["1-day accuracy"] == [pair, "1-day accuracy", "+0.40", "+0.10 to +0.70", "0.02"]
    assert rows["digital accuracy"] == [pair, "digital accuracy", "+0.40", "+0.10 to +0.70", "-"]
    assert "AVM" not in rows
