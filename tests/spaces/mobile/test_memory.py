"""Peak memory against a runtime that keeps a set of live tensors."""

from __future__ import annotations

from hypothesis import given, settings

from ohmnas.spaces.genes import Population
from ohmnas.spaces.mobile import MobileArchitecture, MobileSpace, MobileStage

from .conftest import SPACE, populations


class Runtime:
    """Runs layers on tensors that are nothing but names and sizes."""

    def __init__(self, image: int) -> None:
        self.alive = {"x": image}
        self.peak = image

    def layer(self, source: str, target: str, values: int, *, frees: bool = True) -> None:
        self.alive[f"new {target}"] = values
        self.peak = max(self.peak, sum(self.alive.values()))
        if frees:
            del self.alive[source]
        self.alive[target] = self.alive.pop(f"new {target}")


def simulated(one: MobileArchitecture, shape: tuple[int, int, int], classes: int) -> int:
    channels, *image = shape
    high, wide = one.image_sides(*image)
    runtime = Runtime(channels * high * wide)
    high, wide = -(-high // one.stem_stride), -(-wide // one.stem_stride)
    runtime.layer("x", "x", one.stem_channels * high * wide)
    width = one.stem_channels
    for stage in one.stages:
        for block in range(stage.depth):
            adds, source = stage.adds_input(block, width), "x"
            hidden = width * max(stage.expansion, 1)
            if stage.expands:
                runtime.layer(source, "hidden", hidden * high * wide, frees=not adds)
                source = "hidden"
            if block == 0:
                high, wide = -(-high // stage.stride), -(-wide // stage.stride)
            runtime.layer(source, "filtered", hidden * high * wide, frees=source == "hidden" or not adds)
            runtime.layer("filtered", "out", stage.width * high * wide)
            runtime.alive.pop("x", None)  # added in place
            runtime.alive["x"] = runtime.alive.pop("out")
            width = stage.width
    if one.head:
        runtime.layer("x", "x", one.features * high * wide)
    runtime.layer("x", "x", one.features)
    runtime.layer("x", "x", classes)
    return runtime.peak


@given(populations(most=8))
@settings(max_examples=60)
def test_the_peak_is_that_of_a_runtime_with_live_tensors(population: Population) -> None:
    found = SPACE.layers(population).peak_memory()
    assert found.tolist() == [simulated(one, (3, 12, 10), 4) for one in SPACE.decode(population)]


def test_golden_number_of_an_inverted_residual() -> None:
    # 1 x 8 x 8, stem of 8: image 64 + 512. Block of 8 channels that adds its input: 512 kept, 4 x 512 before and behind
    # the depthwise convolution
    space = MobileSpace((1, 8, 8), 10)
    network = MobileArchitecture(8, 8, 3, 1, 0, (MobileStage(1, 4, 3, 8, 1),))
    assert space.layers(space.encode([network])).peak_memory().tolist() == [512 + 2 * 2048]
