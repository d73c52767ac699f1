"""CPU seconds of commands from start to end, including imports.

python benchmarks/start.py [--before REV] [--repeats 7] [--json]

Seconds are user plus system time of the process, median over repeats, with one thread. With --before, the same commands
also run with an older revision in a git worktree. Both revisions alternate, because the speed of a shared machine
varies; ratios are within one run.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
COMMANDS = {
    "ohmnas --help": ["-m", "ohmnas", "--help"],
    "import of ohmnas search": ["-c", "import ohmnas.cli.search"],
    "ohmnas search --task digits": [
        *("-m", "ohmnas", "search", "--task", "digits"),
        *("--max-params", "50k", "--max-avm", "0.02", "--out", "found"),
    ],
}


def main() -> None:
    """Run the commands and print their medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", metavar="REV", help="older revision to compare with")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with _tree(arguments.before) as before:
        trees = {"now": ROOT, **({} if before is None else {"before": before})}
        seconds: dict[str, dict[str, list[float]]] = {name: {tree: [] for tree in trees} for name in COMMANDS}
        for turn in range(arguments.repeats + 1):
            for name, words in COMMANDS.items():
                for tree, path in trees.items():
                    took = _cpu_seconds(words, path)
                    if turn:  # the first turn compiles modules and fills the file cache
                        seconds[name][tree].append(took)
    medians = {name: {tree: median(took) for tree, took in of.items()} for name, of in seconds.items()}
    if arguments.json:
        print(json.dumps(medians))
        return
    print(f"{'CPU seconds, median of ' + str(arguments.repeats):30}{'now':>8}{'before':>10}{'before / now':>14}")
    for name, of in medians.items():
        other = of.get("before")
        compared = "" if other is None else f"{other:10.2f}{other / of['now']:14.1f}"
        print(f"{name:30}{of['now']:8.2f}{compared}")


@contextmanager
def _tree(revision: str | None) -> Iterator[Path | None]:
    """Yield a worktree of a revision; None without a revision."""
    if revision is None:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "before"
        subprocess.run(["git", "-C", str(ROOT), "worktree", "add", "-q", "--detach", str(tree), revision], check=True)
        try:
            yield tree
        finally:
            subprocess.run(["git", "-C", str(ROOT), "worktree", "remove", "--force", str(tree)], check=True)


def _cpu_seconds(words: list[str], tree: Path) -> float:
    """User plus system time of one command."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *words], cwd=folder, env=environment, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
