"""All search methods at equal core-minutes: the networks that they find, trained and measured on test images.

python benchmarks/paradigms.py [--task digits] [--max-params 50k] [--minutes 20] [--trainings 3] [--fidelity table]
    [--only refine gdas ...] [--out paradigms] [--json]

Each way searches for the highest accuracy after a day within the limit on parameters, starts without a table, and uses
one core. Then the networks of all ways and the best reference network are trained again and read on chips with test
images. Results in OUT with the same settings are not measured again. Run it on an idle machine: minutes are wall time.
"""

from __future__ import annotations

import argparse
import json
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from budgets import read

from ohmnas.cli.arguments import size
from ohmnas.datasets.tables.table import genomes, read_table
from ohmnas.datasets.tasks.task import task
from ohmnas.estimators.zero_cost.catalogue import of_task
from ohmnas.files import write_atomically

OHMNAS: Final = (sys.executable, "-W", "ignore", "-c", "import sys; from ohmnas.cli.main import main; sys.exit(main())")
TARGETS: Final = ("accuracy_1d", "accuracy_1d_std", "avm", "accuracy_1mo")
PROXIED: Final = 500
"""Number of networks that the proxies rank."""


@dataclass(frozen=True)
class Settings:
    """Settings that all ways share."""

    task: str
    max_params: int
    minutes: float
    fidelity: str

    @property
    def limits(self) -> list[str]:
        """Flags of the task and of the limit."""
        return ["--task", self.task, "--max-params", str(self.max_params)]


def run(*words: object, seconds: float | None = None) -> None:
    """Run a command of ohmnas, silent unless it fails; after this many seconds, interrupt it as Ctrl-C does."""
    with tempfile.TemporaryFile("w+") as errors:
        command = [*OHMNAS, *map(str, words)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            process.wait()
        interrupted = seconds is not None and process.returncode == 128 + signal.SIGINT
        if process.returncode and not interrupted:
            errors.seek(0)
            sys.exit(f"ohmnas {' '.join(map(str, words))} ended with code {process.returncode}: {errors.read()}")


def best_of(folder: Path) -> list[int]:
    """Genome that a command found."""
    return [*read(folder / "result.json")["best"]["genome"]]


def campaign(folder: Path, settings: Settings, plan: str) -> Path:
    """Measure networks of a plan until the time is up; return their table."""
    store, table = folder / "rows.sqlite", folder / "rows.csv"
    words = ("--n", 2000, "--plan", plan, "--jobs", 1, "--fidelity", settings.fidelity, "--store", store)
    run("campaign", *settings.limits, *words, seconds=60 * settings.minutes)
    run("export-table", "--store", store, "--out", table)
    return table


def random_search(folder: Path, settings: Settings) -> list[int]:
    """Measure random networks and take the most accurate."""
    rows = read_table(campaign(folder, settings, "spread")).measured
    return [*map(int, genomes(rows)[int(rows["accuracy_1d"].to_numpy().argmax())])]


def surrogate(folder: Path, settings: Settings) -> list[int]:
    """Measure the networks of a plan, fit a surrogate, and search with it once."""
    table = campaign(folder, settings, "mixed")
    run("search", "--table", table, *settings.limits[2:], "--objective", "accuracy", "--floor", "none", "--out", folder)
    return best_of(folder)


def refine(folder: Path, settings: Settings) -> list[int]:
    """Alternate search and measurement."""
    words = [*("--start-from", "none", "--jobs", "1", "--rounds", "100", "--each", "6", "--first", "24")]
    words += ["--objective", "accuracy", "--floor", "none", "--fidelity", settings.fidelity]
    words += ["--max-seconds", f"{60 * settings.minutes:g}", "--store", str(folder / "rows.sqlite")]
    words += ["--out", str(folder)]
    run("refine", *settings.limits, *words)
    return best_of(folder)


def proxies(folder: Path, settings: Settings) -> list[int]:
    """Rank untrained networks by AZ-NAS, and take the best."""
    del folder
    asked = task(settings.task)
    networks = asked.space.sample(PROXIED, np.random.default_rng(0), max_params=settings.max_params)
    ranks = of_task("az_nas", asked, 0).estimate(networks)["az_nas"]
    return [*map(int, networks[int(np.argmax(ranks))])]


def supernet(folder: Path, settings: Settings, strategy: str = "evolution") -> list[int]:
    """Train shared weights for four fifths of the time, then search with them."""
    run("supernet", "train", *settings.limits, "--minutes", 0.8 * settings.minutes, "--out", folder / "supernet")
    words = ("--supernet", folder / "supernet", "--minutes", 0.2 * settings.minutes, "--evaluations", 5000)
    run("supernet", "search", *words, "--strategy", strategy, "--out", folder)
    return best_of(folder)


def enas(folder: Path, settings: Settings) -> list[int]:
    """Like `supernet`, but search with policy gradients."""
    return supernet(folder, settings, "reinforce")


def gradient(method: str) -> Callable[[Path, Settings], list[int]]:
    """Search by gradient descent on the probabilities of choices; two timed epochs set the number of epochs."""

    def found(folder: Path, settings: Settings) -> list[int]:
        words = ("gradient-search", *settings.limits, "--space", "resnet", "--method", method)
        start = time.monotonic()
        run(*words, "--epochs", 2, "--out", folder / "timed")
        both = time.monotonic() - start
        left = max(60 * settings.minutes - both, 1.0)
        run(*words, "--epochs", max(3, int(2 * left / both)), "--max-seconds", left, "--out", folder)
        return best_of(folder)

    return found


WAYS: Final[dict[str, Callable[[Path, Settings], list[int]]]] = {
    "random": random_search,
    "surrogate": surrogate,
    "refine": refine,
    "proxies": proxies,
    "supernet": supernet,
    "enas": enas,
    "gdas": gradient("gdas"),
    "proxyless": gradient("proxyless"),
    "darts": gradient("darts"),
    "darts2": gradient("darts2"),
}
"""Name -> function that works in a folder and returns a genome."""


def found_by(way: str, out: Path, settings: Settings) -> dict[str, Any]:
    """Genome and core-minutes of a way, from its folder if it already ran with these settings."""
    folder = out / way
    known = read(folder / "way.json")
    if known.get("settings") == asdict(settings):
        return known
    if folder.exists():  # with its rows, the search would exceed its time
        sys.exit(f"{folder} is unfinished, or has other settings: remove it, or choose another --out")
    folder.mkdir(parents=True)
    before = _core_seconds()
    genome = WAYS[way](folder, settings)
    found = {"settings": asdict(settings), "genome": genome, "core_minutes": (_core_seconds() - before) / 60}
    write_atomically(folder / "way.json", json.dumps(found) + "\n")
    return found


def _core_seconds() -> float:
    """Processor time of this process and of its finished child processes."""
    times = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in times)


def measured(ways: dict[str, dict[str, Any]], out: Path, settings: Settings, trainings: int) -> dict[str, Any]:
    """Train and read the networks of all ways, and the best reference network; name -> measured values."""
    result = out / "result.json"
    run("search", *settings.limits, "--iterations", 1, "--population", 10, "--floor", "none", "--out", out)
    picks = {way: ",".join(map(str, one["genome"])) for way, one in ways.items()}
    words = [word for genes in dict.fromkeys(picks.values()) for word in ("--pick", genes)]
    how = ("--task", settings.task, "--fidelity", settings.fidelity, "--seeds", trainings, "--references", 1)
    run("verify", result, *how, *words)
    networks = read(out / "verify.json")["networks"]
    (reference,) = (name for name in networks if name not in picks.values())
    return {"reference": networks[reference], **{way: networks[genes] for way, genes in picks.items()}}


def _row(name: str, network: dict[str, Any], minutes: float | None) -> str:
    cells = []
    for target in TARGETS:
        values = np.array([value for value in network["measured"][target] if value is not None]) * 100
        error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else float("nan")
        cells.append(f"{values.mean():9.2f} ± {error:4.2f}" if len(values) else f"{'-':>16}")
    spent = "-" if minutes is None else f"{minutes:.1f}"
    return f"{name:12s}{spent:>9s}{network['params']:9,d}{network['macs']:12,d}{''.join(cells)}"


def main() -> None:
    """Run each search, then measure the found networks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="digits")
    parser.add_argument("--max-params", type=size, default=50_000)
    parser.add_argument("--minutes", type=float, default=20.0, help="minutes of one core for each way")
    parser.add_argument("--fidelity", default="table", help="training fidelity, in searches and at the end")
    parser.add_argument("--trainings", type=int, default=3, help="training runs of each network at the end")
    parser.add_argument("--only", nargs="+", choices=WAYS, default=[*WAYS])
    parser.add_argument("--out", type=Path, default=Path("paradigms"))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    settings = Settings(arguments.task, arguments.max_params, arguments.minutes, arguments.fidelity)
    ways = {way: found_by(way, arguments.out, settings) for way in arguments.only}
    networks = measured(ways, arguments.out, settings, arguments.trainings)
    if arguments.json:
        print(json.dumps({name: {**ways.get(name, {}), "network": one} for name, one in networks.items()}))
        return
    print(f"{settings.task}, at most {settings.max_params:,} parameters, {settings.minutes:g} minutes for each way")
    print(f"{arguments.trainings} training runs each at fidelity {settings.fidelity}, test images, per cent and points")
    titles = ("1-day accuracy", "std", "AVM", "1-month acc.")
    print(f"{'way':12s}{'minutes':>9s}{'params':>9s}{'MACs':>12s}{''.join(f'{title:>16s}' for title in titles)}")
    for name, network in networks.items():
        print(_row(name, network, ways[name]["core_minutes"] if name in ways else None))


if __name__ == "__main__":
    main()
