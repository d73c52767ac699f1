from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ohmnas.errors import BrokenFileError
from ohmnas.report.subject import read_subject, read_subjects


def test_a_folder_and_its_file_are_the_same_result(found: Path) -> None:
    assert read_subject(found).result == read_subject(found / "result.json").result
    with pytest.raises(BrokenFileError, match=r"has no result\.json"):
        read_subject(found.parent)


def test_layers_add_up_to_the_network(found: Path) -> None:
    one = read_subject(found)
    best = one.result.best
    placed = [each.placement for each in one.layers]
    assert sum(each.params for each in placed) == best.params
    assert sum(each.macs for each in placed) == best.macs
    assert sum(each.tiles for each in placed) == best.costs["tiles"]
    assert sum(each.energy for each in placed) == pytest.approx(best.costs["energy"])
    assert replace(one, result=replace(one.result, provenance={})).layers == []


def test_measurements_of_another_network_are_not_of_the_found_one(front: Path) -> None:
    one = read_subject(front)
    assert one.measured_best is not None
    other = replace(one.result, best=one.result.front[-1])
    assert replace(one, result=other).measured_best is None
    assert replace(one, measurement=None).measured_best is None


def test_a_reference_that_was_found_is_shown_once(found: Path) -> None:
    one = read_subject(found)
    assert one.reference_found == ""
    known = one.result.references[0]
    same = replace(one, result=replace(one.result, best=replace(known, name="")))
    assert same.reference_found == known.name
    assert known.name not in same.networks


def test_labels_are_those_of_the_table_unless_a_refinement_measured_itself(found: Path) -> None:
    one = read_subject(found)
    assert one.neighbours is not None
    known = next(each for each in one.result.references if one.neighbours.labels(each.genome))
    assert one.labels(known) == one.neighbours.labels(known.genome)
    refined = replace(one, result=replace(one.result, best=replace(one.result.best, trainings=1)))
    assert refined.labels(known) == {}


def test_different_names_have_different_anchors(found: Path) -> None:
    one = read_subject(found)
    names = ("a b", "a-b", "a.b", "ab", "found")
    anchors = [replace(one, name=name).anchor for name in names]
    assert len(set(anchors)) == len(names)
    assert anchors[-1] == "found"


def test_equal_names_get_a_number(found: Path, front: Path) -> None:
    names = [one.name for one in read_subjects([found, front, found])]
    assert names == ["found (1)", "front", "found (3)"]


def test_added_numbers_give_no_name_that_is_taken(found: Path, tmp_path: Path) -> None:
    folders = [tmp_path / "a" / "x", tmp_path / "b" / "x", tmp_path / "c" / "x (2)"]
    for folder in folders:
        shutil.copytree(found, folder)
    names = [one.name for one in read_subjects(folders)]
    assert len(set(names)) == 3
    assert names[2] == "x (2)"
