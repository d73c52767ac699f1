"""Co-design of networks and chips against search for one chip, at several energy budgets, then measured.

python benchmarks/codesign.py [--task digits] [--energies 0.12e-6,1e-6] [--chip pcm-t512-d8-a8] [--out found] [--json]

For each budget, `ohmnas search --co-design` runs with a free chip and with a fixed chip, using the same surrogate.
`ohmnas verify` trains both results three times, on 25 chips each, with the official test set. Results that exist in OUT
with the same settings are not measured again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from budgets import measured_cells, print_reasons, read, run_ohmnas, searched, verified

from ohmnas.hardware import hardware
from ohmnas.hardware.chip_genes import CHIP_GENE_NAMES, chip_text, from_hardware


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
    genes = {name: chip_text(name, value) for name, value in zip(CHIP_GENE_NAMES, row[0].tolist(), strict=True)}
    values: dict[str, Any] = {}
    for energy in arguments.energies.split(","):
        found = {}
        for name, fixed in (("chip free", {}), ("chip fixed", genes)):
            chip = "free" if name == "chip free" else hardware(arguments.chip).name
            folder = arguments.out / f"{arguments.task}-{energy}-{arguments.max_avm}-{chip}"
            asked: dict[str, Any] = {"max_energy": float(energy), "max_avm": float(arguments.max_avm)}
            if not searched(folder, {**asked, **{gene: [text, text] for gene, text in fixed.items()}}):
                limits = ["--max-energy", energy, "--max-avm", arguments.max_avm]
                bounds = [word for gene, text in fixed.items() for word in ("--fix", f"{gene}={text}")]
                run_ohmnas("search", "--task", arguments.task, "--co-design", *limits, *bounds, "--out", str(folder))
            if not verified(folder, 0, 3, {"chips": 25}):
                effort = ["--references", "0", "--chips", "25"]
                run_ohmnas("verify", str(folder / "result.json"), "--task", arguments.task, *effort)
            found[name] = read(folder / "verify.json")["networks"]["found"]
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
        print(
            f"{name:12}{design['chip']:17}{100 * design['predicted']['accuracy_1d']:12.2f}{measured_cells(design)}"
            f"{1e6 * design['costs']['energy']:7.2f}{design['params']:9,}{design['costs']['cells']:11,.0f}"
        )
    print_reasons(found)


if __name__ == "__main__":
    main()
