"""Fit the shipped surrogates, one for each chip with enough networks in a table.

python benchmarks/ship_surrogates.py [TABLE ...] [--stale]

The default is all tables that searches use for a task. The surrogate of a newer protocol starts from the task's next
older table. With --stale, only surrogates of changed tables are fitted.
"""

from __future__ import annotations

import argparse
import time

from ohmnas.datasets.tables.table import read_table
from ohmnas.errors import BrokenFileError
from ohmnas.hardware import is_varied
from ohmnas.surrogate import Surrogate, TrainingSet
from ohmnas.surrogate.fit.transfer import source_of_older
from ohmnas.surrogate.shipped import FITTED, shipped_surrogate
from ohmnas.surrogate.training_set import learnable_chips

TABLES = ("cifar10", "cifar10-protocol4", "digits", "people", "spoken-digits")
"""Not `digits-protocol4`: searches with it find less accurate networks (docs/tables.md)."""


def main() -> None:
    """Write the files, and print their sizes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", metavar="TABLE", default=list(TABLES))
    parser.add_argument("--stale", action="store_true", help="only those whose table has changed")
    arguments = parser.parse_args()
    total = 0
    for name in arguments.tables:
        table = read_table(name)
        chips = [chip for chip in learnable_chips(table) if not is_varied(chip)]
        if not chips:
            print(f"{name}: too few networks on every chip")
        for chip in chips:
            if arguments.stale and _is_current(name, chip):
                continue
            start = time.perf_counter()
            data = TrainingSet.of(table, chip)
            source = source_of_older(table, data)
            path = Surrogate.learn(data, data.others, source=source).model_.save(FITTED / name / chip)
            size = path.stat().st_size
            total += size
            seconds = time.perf_counter() - start
            print(f"{name:20} {chip:12} {len(data.population):6,} networks {size:10,} bytes {seconds:6.1f} s")
    print(f"{total:,} bytes in total")


def _is_current(table: str, chip: str) -> bool:
    """Return True if the surrogate was fitted to this version of the table."""
    try:
        return shipped_surrogate(table, chip) is not None
    except BrokenFileError:
        return False


if __name__ == "__main__":
    main()
