from __future__ import annotations

from dataclasses import replace

import pytest

from ohmnas.estimators.inherit.growth import growth_fault, inner_channels
from ohmnas.spaces.resnet.architecture import Architecture, MainBlock
from ohmnas.spaces.resnet.references import reference

BASIC = MainBlock(1, 1, "A", 1, True)
PARENT = Architecture(8, 5, (BASIC, replace(BASIC, widening=2)))


def of_blocks(*blocks: MainBlock) -> Architecture:
    return replace(PARENT, blocks=blocks)


FAULTS = {
    "its stem is smaller": replace(PARENT, stem_kernel=3),
    "it has fewer main blocks": of_blocks(BASIC),
    "its main block 1 has a different convolution type": of_blocks(replace(BASIC, conv_type="B"), *PARENT.blocks[1:]),
    "its main block 1 has a different convolution type or residual": of_blocks(
        replace(BASIC, skip=False), *PARENT.blocks[1:]
    ),
    "its main block 2 is smaller": of_blocks(BASIC, BASIC),
    "its main block 3 has too few inner channels to pass 16": of_blocks(*PARENT.blocks, MainBlock(1, 1, "B", 1, True)),
}


def test_a_network_can_grow_into_itself_and_into_larger_references() -> None:
    small, large = reference("resnet8-w8"), reference("resnet20")
    assert growth_fault(small, small, (8, 8)) == growth_fault(small, large, (8, 8)) == ""
    assert growth_fault(large, small, (8, 8)) == "its stem is smaller"


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_named(fault: str) -> None:
    assert growth_fault(PARENT, FAULTS[fault], (8, 8)).startswith(fault)


def test_a_new_main_block_needs_an_even_side() -> None:
    grown = of_blocks(*PARENT.blocks, BASIC)
    assert growth_fault(PARENT, grown, (8, 8)) == growth_fault(PARENT, grown, (2, 2)) == ""
    assert "feature map of 3x3 pixels" in growth_fault(PARENT, grown, (6, 6))


def test_an_identity_cannot_replace_a_convolution() -> None:
    parent = of_blocks(replace(BASIC, widening=2))
    child = Architecture(16, 5, (BASIC,))
    assert growth_fault(parent, child, (8, 8)).endswith(
        "an identity in place of a convolution in its residual connection"
    )


def test_bottlenecks_have_a_quarter_of_the_channels_inside() -> None:
    assert [inner_channels(MainBlock(1, 1, "B", 1, True), n) for n in (2, 9, 16)] == [1, 2, 4]
