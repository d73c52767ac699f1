"""Co-design of networks and chips compared with search for one chip, at several energy budgets, then measured.

python benchmarks/codesign.py [--task digits] [--energies 0.12e-6,1e-6] [--chip pcm-t512-d8-a8] [--out found] [--json]
python benchmarks/codesign.py --predicted [--laws survey,zigzag,doubling] ...

For each budget, `ohmnas search --co-design` runs with a free chip and with a fixed chip, using the same surrogate.
`ohmnas verify` trains both results three times, on 25 chips each, with the official test set. Results that exist in OUT
with the same settings are not measured again. With --predicted, nothing is trained: the designs found with each law of
the ADC's energy are compared by their predictions.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from budgets import measured_cells, print_reasons, read, run_ohmnas, searched, verified

from ohmnas.costs.conversion import LAWS
from ohmnas.hardware import hardware
from ohmnas.hardware.chip_genes import CHIP_GENE_NAMES, chip_text, from_hardware


def main() -> None:
    """Search, verify, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="digits")
    parser.add_argument("--energies", default="0.12e-6,0.25e-6,0.5e-6,1e-6", help="energy budgets in joules per image")
    parser.add_argument("--chip", default="pcm-t512-d8-a8", help="the fixed chip")
    parser.add_argument("--max-avm", default="0.02")
    parser.add_argument("--predicted", action="store_true", help="compare predictions, for each of --laws")
    parser.add_argument("--laws", default=",".join(LAWS), help="laws of the ADC's energy, for --predicted")
    parser.add_argument("--out", type=Path, default=Path("found"))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    row, described = from_hardware([hardware(arguments.chip)])
    if not described[0]:
        parser.error(f"{arguments.chip} has settings that are not genes")
    genes = {name: chip_text(name, value) for name, value in zip(CHIP_GENE_NAMES, row[0].tolist(), strict=True)}
    if arguments.predicted:
        _predict(arguments, genes)
        return
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


def _predict(arguments: argparse.Namespace, fixed_chip: dict[str, str]) -> None:
    """Search with a free and with the fixed chip under each law, and print the predictions."""
    rows = []
    for energy in arguments.energies.split(","):
        for law in arguments.laws.split(","):
            for name, genes in (("free", {}), ("fixed", fixed_chip)):
                folder = arguments.out / f"{arguments.task}-{energy}-{arguments.max_avm}-{law}-{name}"
                limits = ["--max-energy", energy, "--max-avm", arguments.max_avm, "--adc-law", law]
                bounds = [word for gene, text in genes.items() for word in ("--fix", f"{gene}={text}")]
                run_ohmnas("search", "--task", arguments.task, "--co-design", *limits, *bounds, "--out", str(folder))
                best = read(folder / "result.json")["best"]
                rows.append({**best, "energy": float(energy), "law": law, "choice": name})
    if arguments.json:
        print(json.dumps(rows))
        return
    print(f"{'µJ at most':>10}  {'law':9}{'chip':23}{'1-day %':>8}{'std':>6}{'AVM':>7}{'ratio':>7}{'params':>9}")
    for row in rows:
        accuracy, std, avm = (row["predicted"][name] for name in ("accuracy_1d", "accuracy_1d_std", "avm"))
        print(
            f"{1e6 * row['energy']:10g}  {row['law']:9}{row['choice']:6}{row['chip']:17}{100 * accuracy:8.2f}"
            f"{100 * std:6.2f}{100 * avm:7.2f}{accuracy / std:7.0f}{row['params']:9,}"
        )


def _show(title: str, found: dict[str, Any]) -> None:
    """Print means over the training runs with their standard errors."""
    print(f"\n{title}")
    headings = f"{'predicted %':>12}{'measured %':>16}{'std':>7}{'AVM':>15}{'accuracy/std':>14}{'µJ':>7}{'params':>9}"
    print(f"{'':12}{'chip':17}{headings}{'cells':>11}")
    for name, design in found.items():
        print(
            f"{name:12}{design['chip']:17}{100 * design['predicted']['accuracy_1d']:12.2f}{measured_cells(design)}"
            f"{1e6 * design['costs']['energy']:7.2f}{design['params']:9,}{design['costs']['cells']:11,.0f}"
        )
    print_reasons(found)


if __name__ == "__main__":
    main()
