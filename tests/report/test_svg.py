from __future__ import annotations

from ohmnas.report.axes import axis
from ohmnas.report.svg import Chart
from tests.report.conftest import parsed

EVIL = '"><script>alert(1)</script>'


def chart() -> Chart:
    return Chart(axis("x", [0, 10]), axis("y", [0, 10]), "a chart")


def test_texts_are_escaped() -> None:
    made = Chart(axis(EVIL, [0, 1]), axis(EVIL, [0, 1]), EVIL)
    made.name((0.5, 0.5), EVIL, "ref")
    made.dot((0.5, 0.5), "r0", network=EVIL)
    svg = str(made.markup())
    assert "<script" not in svg
    parsed(svg)  # well-formed


def test_marks_are_where_their_values_are() -> None:
    made = chart()
    for at in ((0.0, 0.0), (10.0, 10.0)):
        made.dot(at, "r0")
    low, high = parsed(made.markup()).findall("circle")
    assert float(low.attrib["cx"]) < float(high.attrib["cx"])
    assert float(low.attrib["cy"]) > float(high.attrib["cy"])  # down is positive in SVG


def test_names_do_not_overlap_and_stay_inside() -> None:
    made = chart()
    for shift in range(6):
        made.name((9.9 - 0.01 * shift, 9.9), f"resnet{shift}-w8", "ref")
    names = [one for one in parsed(made.markup()).findall("text") if "note" in one.attrib["class"]]
    places = [(float(one.attrib["x"]), float(one.attrib["y"])) for one in names]
    assert len(places) == len(set(places)) == 6
    assert all(58 <= x <= 440 for x, _ in places)


def test_style_attributes_are_absent_because_the_policy_forbids_them() -> None:
    made = chart()
    made.line([(0, 0), (1, 1)], "r0", step=True)
    made.band([(0, 0), (1, 0)], [(0, 1), (1, 1)], "r0")
    made.bar((0, 0), (1, 1), "r0")
    made.line([], "r0")
    svg = str(made.markup())
    assert "style=" not in svg
    assert "NaN" not in svg
