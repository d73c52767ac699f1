from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

from ohmnas.report.drift import SECONDS
from ohmnas.report.over_time import drift_chart
from ohmnas.report.subject import read_subject, read_subjects
from tests.report.conftest import parsed


def test_drift_shows_predictions_and_measurements(found: Path, front: Path) -> None:
    predicted, measured = drift_chart([read_subject(found)]), drift_chart([read_subject(front)])
    assert predicted is not None
    assert measured is not None
    assert len(predicted.legend) == 2
    assert len(measured.legend) == 4
    assert drift_chart([replace(read_subject(found), drift={})]) is None
    assert drift_chart([replace(read_subject(front), drift={})]) is not None


def intervals(svg: ElementTree.Element) -> list[ElementTree.Element]:
    return [one for one in svg.findall("svg") if "stretched" not in one.get("class", "")]


def test_intervals_of_one_time_never_cover_each_other(found: Path, front: Path) -> None:
    picture = drift_chart(read_subjects([found, front, found, front, found, front]))
    assert picture is not None
    drawn = intervals(parsed(picture.svg))
    assert len(drawn) == 6 * len(SECONDS)
    assert max(Counter(one.attrib["x"] for one in drawn).values()) == 1
    assert "<polygon" not in picture.svg


def test_each_time_keeps_its_marks_apart_from_the_other_times(found: Path, front: Path) -> None:
    picture = drift_chart(read_subjects([found, front] * 3))
    assert picture is not None
    places = sorted(float(one.attrib["x"].rstrip("%")) for one in intervals(parsed(picture.svg)))
    groups = [places[start : start + 6] for start in range(0, len(places), 6)]
    within = max(group[-1] - group[0] for group in groups)
    between = min(later[0] - earlier[-1] for earlier, later in pairwise(groups))
    assert between > 0.3 * within


def test_a_refinement_shows_its_measurements_on_validation_images(found: Path) -> None:
    one = read_subject(found)
    values = {f"accuracy_{time}": 0.9 - 0.01 * place for place, time in enumerate(SECONDS)}
    refined = replace(one.result, best=replace(one.result.best, trainings=1, measured=values))
    picture = drift_chart([replace(one, result=refined, drift={})])
    assert picture is not None
    assert picture.note.startswith("Measured on validation images: mean over training runs, including earlier rows")
    assert len(picture.legend) == 1
