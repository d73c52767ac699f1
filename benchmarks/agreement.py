"""Native engine against aihwkit: accuracies of the same trained networks over a month, on 25 chips of each.

python benchmarks/agreement.py [--networks 12] [--chips 25] [--precision float32] [--json]

Each network of the digits plan is trained natively and copied to aihwkit's layers with its weights, batch norm
statistics and input ranges. Both engines then program and read it. z is the difference of the means in standard errors;
if both engines are the same, one z in twenty is beyond 2. The technologies take turns. Networks that guess are
excluded, because a guess agrees with any other. The precision applies to our own convolutions when chips are read;
aihwkit computes in float32.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np
import torch

from ohmnas.analog.convert import set_precision
from ohmnas.analog.drift import TIMES, digital_accuracy
from ohmnas.analog.engine import Aihwkit, Native
from ohmnas.analog.images import ImageSet
from ohmnas.datasets.campaign.fidelity import fidelity
from ohmnas.datasets.campaign.measure import train_network
from ohmnas.datasets.campaign.plan import plan
from ohmnas.datasets.campaign.protocol import Protocol
from ohmnas.datasets.tasks.task import task
from ohmnas.hardware import hardware

TECHNOLOGIES = ("pcm", "hermes", "reram")
LARGEST_MACS = 600_000
"""aihwkit takes minutes for 25 chips of a larger one."""
LEAST_ACCURACY = 0.5
"""Of the trained network computed exactly."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=12)
    parser.add_argument("--chips", type=int, default=25)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    digits = task("digits")
    population = plan(digits, 200, kind="spread")[7:]
    population = population[digits.space.layers(population).macs() <= LARGEST_MACS]
    data = digits.load()
    images = ImageSet(data.validation.images, data.mean, data.std)
    labels = torch.from_numpy(data.validation.labels)
    calibration = ImageSet(data.train.images, data.mean, data.std)
    protocol = Protocol(digits, fidelity("table", digits.name))
    rows: list[dict[str, Any]] = []
    scores = []
    heading = " | ".join(f"{name}: native, aihwkit, z" for name in TIMES)
    if not arguments.json:
        print(f"| network | chip | {heading} |\n|---|---|{'---|' * len(TIMES)}")
    for genome in population:
        if len(rows) == arguments.networks:
            break
        chip = hardware(TECHNOLOGIES[len(rows) % len(TECHNOLOGIES)])
        network, _ = train_network(protocol, genome, chip, seed=7)
        if digital_accuracy(network, images, labels) < LEAST_ACCURACY:
            continue
        set_precision(network, getattr(torch, arguments.precision))
        theirs = Aihwkit().from_native(network, chip)
        accuracies = [
            engine.read_over_time(one, chip, images, labels, arguments.chips, 3, calibration).accuracies
            for engine, one in ((Native(), network), (Aihwkit(), theirs))
        ]
        means = [a.mean(axis=0) for a in accuracies]
        error = np.sqrt(sum(a.var(axis=0, ddof=1) / len(a) for a in accuracies))
        z = (means[0] - means[1]) / np.maximum(error, 1e-9)
        scores.append(z)
        name = str(digits.space.decode(genome[None])[0])
        rows.append({"network": name, "hardware": chip.name, "native": [*means[0]], "aihwkit": [*means[1]], "z": [*z]})
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
