"""Accuracy of an exported network on aihwkit, compared with its accuracy in ohmnas, over many chips.

python benchmarks/exported.py NET --task digits [--chips 100] [--seed 0] [--json]

NET is the folder of a trained network. It is exported to aihwkit. Both programs then measure the same number of newly
programmed chips on the test images, at each time after programming.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ohmnas.analog.drift import TIMES, read_over_time
from ohmnas.datasets.campaign.trained import TrainedNetwork
from ohmnas.datasets.tasks.task import task
from ohmnas.export import export
from ohmnas.export.plain_torch import imported


def theirs(
    trained: TrainedNetwork, images: npt.NDArray[np.float32], labels: torch.Tensor, chips: int, seed: int
) -> npt.NDArray[np.float64]:
    """``(chips, t)``: accuracies of the exported network, on aihwkit's own tiles."""
    found = np.empty((chips, len(TIMES)))
    with tempfile.TemporaryDirectory() as aside, torch.no_grad():
        export(trained, "aihwkit", Path(aside) / "out")
        module: Any = imported(Path(aside) / "out" / "network.py")
        network, batch = module.load(), torch.from_numpy(images)
        torch.manual_seed(seed)
        for row in range(chips):
            module.program(network)
            for column, seconds in enumerate(TIMES.values()):
                module.drift(network, seconds)
                found[row, column] = (network(batch).argmax(dim=1) == labels).double().mean()
    return found


def main() -> None:
    """Print both accuracies and their difference in standard errors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("net", type=Path)
    parser.add_argument("--task", default="digits")
    parser.add_argument("--chips", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    trained = TrainedNetwork.load(arguments.net)
    test = task(arguments.task).load().test
    labels = torch.from_numpy(test.labels)
    images = trained.prepare(test.images)
    ours = read_over_time(trained.on_chip(), trained.chip, images, labels, arguments.chips, arguments.seed).accuracies
    other = theirs(trained, test.images.astype(np.float32), labels, arguments.chips, arguments.seed)
    values = {}
    for column, time in enumerate(TIMES):
        a, b = ours[:, column], other[:, column]
        error = float(np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / arguments.chips))
        values[time] = {"ours": float(a.mean()), "aihwkit": float(b.mean()), "standard_error": error}
    if arguments.json:
        print(json.dumps({"chips": arguments.chips, "accuracy": values}))
        return
    print(f"{arguments.chips} chips each, {len(labels)} test images")
    for time, one in values.items():
        apart = one["aihwkit"] - one["ours"]
        print(
            f"{time:4}  ours {100 * one['ours']:.2f} %  aihwkit {100 * one['aihwkit']:.2f} %  "
            f"difference {100 * apart:+.2f} ± {100 * one['standard_error']:.2f} points"
        )


if __name__ == "__main__":
    main()
