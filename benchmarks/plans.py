"""Share of networks in measured tables that beat the reference networks.

python benchmarks/plans.py [--tables cifar10 cifar10-protocol4 digits digits-protocol4] [--hardware pcm] [--json]

A network counts if it is more accurate after a day than the most accurate reference network with at most as many
parameters, with a smaller standard deviation over chips and a smaller AVM. Each architecture counts once, with its
first seed. Networks smaller than all measured references are not compared. The tables of protocol 3 began with a plan
spread evenly over the logarithm of the parameters; half of the plan of protocol 4 are mutants of the references.
"""

from __future__ import annotations

import argparse
import json
from typing import Any, Final

import numpy as np

from ohmnas.datasets.tables.table import genomes, read_table

TABLES: Final = ("cifar10", "cifar10-protocol4", "digits", "digits-protocol4")


def winners(name: str, hardware: str) -> dict[str, Any]:
    """Count the networks of a table that beat the references."""
    table = read_table(name)
    rows = table.select(hardware).sort_values("seed", kind="stable")
    rows = rows.drop_duplicates(list(table.space.gene_names))
    known = {genome.tobytes() for genome in table.space.encode(table.space.references.values())}
    is_reference = np.array([genome.tobytes() in known for genome in genomes(rows)])
    references, others = rows[is_reference], rows[~is_reference]
    compared, found = 0, []
    for _, row in others.iterrows():
        smaller = references[references["params"] <= row["params"]]
        if len(smaller):
            compared += 1
            best = smaller.loc[smaller["accuracy_1d"].idxmax()]
            if row["accuracy_1d"] > best["accuracy_1d"] and all(
                row[of] < best[of] for of in ("accuracy_1d_std", "avm")
            ):
                found.append({of: float(row[of]) for of in ("params", "macs", "accuracy_1d", "accuracy_1d_std", "avm")})
    return {"references": len(references), "networks": compared, "winners": found}


def main() -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="+", default=TABLES)
    parser.add_argument("--hardware", default="pcm")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    counts = {name: winners(name, arguments.hardware) for name in arguments.tables}
    if arguments.json:
        print(json.dumps(counts))
        return
    for name, one in counts.items():
        share = 100 * len(one["winners"]) / max(one["networks"], 1)
        print(
            f"{name}: {len(one['winners'])} of {one['networks']} networks ({share:.0f} %) beat the best reference "
            f"network of at most their size ({one['references']} measured)"
        )


if __name__ == "__main__":
    main()
