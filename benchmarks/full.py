"""Train a reference network on all images until it no longer improves, and read it on the test images.

python benchmarks/full.py [--task cifar10] [--network resnet8] [--hardware pcm ideal] [--fidelity full] [--epochs N]
                          [--training-noise 0.06,..] [--batch-norm trained adaptive] [--validation] [--seed 0] [--json]

`ideal` trains and reads without noise and shows the accuracy limit of the network. `--training-noise` trains once for
each strength of the weight noise; `ideal` always trains without. Each trained network is read with each source of batch
norm statistics. With `--validation`, networks are trained without the
validation images and read on them. The test images are not used for any decision: no network, recipe, training noise or
epoch is selected with them.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import replace

from ohmnas.datasets.campaign.fidelity import FIDELITIES, fidelity
from ohmnas.datasets.campaign.measure import measure_accuracies, train_network
from ohmnas.datasets.campaign.protocol import VERIFICATION_SEEDS, Protocol, seeds_of
from ohmnas.datasets.tasks.catalogue import TASKS
from ohmnas.datasets.tasks.task import task
from ohmnas.hardware import Hardware, hardware
from ohmnas.hardware.settings import BATCH_NORMS
from ohmnas.spaces.resnet.references import REFERENCES, reference

SHOWN = ("accuracy_digital", "accuracy_1s", "accuracy_1d", "accuracy_1mo", "accuracy_1d_std", "avm")


def main() -> None:
    """Train and print a line for each chip."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="cifar10", choices=list(TASKS))
    parser.add_argument("--network", default="resnet8", choices=list(REFERENCES))
    parser.add_argument("--hardware", nargs="+", default=["pcm", "ideal"])
    parser.add_argument("--fidelity", default="full", choices=list(FIDELITIES))
    parser.add_argument("--epochs", type=int, help="number of epochs (default: set by the fidelity)")
    parser.add_argument("--training-noise", type=_numbers, help="strengths of the weight noise (default: the chip's)")
    parser.add_argument("--batch-norm", nargs="+", default=["trained"], choices=BATCH_NORMS)
    parser.add_argument("--validation", action="store_true", help="train without the validation images and read them")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    chosen = task(arguments.task)
    effort = fidelity(arguments.fidelity, chosen.name)
    effort = replace(effort, epochs=arguments.epochs or effort.epochs)
    if arguments.validation:
        effort = replace(effort, trains_on_validation=False)
    protocol = Protocol(chosen, effort)
    genome = chosen.space.encode([reference(arguments.network)])[0]
    seed = VERIFICATION_SEEDS + arguments.seed
    data = protocol.data()
    read = data.validation if arguments.validation else data.test
    if not arguments.json:
        images = f"{len(data.train.labels):,} images, {effort.epochs} epochs; {len(read.labels):,} images read"
        print(f"{arguments.network} on {chosen.name}, {images}, {effort.chips} chips")
        print(f"{'':22}{'digital':>9}{'1 s':>9}{'1 day':>9}{'1 month':>9}{'std':>7}{'AVM':>7}{'core-minutes':>14}")
    for name, chip in _chips(arguments):
        start = time.process_time()
        network, training = train_network(protocol, genome, chip, seed)
        _, chip_seed = seeds_of(chosen, genome.tolist(), seed)
        for batch_norm in arguments.batch_norm:
            found = measure_accuracies(protocol, network, read, replace(chip, batch_norm=batch_norm), chip_seed)
            minutes = (time.process_time() - start) / 60
            if arguments.json:
                own = {"hardware": name, "training_noise": chip.training_noise, "batch_norm": batch_norm}
                print(json.dumps({**own, **found, "loss": training.loss, "core_minutes": minutes}), flush=True)
                continue
            values = [100 * found[column] for column in SHOWN]
            cells = "".join(f"{value:8.2f} " for value in values[:4]) + "".join(f"{value:7.2f}" for value in values[4:])
            print(f"{f'{name}, {chip.training_noise:g}, {batch_norm}':22}{cells}{minutes:14.1f}", flush=True)


def _chips(arguments: argparse.Namespace) -> Iterator[tuple[str, Hardware]]:
    """Names and chips, each with its strengths of the noise in training."""
    for name in arguments.hardware:
        chip = hardware(name)
        for strength in (arguments.training_noise or [chip.training_noise]) if chip.training_noise else [0.0]:
            yield name, replace(chip, training_noise=strength)


def _numbers(text: str) -> list[float]:
    return [float(one) for one in text.split(",")]


if __name__ == "__main__":
    main()
