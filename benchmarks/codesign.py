"""Networks and chips searched together, beside networks searched for one chip, at budgets of energy, then measured.

python benchmarks/codesign.py [--task digits] [--energies 0.12e-6,1e-6] [--chip pcm-t512-d8-a8] [--out found] [--json]

For each budget `ohmnas search --co-design` with the chip free, and once more with the chip fixed, by the same
surrogate; `ohmnas verify` trains what both find three times, 25 chips each, on the official test set. What stands in
OUT already is not measured again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from budgets import COLUMNS, mean, run_ohmnas

from ohmnas.spaces.chips import CHIP_GENE_NAMES, chip_text, from_hardware
from ohmnas.spaces.hardware import hardware


def main() -> None:
    """Search, verify, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="digits")
    parser.add_argument("--energies", default="0.12e-6,0.25e-6,0.5e-6,1e-6", help="joules an image")
    parser.add_argument("--chip", default="pcm-t512-d8-a8", help="the fixed one")
    parser.add_argument("--max-avm", default="0.02")
    parser.add_argument("--out", type=Path, default=Path("found"))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    row, described = from_hardware([hardware(arguments.chip)])
    if not described[0]:
        parser.error(f"{arguments.chip} has settings that are no genes")
    genes = dict(zip(CHIP_GENE_NAMES, row[0].tolist(), strict=True))
    fixed = [word for name, value in genes.items() for word in ("--fix", f"{name}={chip_text(name, value)}")]
    values: dict[str, Any] = {}
    for energy in arguments.energies.split(","):
        found = {}
        for name, words in (("chip free", []), ("chip fixed", fixed)):
            chip = "free" if name == "chip free" else hardware(arguments.chip).name
            folder = arguments.out / f"{arguments.task}-{energy}-{arguments.max_avm}-{chip}"
            limits = ["--max-energy", energy, "--max-avm", arguments.max_avm, *words]
            if not (folder / "result.json").exists():
                run_ohmnas("search", "--task", arguments.task, "--co-design", *limits, "--out", str(folder))
            if not (folder / "verify.json").exists():
                run_ohmnas("verify", str(folder / "result.json"), "--task", arguments.task, "--references", "0")
            found[name] = json.loads((folder / "verify.json").read_text("utf-8"))["networks"]["found"]
        values[energy] = found
        if not arguments.json:
            _show(f"{arguments.task}, at most {1e6 * float(energy):g} µJ an image (proxy)", found)
    if arguments.json:
        print(json.dumps(values))


def _show(title: str, found: dict[str, Any]) -> None:
    """Means over the trainings, and their standard error."""
    print(f"\n{title}")
    heads = f"{'predicted %':>12}{'measured %':>16}{'std':>7}{'AVM':>15}{'accuracy/std':>14}{'µJ':>7}{'params':>9}"
    print(f"{'':12}{'chip':17}{heads}{'cells':>11}")
    for name, design in found.items():
        accuracy, std, avm = (100 * np.array(design["measured"][column]) for column in COLUMNS)
        print(
            f"{name:12}{design['chip']:17}{100 * design['predicted']['accuracy_1d']:12.2f}{mean(accuracy):>16}"
            f"{std.mean():7.2f}{mean(avm):>15}{np.mean(accuracy / std):14.0f}{1e6 * design['costs']['energy']:7.2f}"
            f"{design['params']:9,}{design['costs']['cells']:11,.0f}"
        )


if __name__ == "__main__":
    main()
