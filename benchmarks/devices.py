"""The same networks measured on a CPU and on a GPU: differences in a table.

python benchmarks/devices.py [--tables cifar10,people] [--json]

Compares rows of one architecture with convolutions in TF32 (GPU) and in float32 or bfloat16 (CPU), with different
seeds. A mean difference is caused by the device or by the version of torch.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np

from ohmnas.datasets.tables.schema import GPU_PRECISION
from ohmnas.datasets.tables.table import read_table
from ohmnas.spaces.resnet.genes import GENE_NAMES

LABELS = ("accuracy_digital", "accuracy_1d", "accuracy_1d_std", "avm")


def differences(name: str) -> dict[str, Any]:
    """GPU minus CPU for networks measured on both: number of pairs; mean, standard error and deviation in points."""
    frame = read_table(name).select("pcm")
    on_gpu = frame["precision"] == GPU_PRECISION
    cpu, gpu = (part.groupby(list(GENE_NAMES))[list(LABELS)].mean() for part in (frame[~on_gpu], frame[on_gpu]))
    pairs = cpu.add_suffix("_cpu").join(gpu.add_suffix("_gpu"), how="inner")
    if len(pairs) < 2:
        raise SystemExit(f"table {name} has {len(pairs)} networks that were measured on both: too few to compare")
    found: dict[str, Any] = {"pairs": len(pairs)}
    for label in LABELS:
        points = 100 * (pairs[f"{label}_gpu"] - pairs[f"{label}_cpu"])
        found[label] = [points.mean(), points.std() / np.sqrt(len(points)), points.std()]
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", default="cifar10,people")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    values = {name: differences(name) for name in arguments.tables.split(",")}
    if arguments.json:
        print(json.dumps(values))
        return
    for name, found in values.items():
        print(f"{name}, {found['pairs']} networks: GPU minus CPU, in points")
        for label in LABELS:
            mean, error, deviation = found[label]
            print(f"  {label:18}{mean:+6.2f} ± {error:.2f}   standard deviation of a difference {deviation:.2f}")


if __name__ == "__main__":
    main()
