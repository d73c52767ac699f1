"""Convolutions in bfloat16 compared with float32: the same architectures and seeds trained with both.

python benchmarks/precision.py [--seeds 8] [--json]

The architectures are six networks of the digits plan at the edge of trainability, where rounding changes the result as
much as a seed; all others give the same result with both. Accuracies are computed exactly with the trained weights, on
the validation images of the digits. The difference and its standard error are paired.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

import numpy as np
import torch

from ohmnas.analog.convert import to_analog
from ohmnas.analog.drift import digital_accuracy
from ohmnas.analog.images import ImageSet
from ohmnas.analog.memory import keep_freed
from ohmnas.analog.recipe import Recipe
from ohmnas.analog.train import train
from ohmnas.datasets.campaign.fidelity import fidelity
from ohmnas.datasets.campaign.plan import plan
from ohmnas.datasets.tasks.task import task
from ohmnas.errors import DivergedError
from ohmnas.hardware import Hardware
from ohmnas.spaces.resnet.network import build

PRECISIONS = ("float32", "bfloat16")
NETWORKS, AT_THE_EDGE = 12, (2, 4, 7, 8, 9, 10)
"""Number of architectures, spread over the plan, and the indices of those at the edge."""


def main() -> None:
    """Print the pairs and their mean difference."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed()
    digits = task("digits")
    population = plan(digits, 400, kind="spread")[7:]
    architectures = digits.space.decode(population[np.linspace(0, len(population) - 1, NETWORKS).astype(int)])
    effort = fidelity("table", digits.name)
    recipe = replace(Recipe(), epochs=effort.epochs, batch=effort.batch)
    data = digits.load()
    images, validation = (ImageSet(split.images, data.mean, data.std) for split in (data.train, data.validation))
    labels, validation_labels = torch.from_numpy(data.train.labels), torch.from_numpy(data.validation.labels)
    pairs = []
    if not arguments.json:
        print(f"{'network':82}{PRECISIONS[0]:>9} {PRECISIONS[1]:>9}")
    for round_ in range(arguments.seeds):
        for index in AT_THE_EDGE:
            architecture, seed = architectures[index], 5000 + 100 * round_ + index
            pair = []
            for precision in PRECISIONS:
                torch.manual_seed(seed)
                network = to_analog(build(architecture, digits.input_shape, digits.classes), Hardware())
                try:
                    train(network, images, labels, replace(recipe, precision=precision), seed)
                    pair.append(digital_accuracy(network, validation, validation_labels))
                except DivergedError:
                    pair.append(1 / digits.classes)
            pairs.append(pair)
            if not arguments.json:
                print(f"{str(architecture)[:80]:82}{100 * pair[0]:7.2f} %{100 * pair[1]:7.2f} %", flush=True)
    values = np.array(pairs)
    difference = values[:, 1] - values[:, 0]
    error = difference.std(ddof=1) / len(difference) ** 0.5
    if arguments.json:
        print(json.dumps({"pairs": pairs, "difference": difference.mean(), "standard_error": error}))
        return
    means = 100 * values.mean(axis=0)
    print(f"{len(pairs)} pairs: {PRECISIONS[0]} {means[0]:.2f} %, {PRECISIONS[1]} {means[1]:.2f} %, ", end="")
    print(f"difference {100 * difference.mean():+.2f} points (standard error {100 * error:.2f})")


if __name__ == "__main__":
    main()
