"""What each choice of the training recipe is worth: accuracy after one day against seconds.

python benchmarks/recipes.py [--networks 12] [--cifar DIR] [--only TEXT]

Each variant changes the recipe in one place. It trains the same architectures of the digits plan, and the 1-day
accuracy is measured on 5 `pcm` chips of each. With the folder of CIFAR-10's binary version, ResNet-8 is trained
twice on 5,000 of its 32x32 images instead and measured on 1,000 of its validation images. Seconds are of one
core.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from ohmnas.analog.convert import to_analog
from ohmnas.analog.drift import accuracy_over_time
from ohmnas.analog.images import ImageSet
from ohmnas.analog.memory import keep_freed
from ohmnas.analog.precision import fastest
from ohmnas.analog.recipe import Recipe
from ohmnas.analog.train import train
from ohmnas.datasets.fidelity import fidelity
from ohmnas.datasets.plan import plan
from ohmnas.datasets.task import Task, task
from ohmnas.errors import DivergedError
from ohmnas.spaces.architecture import Architecture
from ohmnas.spaces.hardware import Hardware
from ohmnas.spaces.network import build
from ohmnas.spaces.reference import REFERENCES

CHIPS = 5
IMAGES, VALIDATION = 5000, 1000


def _variants(base: Recipe) -> dict[str, Recipe]:
    other = "float32" if base.precision == "bfloat16" else "bfloat16"
    always = replace(base, noise_from=-1.0, noise_full=0.0)
    return {
        "the recipe": base,
        f"{2 * base.epochs // 3} epochs": replace(base, epochs=2 * base.epochs // 3),
        f"{5 * base.epochs // 3} epochs": replace(base, epochs=5 * base.epochs // 3),
        "full weight noise always": always,
        "weight noise from 0 to 100 %": replace(base, noise_from=0.0, noise_full=1.0),
        "batches of 64, half the epochs": replace(base, batch=64, epochs=base.epochs // 2),
        "learning rate 0.1": replace(base, learning_rate=0.1),
        "learning rate 0.4": replace(base, learning_rate=0.4),
        "no gradient clipping": replace(base, gradient_norm=1e9),
        "shifts of a pixel": replace(base, shift=(1, 1)),
        "shifts of two pixels": replace(base, shift=(2, 2)),
        "mirrored": replace(base, flip=True),
        "running batch norm statistics": replace(base, norm_batches=0),
        "hopeless ones to the end": replace(base, hopeless_loss=10.0),
        other: replace(base, precision=other),
    }


def digits_plan(networks: int) -> tuple[Task, list[Architecture], Recipe]:
    """Architectures from all over the digits plan, and the recipe of their campaign."""
    digits = task("digits")
    population = plan(digits, 400)[7:]
    chosen = population[np.linspace(0, len(population) - 1, networks).astype(int)]
    return digits, digits.space.decode(chosen), replace(Recipe(), epochs=fidelity("paper").epochs)


def _cifar(folder: Path) -> tuple[Task, list[Architecture], Recipe]:
    recipe = replace(Recipe(), epochs=12, precision=fastest("cpu", 32 * 32, Hardware()))
    return task("cifar10", folder), [REFERENCES["resnet8-w8"]] * 2, recipe


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", type=int, default=12)
    parser.add_argument("--cifar", type=Path, help="folder of CIFAR-10's binary version")
    parser.add_argument("--only", default="", help="variants whose name contains this")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed()
    chosen, architectures, base = _cifar(arguments.cifar) if arguments.cifar else digits_plan(arguments.networks)
    data = chosen.load()
    train_split, validation_split = data.train.first(IMAGES), data.validation.first(VALIDATION)
    images, validation = (ImageSet(split.images, data.mean, data.std) for split in (train_split, validation_split))
    labels, answers = torch.from_numpy(train_split.labels), torch.from_numpy(validation_split.labels)
    print(f"mean of {len(architectures)} networks; the recipe: {base.epochs} epochs, batches of {base.batch}")
    print(f"{'':34}{'1-day accuracy':>16}{'lower half':>12}{'std':>8}{'AVM':>8}{'s each':>9}")
    for name, recipe in _variants(base).items():
        if arguments.only not in name:
            continue
        found, seconds = [], []
        for index, architecture in enumerate(architectures):
            torch.manual_seed(index)
            network = to_analog(build(architecture, chosen.input_shape, chosen.classes), Hardware())
            start = time.process_time()
            try:
                train(network, images, labels, recipe, index)
            except DivergedError:
                found.append((1 / chosen.classes, 0.0, 0.0))
                continue
            finally:
                seconds.append(time.process_time() - start)
            one = accuracy_over_time(network, Hardware(), validation, answers, CHIPS, index)
            found.append((one[:, 2].mean(), one[:, 2].std(ddof=1), (one[:, 0] - one[:, 3]).mean()))
        accuracy, std, avm = np.array(found).T
        low = np.sort(accuracy)[: len(accuracy) // 2].mean()
        print(
            f"{name:34}{100 * accuracy.mean():14.2f} %{100 * low:10.2f} %{100 * np.median(std):8.2f}"
            f"{100 * np.median(avm):8.2f}{np.mean(seconds):9.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
