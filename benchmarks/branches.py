"""Cost of branches in training: convolutions grouped or joined, sums after or inside the batch norm.

python benchmarks/branches.py [--json]

The first part times convolutions alone, forward and backward in bfloat16, for 128 images. The second part times
training steps of networks with many branches. All use one thread, like a campaign's worker. All candidates run in each
round, and the best round of each counts.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from unittest.mock import patch

import torch
from torch import nn
from torch.nn import functional

from ohmnas.analog import fused
from ohmnas.analog.convert import analog_layers, set_noise, set_precision, to_analog
from ohmnas.analog.groups import join, joined_by
from ohmnas.analog.layers import AnalogConv2d
from ohmnas.analog.memory import keep_freed
from ohmnas.analog.noise import noise_source
from ohmnas.analog.recipe import Recipe
from ohmnas.analog.step import Step
from ohmnas.analog.train import NativeHooks
from ohmnas.hardware import Hardware
from ohmnas.spaces.resnet.architecture import Architecture, MainBlock
from ohmnas.spaces.resnet.network import build

BATCH = 128
CONVOLUTIONS = ((12, 2, 3, 32), (12, 4, 3, 32), (10, 7, 3, 16), (8, 3, 1, 32), (9, 5, 3, 16), (4, 8, 3, 32))
"""Groups, channels of each, kernel, side of the image."""
NETWORKS = (
    Architecture(8, 5, (MainBlock(6, 12, "B", 1, True),)),
    Architecture(8, 3, (MainBlock(13, 6, "B", 1, True), MainBlock(1, 2, "A", 2, True), MainBlock(5, 1, "A", 1, True))),
    Architecture(14, 5, (MainBlock(1, 1, "A", 1, True), MainBlock(6, 10, "B", 2, True))),
)
ROUNDS = 5


def main() -> None:
    """Time convolutions and training steps, and print the times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed()
    values = {f"{g} groups of {i}, {k}x{k}, {s}x{s}": _convolution(g, i, k, s) for g, i, k, s in CONVOLUTIONS}
    networks = {str(architecture): _network(architecture) for architecture in NETWORKS}
    if arguments.json:
        print(json.dumps({"convolutions": values, "networks": networks}))
        return
    print(f"{'convolution, forward and backward':42}{'apart':>10}{'joined':>12}")
    for name, (apart, together) in values.items():
        print(f"{name:42}{apart:7.1f} ms{together:9.1f} ms{together / apart:7.2f}")
    print("training step: grouped with sums after the batch norm, joined, joined with sums inside the batch norm")
    for name, times in networks.items():
        print(f"{name}\n{'':33}" + "".join(f"{1000 * t:9.0f} ms" for t in times) + f"{times[-1] / times[0]:8.2f}")


def _best(calls: list[Callable[[], object]]) -> list[float]:
    """Seconds of each call in its best round."""
    times = [[0.0] * len(calls) for _ in range(ROUNDS)]
    for call in calls:
        call()
    for row in times:
        for index, call in enumerate(calls):
            start = time.perf_counter()
            call()
            row[index] = time.perf_counter() - start
    return [min(column) for column in zip(*times, strict=True)]


def _convolution(groups: int, inputs: int, kernel: int, side: int) -> list[float]:
    """Milliseconds apart and joined."""
    x = _images(groups * inputs, side).bfloat16()
    weight = (
        torch.randn(groups * inputs, inputs, kernel, kernel).bfloat16().contiguous(memory_format=torch.channels_last)
    )
    several = joined_by(groups, weight)

    def run(several: int) -> None:
        held = join(weight, groups, several)
        y = functional.conv2d(x, held, None, 1, kernel // 2, 1, groups // several)
        geometry = ((1, 1), (kernel // 2, kernel // 2), (1, 1), False, (0, 0), groups // several)
        torch.ops.aten.convolution_backward(y, x, held, None, *geometry, (True, True, False))

    return [1000 * seconds for seconds in _best([lambda: run(1), lambda: run(several)])]


def _network(architecture: Architecture) -> list[float]:
    """Seconds of a step: grouped with sums after the batch norm, joined, and joined with sums inside the batch norm."""
    images, labels = _images(3, 32), torch.randint(10, (BATCH,))

    def steps(*, sums_within: bool) -> Callable[[], object]:
        torch.manual_seed(0)
        network = to_analog(build(architecture, (3, 32, 32), 10), Hardware()).train()
        set_precision(network, torch.bfloat16)
        set_noise(network, noise_source(0, torch.device("cpu")))
        if not sums_within:
            _put_sums_behind(network)
        step = Step(network, Recipe(), NativeHooks(list(analog_layers(network))))
        return lambda: step(images, labels, 0.5)

    behind, within = steps(sums_within=False), steps(sums_within=True)

    def apart() -> None:
        with patch.object(fused, "joined_by", lambda *_: 1):
            behind()

    return _best([apart, behind, within])


def _put_sums_behind(network: nn.Module) -> None:
    """Undo what `to_analog` does with the sums of branches."""
    for chain in network.modules():
        if isinstance(chain, nn.Sequential):
            for index, layer in enumerate(chain):
                if isinstance(layer, AnalogConv2d) and layer.sum is not None:
                    chain[index + 2], layer.sum = layer.sum, None


def _images(channels: int, side: int) -> torch.Tensor:
    return torch.randn(BATCH, channels, side, side).contiguous(memory_format=torch.channels_last)


if __name__ == "__main__":
    main()
