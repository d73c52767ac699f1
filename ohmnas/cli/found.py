"""What a person sees of a search: the found architectures beside references, the front, where files are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from typing import Any, Final

from ohmnas.cli import render
from ohmnas.datasets.task import task_word
from ohmnas.search import SearchResult
from ohmnas.search.archive import FRONT
from ohmnas.search.candidate import Candidate
from ohmnas.search.objective import Ratio
from ohmnas.spaces.hardware import hardware, has_name

ABOVE_GUESSING = 0.1
"""Of the way from guessing to perfection: a network that has not come so far is not worth finding without a word."""
FEW_NETWORKS = 100
"""Below so many a surrogate is a guess about most of the space."""
FRONT_ROWS = 12
"""Of a front that are shown, evenly spread; all are in the file."""
_LIMITED: Final = {"max_std": "std", "max_avm": "AVM", "min_accuracy": "accuracy"}
ENDINGS: Final = {
    "seconds": "; time was up",
    "evaluations": "; no more evaluations were allowed",
    "patience": "; nothing better came",
    "nothing new": "; nothing new was proposed",
    "interrupted": "; interrupted",
}
"""What ended a search, if not the number of its generations."""
UNITS: Final[dict[str, tuple[str, Callable[[float], str]]]] = {
    "size": ("size", lambda value: f"{value / 1000:,.1f} kB"),
    "memory": ("memory", lambda value: f"{value:,.0f}"),
    "tiles": ("tiles", lambda value: f"{value:,.0f}"),
    "cells": ("cells", lambda value: f"{value:,.0f}"),
    "energy": ("energy", lambda value: f"{1e6 * value:,.2f} µJ"),
    "latency": ("latency", lambda value: f"{1e6 * value:,.1f} µs"),
}
"""Cost -> title and how it is written."""


def say_if_few(learned: Mapping[str, Any], table: str, co_design: bool) -> None:
    """A warning if a surrogate knows few networks.

    Args:
        learned: the surrogate's provenance.
        table: what to score.
        co_design: whether it knows chips too.
    """
    networks = learned.get("networks", learned["rows"])
    if networks < FEW_NETWORKS:
        few = f"{networks} measured networks teach a surrogate little"
        score = f"ohmnas score --table {quote(table)}{' --co-design' if co_design else ''}"
        render.notice(f"warning: {few}; {score} says how far to trust it")


def show(result: SearchResult, path: Path, pictures: Sequence[Path] = ()) -> None:
    """Print the result of a search."""
    best = result.best
    learned = result.provenance
    render.line(f"found   {best.architecture}")
    if best.chip:
        render.line(f"on      {chip_in_words(best.chip)}")
    if best.predicted["accuracy_1d"] < hardly_guessing(result.space.classes):
        render.notice(
            "warning: the found network hardly does better than guessing; a network that guesses never varies, so that "
            "tight limits on AVM find it: ask for --min-accuracy too"
        )
    say_if_few(learned, "TABLE", bool(best.chip))
    extra = _asked_costs(result)
    several = [(f"#{place}", candidate) for place, candidate in enumerate(result.top, 1)] or [("found", best)]
    known = result.references[:3]
    beside = [(candidate.name + (" *" if candidate.misses else ""), candidate) for candidate in known]
    rows = [_row(name, candidate, result, extra) for name, candidate in (*several, *beside)]
    columns = [
        *(["chip"] if best.chip else []),
        "1-day accuracy",
        "std",
        "AVM",
        *(["accuracy/std"] if result.objective == Ratio().name else []),
        "params",
        "MACs",
        *(UNITS[name][0] for name in extra),
    ]
    render.table(["predicted", *columns], rows)
    confidence = result.constraints.get("confidence")
    sure = "" if confidence is None else f" with a probability of {confidence:g}"
    if missed := sorted({_LIMITED[limit] for candidate in known for limit in candidate.misses}):
        render.line(f"* is not predicted to meet the limit on {' and '.join(missed)}{sure}")
    for place, candidate in enumerate(result.top[1:], 2):
        on = f", on {candidate.chip}" if candidate.chip else ""
        render.line(f"#{place}      {candidate.architecture}{on}")
    if result.front:
        front = _spread(result.front, FRONT_ROWS)
        shown = "" if len(front) == len(result.front) else f", {len(front)} of them"
        most = ", the most that are kept," if len(result.front) == FRONT else ""
        title = f"{len(result.front)}{most} that no other beats in {', '.join(result.pareto)}{shown}"
        render.table(["front", *columns], [_row(str(i + 1), c, result, extra) for i, c in front], title)
        render.line(f"found: the member of the front with the highest {result.objective}")
        volume = result.history[-1]["hypervolume"]
        render.line(f"hypervolume {volume:.4f} of 1: the share of the space within the limits that the front dominates")
    if best.interval:
        render.line(
            f"nine of ten networks predicted like the found one have a 1-day accuracy of "
            f"{_between(best, 'accuracy_1d')} % and an AVM of {_between(best, 'avm')} points"
        )
    render.line("AVM: accuracy variation over one month, from 1 second to 30 days after programming")
    render.line(f"maximised: {result.objective}; {_where(result)}")
    if least := result.constraints.get("min_accuracy"):
        render.line(
            f"left out: networks that are not predicted to be right in {100 * least:g} % or more{sure} "
            "(--min-accuracy 0 keeps them)"
        )
    ended = ENDINGS.get(result.stopped, "")
    render.line(
        f"a surrogate that learned {learned['rows']:,} measured {result.space.members} ({learned['task']} on "
        f"{learned['hardware']}) was asked about {result.evaluations:,} in {result.seconds:.2f} s; {result.strategy}, "
        f"seed {result.seed}{ended}"
    )
    for picture in pictures:
        render.line(f"drawn in {picture}")
    render.line("The best of many predictions is an optimist; a number to quote comes from")
    needs = "" if find_spec("torch") else "   (which needs: pip install 'ohmnas[train]')"
    render.line(f"  ohmnas verify {quote(str(path))} {_how_measured(learned, best)}{needs}")


def _how_measured(learned: dict[str, Any], best: Candidate) -> str:
    """The flags that say what network on what chip; files as they are called where their name is all that is known."""
    chip = str(learned["hardware"])
    file = "" if best.chip or has_name(chip) else f" --hardware {quote(chip + '.toml')}"
    return f"--task {quote(task_word(str(learned['task'])))}{file}"


def _where(result: SearchResult) -> str:
    """What was searched: of the sizes that the surrogate has seen what the limits leave, and bounds on genes."""
    bounds = result.constraints
    least, most, macs = (bounds.get(name) for name in ("min_params", "max_params", "max_macs"))
    genes: dict[str, list[Any]] = bounds.get("genes", {})
    parts = [
        f"{least or 0:,} parameters and more" if most is None else f"{least or 0:,} to {most:,} parameters",
        *([] if macs is None else [f"up to {macs:,.0f} MACs"]),
        *(f"{name} {low}" if low == high else f"{name} {low} to {high}" for name, (low, high) in genes.items()),
    ]
    return f"searched: {', '.join(parts)}"


def chip_in_words(name: str) -> str:
    """Technology, tiles and converters of a chip."""
    chip = hardware(name)
    return (
        f"{chip.technology}, tiles of {chip.tile_rows} x {chip.tile_columns}, DACs of {chip.dac_bits} bits, ADCs of "
        f"{chip.adc_bits} bits ({name})"
    )


def hardly_guessing(classes: int) -> float:
    """The accuracy from which on a network does more than guess one of so many classes."""
    return 1.0 / classes + ABOVE_GUESSING * (1.0 - 1.0 / classes)


def _asked_costs(result: SearchResult) -> list[str]:
    """Costs beside parameters and MACs that the search had to do with."""
    asked = {name.removeprefix("max_") for name, value in result.constraints.items() if value is not None}
    soft: Any = result.constraints.get("soft", {})
    asked |= {*result.pareto, *soft}
    if result.best.chip:
        asked |= {"energy"}
    return [name for name in UNITS if name in asked or name in result.objective]


def _spread(front: Sequence[Candidate], most: int) -> list[tuple[int, Candidate]]:
    if len(front) <= most:
        return [*enumerate(front)]
    places = sorted({round(turn * (len(front) - 1) / (most - 1)) for turn in range(most)})
    return [(place, front[place]) for place in places]


def _between(candidate: Candidate, name: str) -> str:
    low, high = candidate.interval[name]
    return f"{100 * low:.1f} to {100 * high:.1f}"


def _row(name: str, candidate: Candidate, result: SearchResult, extra: Sequence[str]) -> list[str]:
    predicted = candidate.predicted
    ratio = predicted["accuracy_1d"] / predicted["accuracy_1d_std"]
    return [
        name,
        *([candidate.chip] if candidate.chip else []),
        render.percent(predicted["accuracy_1d"]),
        render.percent(predicted["accuracy_1d_std"]),
        render.points(predicted["avm"]),
        *([f"{ratio:.0f}"] if result.objective == Ratio().name else []),
        f"{candidate.params:,}",
        f"{candidate.macs:,}",
        *(UNITS[cost][1](candidate.costs[cost]) for cost in extra),
    ]
