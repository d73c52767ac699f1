"""Peak memory against a runtime that keeps a set of live tensors."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace, genes
from ohmnas.spaces.resnet.architecture import Architecture, MainBlock
from ohmnas.spaces.resnet.layers import layers
from ohmnas.spaces.resnet.references import REFERENCES, reference
from tests.spaces.conftest import SPACE, populations

SHAPES = [(1, 8, 8), (3, 9, 7), (2, 1, 5), (40, 6, 6), (1, 1, 1)]


def peak_memory(population: Population, shape: tuple[int, int, int], classes: int = 10) -> npt.NDArray[np.int64]:
    return layers(population, shape, classes).peak_memory()


class Runtime:
    """Runs layers on tensors that are nothing but names and sizes."""

    def __init__(self, image: int) -> None:
        self.alive = {"x": image}
        self.peak = image

    def layer(self, source: str, target: str, values: int, last_reader: bool) -> None:
        """Make `target` from `source`, which is freed then if nobody reads it later."""
        assert source in self.alive
        assert target not in self.alive
        self.alive[target] = values
        self.peak = max(self.peak, sum(self.alive.values()))
        if last_reader:
            del self.alive[source]

    def add(self, source: str, target: str) -> None:
        """Add `source` into `target` in place; the first to come is the sum itself."""
        values = self.alive.pop(source)
        assert self.alive.setdefault(target, values) == values
        self.peak = max(self.peak, sum(self.alive.values()))

    def rename(self, source: str, target: str) -> None:
        assert target not in self.alive
        self.alive[target] = self.alive.pop(source)


def simulated(network: Architecture, shape: tuple[int, int, int], classes: int) -> int:
    """The peak, layer by layer."""
    channels, height, width = shape
    runtime = Runtime(channels * height * width)
    runtime.layer("x", "stem", network.stem_channels * height * width, last_reader=True)
    runtime.rename("stem", "x")
    into = network.stem_channels
    for index, (block, out) in enumerate(zip(network.blocks, network.channels, strict=True)):
        for repeat in range(block.residual_blocks):
            strided = index > 0 and repeat == 0
            area_in = height * width
            if strided:
                height, width = -(-height // 2), -(-width // 2)
            area_out = height * width
            quarter = max(out // 4, 1)
            sizes = {"A": [out * area_out] * 2, "B": [quarter * area_in, quarter * area_out, out * area_out]}
            for branch in range(block.branches):
                source = "x"
                for number, values in enumerate(sizes[block.conv_type]):
                    kept = source == "x" and (branch + 1 < block.branches or block.skip)
                    runtime.layer(source, f"layer {number}", values, last_reader=not kept)
                    source = f"layer {number}"
                runtime.add(source, "sum")
            if block.skip and (strided or into != out):
                runtime.layer("x", "skip", out * area_out, last_reader=True)
                runtime.add("skip", "sum")
            elif block.skip:
                runtime.add("x", "sum")
            runtime.rename("sum", "x")
            into = out
    runtime.layer("x", "pooled", into, last_reader=True)
    runtime.layer("pooled", "classes", classes, last_reader=True)
    assert runtime.alive == {"classes": classes}
    return runtime.peak


@given(populations(), st.sampled_from(SHAPES), st.sampled_from([2, 10, 5000]))
def test_the_peak_is_that_of_a_runtime_with_live_tensors(
    population: Population, shape: tuple[int, int, int], classes: int
) -> None:
    found = peak_memory(population, shape, classes)
    assert found.dtype == np.int64
    assert found.tolist() == [simulated(network, shape, classes) for network in SPACE.decode(population)]


@pytest.mark.parametrize("name", REFERENCES)
def test_reference_networks_too(name: str) -> None:
    space = ResNetSpace((3, 32, 32), 10)
    population = space.encode([reference(name)])
    assert peak_memory(population, space.input_shape, 10)[0] == simulated(reference(name), space.input_shape, 10)


def test_golden_number_of_a_basic_network() -> None:
    # resnet8-w8 at 1 x 8 x 8: three blocks of one branch with skips.
    # stem                image 64, output 8 x 64 = 512                               576
    # first block         identity skip: input 512, two layers of 512 each           1536
    # second block        1x1 skip: input 512, sum 16 x 16 = 256, skip's output 256  1024
    population = SPACE.encode([reference("resnet8-w8")])
    assert peak_memory(population, (1, 8, 8), 10).tolist() == [1536]


def test_golden_number_of_branched_bottlenecks_without_skip() -> None:
    # 3 x 5 x 4: stem 8 x 20 = 160 values, then a bottleneck of 3 branches: inner 8 x 20 = 160 twice, out 32 x 20 = 640.
    # second branch, last layer: block's input 160, input 160, output 640, sum 640   1600
    # third branch, first layer: block's input 160, output 160, sum 640               960
    # third branch, last layer: input 160, output 640, sum 640                       1440
    network = Architecture(8, 3, (MainBlock(1, 3, "B", 4, skip=False),))
    assert peak_memory(SPACE.encode([network]), (3, 5, 4), 10).tolist() == [1600]


@given(populations(most=10))
def test_a_skip_never_needs_less(population: Population) -> None:
    plain, skipping = population.copy(), population.copy()
    genes.block_view(plain)[..., genes.SKIP] = 0
    genes.block_view(skipping)[..., genes.SKIP] = genes.active_blocks(population)
    assert (peak_memory(plain, (1, 8, 8)) <= peak_memory(skipping, (1, 8, 8))).all()


def test_classes_count_where_they_are_many() -> None:
    population = SPACE.encode([reference("resnet8-w8")])
    assert peak_memory(population, (1, 8, 8), 5000).tolist() == [5032]  # 32 channels in front of them


def test_many_networks_are_as_each_alone(rng: np.random.Generator) -> None:
    population = SPACE.sample_uniform(2500, rng)
    found = peak_memory(population, (3, 32, 32))
    assert [peak_memory(population[row : row + 1], (3, 32, 32))[0] for row in range(0, 2500, 50)] == found[
        ::50
    ].tolist()


def test_the_largest_network_does_not_overflow() -> None:
    largest = SPACE.repair(np.full((1, 28), 999))
    assert peak_memory(largest, (3, 224, 224), 1000)[0] == simulated(SPACE.decode(largest)[0], (3, 224, 224), 1000)


def test_no_networks_have_no_peaks() -> None:
    assert peak_memory(SPACE.encode([]), (1, 8, 8)).shape == (0,)
