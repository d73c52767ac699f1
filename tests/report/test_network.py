from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ohmnas.report.network import network_svg, small_network, tiles_svg
from ohmnas.report.subject import read_subject
from ohmnas.search.candidate import Candidate
from ohmnas.spaces.cells import CellSpace
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.spaces.space import Space
from tests.report.conftest import parsed


def test_each_tile_is_drawn_with_its_used_cells(found: Path) -> None:
    one = read_subject(found)
    svg = tiles_svg(one.layers, 512, 512)
    assert svg is not None
    tiles = parsed(svg).findall("g")
    assert len(tiles) == one.result.best.costs["tiles"]
    many = [replace(each, placement=replace(each.placement, matrices=1000)) for each in one.layers]
    assert tiles_svg(many, 512, 512) is None


def test_networks_of_every_space_are_drawn() -> None:
    spaces: tuple[Space, ...] = (ResNetSpace((3, 32, 32), 10), CellSpace((3, 32, 32), 10))
    for space in spaces:
        for architecture in space.references.values():
            genome = tuple(space.encode([architecture])[0].tolist())
            one = Candidate(architecture, genome, 0, 0, {"avm": 0.0}, space=space)
            svg = parsed(network_svg(space, one))
            assert "style" not in svg.attrib
            boxes = small_network(space, one)
            assert boxes
            assert all(width > 0 and height > 0 for _, _, width, height, _ in boxes)
            assert max(x + width for x, _, width, _, _ in boxes) <= 181
