"""Peak memory against a runtime that keeps a set of live tensors."""

from __future__ import annotations

from itertools import product
from math import prod

from hypothesis import given, settings
from hypothesis import strategies as st

from ohmnas.spaces.genes import Population
from ohmnas.spaces.mobile import REFERENCES, MobileArchitecture, MobileSpace, MobileStage
from ohmnas.spaces.mobile.layers import MobileLayers
from ohmnas.spaces.schedule import Schedule

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


def needed(pixels: set[int], kernel: int, stride: int, side: int) -> set[int]:
    """Pixels that a convolution reads along one side."""
    reach = range(-(kernel // 2), kernel - kernel // 2)
    return {pixel * stride + tap for pixel in pixels for tap in reach if 0 <= pixel * stride + tap < side}


def in_patches(one: MobileArchitecture, shape: tuple[int, int, int], schedule: Schedule) -> tuple[int, int]:
    """The smallest peak over all numbers of blocks in patches, and repeated MACs, from the pixels of each patch."""
    channels, *image = shape
    sides = [one.image_sides(*image)]
    sides.append((-(-sides[0][0] // one.stem_stride), -(-sides[0][1] // one.stem_stride)))
    layers, width = [], one.stem_channels  # of each block: stage, block, channels before it, its sides
    for stage in one.stages:
        for block in range(stage.depth):
            stride = stage.stride if block == 0 else 1
            before = sides[-1]
            sides.append((-(-before[0] // stride), -(-before[1] // stride)))
            layers.append((stage, block, width, stride, before, sides[-1]))
            width = stage.width
    area = sides[-1][0] * sides[-1][1]
    end = max(one.features * (area + 1), one.features + 4)
    end = max(end, (width + one.features) * area if one.head else 0)
    whole = [block_peak(*layer[:3], prod(layer[4]), prod(layer[5]), schedule) for layer in layers]
    stem = channels * prod(sides[0]) + one.stem_channels * prod(sides[1])
    best, repeated = max([stem, end, *whole]), 0
    for last in range(len(layers)):
        macs = -channels * one.stem_kernel**2 * one.stem_channels * prod(sides[1])
        macs -= sum(block_macs(stage, into, prod(i), prod(o)) for stage, _, into, _, i, o in layers[: last + 1])
        high, wide = layers[last][5]
        peaks = [end, *whole[last + 1 :]]
        for row, column in product(range(schedule.patches), repeat=2):
            spans = [
                set(range(place * side // schedule.patches, (place + 1) * side // schedule.patches))
                for place, side in ((row, high), (column, wide))
            ]
            buffer = layers[last][0].width * high * wide
            for place in reversed(range(last + 1)):
                stage, block, into, stride, before, _ = layers[place]
                read = [needed(span, stage.kernel, stride, side) for span, side in zip(spans, before, strict=True)]
                areas = prod(map(len, read)), prod(map(len, spans))
                macs += block_macs(stage, into, *areas)
                peaks.append(buffer + block_peak(stage, block, into, *areas, schedule, place == last))
                spans = read
            read = [
                needed(span, one.stem_kernel, one.stem_stride, side) for span, side in zip(spans, sides[0], strict=True)
            ]
            peaks.append(buffer + channels * prod(map(len, read)) + one.stem_channels * prod(map(len, spans)))
            macs += channels * one.stem_kernel**2 * one.stem_channels * prod(map(len, spans))
        if max(peaks) < best:
            best, repeated = max(peaks), macs
    return best, repeated


def block_macs(stage: MobileStage, into: int, before: int, behind: int) -> int:
    hidden = into * max(stage.expansion, 1)
    return into * hidden * before * stage.expands + hidden * (stage.kernel**2 + stage.width) * behind


def block_peak(
    stage: MobileStage, block: int, into: int, before: int, behind: int, schedule: Schedule, writes_output: bool = False
) -> int:
    """Peak inside a block for so many pixels before and behind its depthwise convolution."""
    hidden, adds = into * max(stage.expansion, 1), stage.adds_input(block, into)
    kept = into * before if adds else 0
    in_place = schedule.in_place_depthwise and (stage.expands or not adds)
    peaks = [(into * before if stage.expands and adds else 0) + hidden * before + (1 if in_place else hidden) * behind]
    peaks.append(kept + hidden * behind + (0 if writes_output else stage.width * behind))
    if stage.expands:
        peaks.append((into + hidden) * before)
    return max(peaks)


@given(populations(most=2), st.sampled_from([(False, 2), (True, 1), (True, 3)]))
@settings(max_examples=15, deadline=None)
def test_patches_read_what_their_pixels_need(population: Population, schedule: tuple[bool, int]) -> None:
    asked = Schedule(*schedule)
    small = population[[one.depth < 40 for one in SPACE.decode(population)]]
    table = SPACE.layers(small)
    assert isinstance(table, MobileLayers)
    found = zip(table.scheduled_memory(asked).tolist(), table.repeated_macs(asked).tolist(), strict=True)
    patched = [in_patches(one, (3, 12, 10), asked) for one in SPACE.decode(small)]
    assert [*found] == (patched if asked.patches > 1 else [(peak, 0) for peak, _ in patched])


def test_memory_of_mobilenetv2_is_the_published_one() -> None:
    """Lin et al., 2021, figure 1, in bytes of int8: 1372 kB layer by layer.

    Behind the first five blocks, 172 kB remain.
    """
    space = MobileSpace((3, 224, 224), 1000)
    table = space.layers(space.encode([REFERENCES["mobilenetv2"]]))
    assert table.scheduled_memory(Schedule(in_place_depthwise=True)).tolist() == [1372 * 1024]
    assert table.scheduled_memory(Schedule(True, 10)).tolist() == [(32 + 192) * 28 * 28]  # 171.5 kB
    assert 1372 * 1024 / table.scheduled_memory(Schedule(True, 4))[0] == 7.0
    assert isinstance(table, MobileLayers)
    assert 0.09 < table.repeated_macs(Schedule(True, 4))[0] / table.macs()[0] < 0.1


@given(populations(most=6))
@settings(max_examples=10)
def test_more_freedom_never_needs_more(population: Population) -> None:
    table = SPACE.layers(population)
    plain, in_place, patches = (table.scheduled_memory(Schedule(*one)) for one in ((), (True,), (True, 3)))
    assert (plain == table.peak_memory()).all()
    assert (in_place <= plain).all()
    assert (patches <= in_place).all()
