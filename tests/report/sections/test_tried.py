from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ohmnas.report.results import results_page
from ohmnas.report.sections.tried import tried_section
from ohmnas.report.subject import Subject, read_subject


def _refined(folder: Path) -> Subject:
    """A result as a refinement writes it: the found network, its best reference and one more were measured."""
    one = read_subject(folder)
    result = one.result
    networks = [result.references[0], result.best, result.references[1]]
    tried = [
        replace(each, name="", trainings=number, measured=each.predicted) for number, each in enumerate(networks, 1)
    ]
    best = replace(result.best, trainings=2, measured=result.best.predicted)
    return replace(one, result=replace(result, best=best, tried=tried), neighbours=None)


def test_a_search_has_no_networks_that_were_tried(found: Path) -> None:
    assert tried_section(read_subject(found), {}, several=False) is None


def test_networks_are_numbered_and_named(found: Path) -> None:
    one = _refined(found)
    ids = {id(each): f"t{row}" for row, each in enumerate(one.result.tried)}
    section = tried_section(one, ids, several=True)
    assert section is not None
    assert section.anchor == f"tried-{one.anchor}"
    assert section.grid is not None
    names = [(row[0].text, row[1].text, row[2].text) for row in section.grid.rows]
    first, second = (each.name for each in one.result.references[:2])
    assert names == [("1", first, "1"), ("2", "found", "2"), ("3", second, "3")]
    assert [*section.grid.networks] == ["t0", "t1", "t2"]
    for picture in section.pictures:
        assert all(f'data-net="{name}"' in picture.svg for name in ids.values())
        assert picture.svg.count("<text") >= 2


def test_the_page_offers_to_pick_a_network_by_its_genes(found: Path) -> None:
    one = _refined(found)
    page = results_page([one])
    assert 'id="tried"' in page
    assert ",".join(map(str, one.result.references[1].genome)) in page
