from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ohmnas.report.subject import LayerCost, read_subject
from ohmnas.report.tiles import parts_of, shades, tiles_picture
from tests.report.conftest import parsed


@pytest.fixture(scope="module")
def layers(found: Path) -> list[LayerCost]:
    return read_subject(found).layers


def test_each_layer_has_its_tiles_beside_its_name(layers: list[LayerCost]) -> None:
    picture = tiles_picture(layers, 512, 512, "r0")
    assert picture is not None
    drawn = parsed(picture).findall("div")
    for one, line in zip(layers, drawn, strict=True):
        assert line.findtext("dt") == one.name
        assert len(line.findall("dd/svg")) == one.placement.tiles


def test_the_used_cells_of_the_tiles_add_up_to_the_weights(layers: list[LayerCost]) -> None:
    for one in layers:
        parts = list(parts_of(one.placement))
        assert len(parts) == one.placement.tiles
        used = sum(part.rows * part.columns for part in parts)
        assert used == one.placement.matrices * one.placement.inputs * one.placement.outputs


def test_used_cells_are_to_scale_but_always_visible(layers: list[LayerCost]) -> None:
    picture = tiles_picture(layers, 512, 512, "r0")
    assert picture is not None
    parts = [part for one in layers for part in parts_of(one.placement)]
    for tile, part in zip(parsed(picture).findall("div/dd/svg"), parts, strict=True):
        side = float(tile.attrib["width"])
        used = tile.findall("rect")[1]
        for length, cells in (("width", part.columns), ("height", part.rows)):
            assert float(used.attrib[length]) == pytest.approx(max(side * cells / 512, 3.0), abs=0.06)


def test_a_stage_has_one_shade_and_shades_fade_from_the_first_stage_to_the_last(layers: list[LayerCost]) -> None:
    found = shades(layers)
    assert found == sorted(found)
    assert (found[0], found[-1]) == ("s0", "s6")
    by_stage = {(one.stage, shade) for one, shade in zip(layers, found, strict=True)}
    assert len(by_stage) == len({one.stage for one in layers})


def test_too_many_tiles_are_not_drawn(layers: list[LayerCost]) -> None:
    many = [replace(each, placement=replace(each.placement, matrices=1000)) for each in layers]
    assert tiles_picture(many, 512, 512, "r0") is None
