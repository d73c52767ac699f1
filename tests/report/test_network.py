from __future__ import annotations

from ohmnas.report.network import network_drawing, small_network
from ohmnas.search.candidate import Candidate
from ohmnas.spaces.cells import CellSpace
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.spaces.space import Space
from tests.report.conftest import parsed


def test_networks_of_every_space_are_drawn() -> None:
    spaces: tuple[Space, ...] = (ResNetSpace((3, 32, 32), 10), CellSpace((3, 32, 32), 10))
    for space in spaces:
        for architecture in space.references.values():
            genome = tuple(space.encode([architecture])[0].tolist())
            one = Candidate(architecture, genome, 0, 0, {"avm": 0.0}, space=space)
            across, upright = parsed(network_drawing(space, one))
            assert "style" not in across.attrib
            stages = space.stages(architecture)
            assert [item.findtext("div/b") for item in upright] == [stage.title for stage in stages]
            for item, stage in zip(upright, stages, strict=True):
                layers = sum(bar.branches for block in stage.blocks for bar in block)
                assert len(item.findall("svg/rect")) == layers
                words = " ".join(item.itertext())
                assert all(line in words for line in stage.lines)
            shares = [text for text in upright.itertext() if text.endswith(" %)")]
            assert len(shares) == len(stages)
            boxes = small_network(space, one)
            assert boxes
            assert all(width > 0 and height > 0 for _, _, width, height, _ in boxes)
            assert max(x + width for x, _, width, _, _ in boxes) <= 181


def test_an_upright_drawing_fits_a_small_phone() -> None:
    space = ResNetSpace((3, 32, 32), 10)
    for architecture in space.references.values():
        genome = tuple(space.encode([architecture])[0].tolist())
        drawn = parsed(network_drawing(space, Candidate(architecture, genome, 0, 0, {"avm": 0.0}, space=space)))[1]
        for svg in drawn.findall("li/svg"):
            width = float(svg.attrib["width"])
            assert width <= 150
            assert all(float(box.attrib["x"]) + float(box.attrib["width"]) <= width for box in svg.findall("rect"))
