from __future__ import annotations

from ohmnas.spaces.resnet.references import REFERENCES
from ohmnas.spaces.resnet.stages import stages


def test_a_network_has_a_stage_for_each_main_block() -> None:
    stem, first, second, third, linear = stages(REFERENCES["resnet20"], (3, 32, 32), 10)
    assert (stem.title, linear.title) == ("stem", "linear")
    assert [stage.side for stage in (first, second, third)] == [(32, 32), (16, 16), (8, 8)]
    assert [len(stage.blocks) for stage in (first, second, third)] == [3, 3, 3]
    assert first.skip
    assert first.lines == ("3 x basic", "16 channels", "with skip")


def test_bottlenecks_and_branches_are_drawn_as_they_are() -> None:
    _, first, *_ = stages(REFERENCES["resnet50"], (3, 32, 32), 10)
    assert [(bar.kind, bar.channels) for bar in first.blocks[0]] == [
        ("pointwise", 64),
        ("spatial", 64),
        ("pointwise", 256),
    ]
    _, first, *_ = stages(REFERENCES["resnext29-4"], (3, 32, 32), 10)
    assert first.blocks[0][0].branches == 4
