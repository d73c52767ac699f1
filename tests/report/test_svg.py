from __future__ import annotations

from ohmnas.report.axes import Axis, axis
from ohmnas.report.svg import Chart
from tests.report.conftest import parsed

EVIL = '"><script>alert(1)</script>'


def chart() -> Chart:
    return Chart(axis("x", [0, 10]), axis("y", [0, 10]), "a chart")


def share(text: str) -> float:
    return float(text.removesuffix("%"))


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
    assert share(low.attrib["cx"]) < share(high.attrib["cx"])
    assert float(low.attrib["cy"]) > float(high.attrib["cy"])  # down is positive in SVG


def test_names_do_not_overlap_and_stay_inside() -> None:
    made = chart()
    for shift in range(6):
        made.name((9.9 - 0.01 * shift, 9.9), f"resnet{shift}-w8", "ref")
    names = [one for one in parsed(made.markup()).findall("text") if "note" in one.attrib["class"]]
    places = [(one.attrib["dx"], float(one.attrib["y"])) for one in names]
    assert len(places) == len(set(places)) == 6
    assert all("end" in one.attrib["class"] for one in names)  # to the left of a point at the right edge


def test_names_do_not_cover_large_marks() -> None:
    made = chart()
    made.dot((5.0, 5.0), "r0 best", 6.5)
    made.name((5.0, 5.0), "a", "ref")
    made.dot((8.0, 2.0), "r0", 3.0)
    made.name((8.0, 2.0), "a", "ref")
    covered, free = (one for one in parsed(made.markup()).findall("text") if "note" in one.attrib["class"])
    assert float(covered.attrib["y"]) > 10
    assert free.attrib["dx"] == "9"


def test_a_chart_has_no_width_of_its_own_so_its_text_is_never_scaled() -> None:
    made = chart()
    made.line([(0, 0), (10, 10)], "r0")
    made.interval((5, 1), (5, 9), "r0")
    svg = parsed(made.markup())
    assert "viewBox" not in svg.attrib
    assert all(not list(one.iter("text")) for one in svg.iter("svg") if "viewBox" in one.attrib)
    whisker = next(one for one in svg.findall("svg") if "viewBox" not in one.attrib)
    assert whisker.attrib["x"] == f"{100 * axis('x', [0, 10]).share(5):.2f}%"


def test_labels_of_an_axis_do_not_touch() -> None:
    ticks = [(float(value), f"{value},000,000") for value in range(11)]
    made = Chart(Axis("x", 0.0, 10.0, "linear", ticks), axis("y", [0, 10]), "a chart")
    labels = [one for one in parsed(made.markup()).findall("text") if "tick middle" in one.attrib["class"]]
    assert 3 <= len(labels) < 11


def test_style_attributes_are_absent_because_the_policy_forbids_them() -> None:
    made = chart()
    made.line([(0, 0), (1, 1)], "r0", step=True)
    made.band([(0, 0), (1, 0)], [(0, 1), (1, 1)], "r0")
    made.bar((0, 0), (1, 1), "r0")
    made.line([], "r0")
    svg = str(made.markup())
    assert "style=" not in svg
    assert "NaN" not in svg
