"""Native engine compared with aihwkit: accuracies of the same trained networks over a month, on 25 chips of each.

python benchmarks/agreement.py [--networks 12] [--chips 25] [--precision float32] [--json]

Each network is trained natively and copied to aihwkit's layers with its weights, batch norm statistics and input
ranges. Both engines then program and read it. The networks come from the digits plan. Two modules that the search space
does not have are added: convolutions with biases and without batch norm, and a residual module with its own forward
code. Each row has its own chip seed. z is the difference of the means in standard errors; if both engines are the same,
one z in twenty is beyond 2. The technology alternates between the networks of the plan. Networks that guess are
excluded, because guesses agree on any engine. The precision applies to the native engine's convolutions when chips are
read; aihwkit computes in float32.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ohmnas.analog.convert import set_precision, to_analog
from ohmnas.analog.drift import TIMES, digital_accuracy
from ohmnas.analog.engine import Aihwkit, Native
from ohmnas.analog.images import ImageSet
from ohmnas.analog.train import train
from ohmnas.datasets.campaign.fidelity import fidelity
from ohmnas.datasets.campaign.measure import train_network
from ohmnas.datasets.campaign.plan import plan
from ohmnas.datasets.campaign.protocol import Protocol
from ohmnas.datasets.tasks.task import task
from ohmnas.hardware import Hardware, hardware

TECHNOLOGIES = ("pcm", "hermes", "reram")
LARGEST_MACS = 600_000
"""Largest number of MACs: aihwkit takes minutes for 25 chips of a larger network."""
LEAST_ACCURACY = 0.5
"""Smallest accuracy of the trained network, computed exactly."""
SEED = 7


class Residual(nn.Module):
    """Biases, groups, dilation, a norm without affine and a layer kept digital, in forward code of its own."""

    def __init__(self) -> None:
        """Make the layers."""
        super().__init__()
        self.stem = nn.Conv2d(1, 16, 3, padding="same")
        self.conv1 = nn.Conv2d(16, 16, 3, padding=1, groups=2)
        self.norm1 = nn.BatchNorm2d(16)
        self.conv2 = nn.Conv2d(16, 16, 3, padding=2, dilation=2)
        self.norm2 = nn.BatchNorm2d(16, affine=False)
        self.mixing = nn.Conv1d(16, 16, 1)
        self.classifier = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        """``(n, 1, 8, 8)`` -> ``(n, 10)``."""
        x = torch.relu(self.stem(x))
        y = torch.relu(self.norm1(self.conv1(x)))
        x = torch.relu(x + self.norm2(self.conv2(y)))
        found: Tensor = self.classifier(self.mixing(x.flatten(2)).mean(dim=2))
        return found


def biased() -> nn.Sequential:
    """Convolutions with biases and without batch norm."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(32, 10),
    )


def planned(protocol: Protocol) -> Iterator[tuple[str, Hardware, nn.Module]]:
    """Trained networks of the plan: name, chip, network. The technology alternates."""
    space = protocol.task.space
    population = plan(protocol.task, 200, kind="spread")[7:]
    chips = cycle(hardware(name) for name in TECHNOLOGIES)
    chip = next(chips)
    for genome in population[space.layers(population).macs() <= LARGEST_MACS]:
        network, _ = train_network(protocol, genome, chip, seed=SEED)
        if _learned(network, protocol):
            yield str(space.decode(genome[None])[0]), chip, network
            chip = next(chips)


def modules(protocol: Protocol) -> Iterator[tuple[str, Hardware, nn.Module]]:
    """Trained modules that the search space does not have, on each technology."""
    data = protocol.data()
    images, labels = ImageSet(data.train.images, data.mean, data.std), torch.from_numpy(data.train.labels)
    for name, make, keep in (("biases, no norm", biased, ()), ("residual module", Residual, ("mixing",))):
        for technology in TECHNOLOGIES:
            chip = hardware(technology)
            torch.manual_seed(SEED)
            network = to_analog(make(), chip, keep)
            train(network, images, labels, protocol.training_recipe(chip), SEED)
            if _learned(network, protocol):
                yield name, chip, network


def _learned(network: nn.Module, protocol: Protocol) -> bool:
    data = protocol.data()
    images = ImageSet(data.validation.images, data.mean, data.std)
    return digital_accuracy(network, images, torch.from_numpy(data.validation.labels)) >= LEAST_ACCURACY


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=12, help="networks of the plan")
    parser.add_argument("--chips", type=int, default=25)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    digits = task("digits")
    protocol = Protocol(digits, fidelity("table", digits.name))
    data = digits.load()
    images = ImageSet(data.validation.images, data.mean, data.std)
    labels = torch.from_numpy(data.validation.labels)
    calibration = ImageSet(data.train.images, data.mean, data.std)
    rows: list[dict[str, Any]] = []
    scores = []
    heading = " | ".join(f"{name}: native, aihwkit, z" for name in TIMES)
    if not arguments.json:
        print(f"| network | chip | {heading} |\n|---|---|{'---|' * len(TIMES)}")
    torch.set_num_threads(1)
    for source in (modules(protocol), islice(planned(protocol), arguments.networks)):
        for name, chip, network in source:
            set_precision(network, getattr(torch, arguments.precision))
            theirs = Aihwkit().from_native(network, chip)
            accuracies = [
                engine.read_over_time(one, chip, images, labels, arguments.chips, len(rows), calibration).accuracies
                for engine, one in ((Native(), network), (Aihwkit(), theirs))
            ]
            means = [a.mean(axis=0) for a in accuracies]
            error = np.sqrt(sum(a.var(axis=0, ddof=1) / len(a) for a in accuracies))
            z = (means[0] - means[1]) / np.maximum(error, 1e-9)
            scores.append(z)
            rows.append(
                {"network": name, "hardware": chip.name, "native": [*means[0]], "aihwkit": [*means[1]], "z": [*z]}
            )
            if not arguments.json:
                cells = [f"{100 * a:.2f}, {100 * b:.2f}, {c:+.1f}" for a, b, c in zip(*means, z, strict=True)]
                print(f"| {name.replace('|', '·')} | {chip.name} | {' | '.join(cells)} |", flush=True)
    z = np.concatenate(scores)
    summary = {"comparisons": len(z), "beyond_2": int((np.abs(z) > 2).sum()), "mean_z": z.mean(), "std_z": z.std()}
    if arguments.json:
        print(json.dumps({"rows": rows, **summary}))
    else:
        print(
            f"\n{len(z)} comparisons, {summary['beyond_2']} beyond 2 standard errors ({0.0455 * len(z):.1f} expected); "
            f"z: mean {z.mean():+.2f} (0 expected), standard deviation {z.std():.2f} (1 expected)"
        )


if __name__ == "__main__":
    main()
