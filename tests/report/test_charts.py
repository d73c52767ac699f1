from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from ohmnas.report.charts import (
    MOST_ROWS,
    convergence_charts,
    front_charts,
    neighbours_chart,
    predicted_charts,
    shown_rows,
)
from ohmnas.report.subject import read_subject, read_subjects
from tests.report.conftest import parsed


def test_convergence_repeats_no_chart(found: Path, front: Path) -> None:
    one = read_subject(found)
    titles = [picture.title for picture in convergence_charts([one])]
    assert titles == ["1-day accuracy / std over chips", "1-day accuracy of the best network (%)"]
    plain = replace(one, result=replace(one.result, objective="accuracy_1d"))
    assert [picture.title for picture in convergence_charts([plain])] == ["1-day accuracy of the best network (%)"]
    assert len(convergence_charts([one, plain])) == 1  # different objectives do not compare
    assert len(convergence_charts([read_subject(front)])) == 3
    assert convergence_charts([replace(one, result=replace(one.result, history=[]))]) == []


def test_a_front_has_a_chart_for_each_pair(found: Path, front: Path) -> None:
    one = read_subject(front)
    pictures = front_charts([one], {id(one.result.front[0]): "a-network"})
    assert len(pictures) == 3
    assert all('data-net="a-network"' in picture.svg for picture in pictures)
    assert all(one.result.references[0].name in picture.svg for picture in pictures)
    assert front_charts([read_subject(found)], {}) == []


def test_measured_values_are_shown_next_to_predicted_ones(found: Path, front: Path) -> None:
    for folder, measured in ((found, 0), (front, 2)):
        pictures = predicted_charts(read_subject(folder))
        assert [picture.title for picture in pictures] == ["1-day accuracy", "std over chips", "AVM"]
        assert all(picture.svg.count('r="5"') == measured for picture in pictures)


def test_neighbours_are_marked(found: Path) -> None:
    one = read_subject(found)
    picture = neighbours_chart(one, {})
    assert picture is not None
    assert picture.svg.count('class="dot near"') == 8
    assert neighbours_chart(replace(one, neighbours=None), {}) is None


def test_the_errors_of_measured_networks_are_logarithmic(found: Path) -> None:
    picture = neighbours_chart(read_subject(found), {})
    assert picture is not None
    ticks = [one.text for one in parsed(picture.svg).findall("text") if one.attrib["class"] == "tick end"]
    assert {"90", "99"} <= {*ticks}
    assert "logarithmic" in picture.note


def test_each_result_has_its_colour_in_all_charts(found: Path) -> None:
    one = read_subject(found)
    near = neighbours_chart(one, {}, 1)
    assert near is not None
    for svg in (near.svg, *(picture.svg for picture in predicted_charts(one, 1))):
        assert "r1" in svg
        assert "r0" not in svg


def test_long_tables_are_thinned() -> None:
    assert shown_rows(0) == []
    assert shown_rows(3) == [0, 1, 2]
    assert len(shown_rows(10 * MOST_ROWS)) == MOST_ROWS


def test_fronts_side_by_side_show_the_references_of_all_results(found: Path, front: Path) -> None:
    one, other = read_subjects([found, front])
    fewer = replace(one, result=replace(one.result, references=[]))
    for subjects in ([fewer, other], [other, fewer]):
        picture = front_charts(subjects, {})[0].svg
        assert picture.count("ref cross") == len(other.result.references)


def test_the_interval_of_the_found_network_lies_within_the_axes(found: Path) -> None:
    one = read_subject(found)
    best = replace(one.result.best, interval={"accuracy_1d": (0.9, 0.99999)})
    picture = neighbours_chart(replace(one, result=replace(one.result, best=best)), {})
    assert picture is not None
    (high,) = re.findall(r'<line class="bar r0 thin"[^>]* y2="([0-9.-]+)"', picture.svg)
    assert float(high) >= 0.0
    assert picture.legend[-1][1] == "found, predicted with its 90 % interval"


def test_charts_of_predictions_share_their_axes(found: Path, front: Path) -> None:
    one, other = read_subjects([found, front])
    ticks = [
        re.findall(r'<text class="tick[^"]*"[^>]*>([^<]*)</text>', predicted_charts(each, 0, "x", [another])[0].svg)
        for each, another in ((one, other), (other, one))
    ]
    numbers = [[text for text in each if text[:1].isdigit()] for each in ticks]
    assert numbers[0] == numbers[1]
