from __future__ import annotations

from ohmnas.datasets.tasks.task import task
from ohmnas.hardware import Hardware
from ohmnas.oneshot.plan import Plan
from ohmnas.oneshot.shared import Pieces
from ohmnas.oneshot.supernet import skeleton
from ohmnas.spaces.cells.cell import REFERENCES


def test_each_parameter_of_each_reference_has_one_place() -> None:
    plan = Plan.of(task("digits").in_space("cells"), Hardware())
    for genome in plan.space.encode(REFERENCES.values()):
        network, places = skeleton(plan, genome)
        pieces = Pieces(network, places)
        assert len(set(pieces.names)) == len(pieces.names)
        ranges = sum(not piece.dim() for piece in pieces.values())
        assert sum(piece.numel() for piece in pieces.values()) - ranges == plan.space.params(genome[None])[0]


def test_convolutions_of_one_edge_share_weights_by_kernel_only() -> None:
    plan = Plan.of(task("digits").in_space("cells"), Hardware())
    genomes = plan.space.encode([REFERENCES["cells-conv3x3"], REFERENCES["cells-conv1x1"]])
    threes, ones = ({place.layer for place in skeleton(plan, genome)[1]} for genome in genomes)
    assert "stage0.cell0.e01.nor_conv_3x3" in threes
    assert not any("nor_conv" in name for name in threes & ones)
    assert {"stem", "norm", "linear"} < threes & ones
