"""Printed output of a search: found architectures, references, Pareto front, files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from typing import Any, Final

from ohmnas.cli import render
from ohmnas.datasets.tasks.task import task_word
from ohmnas.errors import counted
from ohmnas.hardware import hardware, has_name
from ohmnas.search import SearchResult
from ohmnas.search.archive import FRONT
from ohmnas.search.candidate import Candidate
from ohmnas.search.limits import PREDICTED_LIMITS
from ohmnas.search.objective import Ratio
from ohmnas.search.quantity_words import WORDS, listed
from ohmnas.targets import DEFAULTS, DEVICE_LATENCY, TARGETS, variation_of

ABOVE_GUESSING = 0.1
"""A found network gets a warning if it covers less than this share of the way from chance to 100 % accuracy."""
FEW_NETWORKS = 100
"""A surrogate trained on fewer networks gets a warning."""
FRONT_ROWS = 12
"""Largest number of networks on a front that are shown, evenly spread; the file has all of them."""
_LIMITED: Final = {"max_std": "std", "max_avm": "AVM", "min_accuracy": "accuracy"}
"""Limit on a prediction with its own flag -> column that it limits."""
_MEANS: Final = {
    "avm": "accuracy variation over one month (accuracy after 1 second minus accuracy after 30 days)",
    "avm_60s": "accuracy after 60 seconds minus accuracy after 30 days",
}
"""Variation of the accuracy -> its meaning."""
ENDINGS: Final = {
    "seconds": "; stopped: out of time",
    "evaluations": "; stopped: evaluation limit",
    "patience": "; stopped: no improvement",
    "nothing new": "; stopped: no new candidates",
    "interrupted": "; stopped: interrupted",
    "skips": "; stopped: skip connections",
}
"""Reason for ending before the last generation -> text shown."""
UNITS: Final[dict[str, tuple[str, Callable[[float], str]]]] = {
    "size": ("size", lambda value: f"{value / 1000:,.1f} kB"),
    "memory": ("memory", lambda value: f"{value:,.0f}"),
    "tiles": ("tiles", lambda value: f"{value:,.0f}"),
    "cells": ("cells", lambda value: f"{value:,.0f}"),
    "energy": ("energy", lambda value: f"{1e6 * value:,.2f} µJ"),
    "latency": ("latency", lambda value: f"{1e6 * value:,.1f} µs"),
}
"""Cost -> column title and number format."""


def warn_if_few(learned: Mapping[str, Any], table: str, co_design: bool) -> None:
    """Warn if a surrogate was trained on few networks.

    Args:
        learned: the surrogate's provenance.
        table: the table in the suggested `ohmnas score` command.
        co_design: True if the surrogate predicts for networks and chips together.
    """
    networks = learned.get("networks", learned["rows"])
    if networks < FEW_NETWORKS:
        few = f"the surrogate was trained on only {networks} measured networks"
        score = f"ohmnas score --table {quote(table)}{' --co-design' if co_design else ''}"
        render.warning(f"{few}; check its quality: {score}")


def show(result: SearchResult, path: Path, pictures: Sequence[Path] = ()) -> None:
    """Print the result of a search."""
    best = result.best
    learned, variation = result.provenance, variation_of(best.predicted)
    render.line(f"found   {best.architecture}")
    if best.chip:
        render.line(f"on      {chip_in_words(best.chip)}")
    if best.predicted["accuracy_1d"] < guessing_threshold(result.space.classes):
        render.warning(
            "the found network is hardly better than guessing. The accuracy of a guessing network does not vary, so "
            "tight AVM limits favour it: add --floor reference, or an accuracy such as --floor 0.5"
            if not _is_search_network(result)
            else "the search network is hardly better than guessing: use more --epochs, --images or --channels"
        )
    if "rows" in learned:
        warn_if_few(learned, "TABLE", bool(best.chip))
    extra = _asked_costs(result)
    several = [(f"#{place}", candidate) for place, candidate in enumerate(result.top, 1)] or [("found", best)]
    known = result.references[:3]
    beside = [(candidate.name + (" *" if candidate.misses else ""), candidate) for candidate in known]
    rows = [_row(name, candidate, result, extra) for name, candidate in (*several, *beside)]
    columns = _columns(best, result, extra)
    render.table(["predicted", *columns], rows)
    confidence = result.constraints.get("confidence")
    sure = "" if confidence is None else f" with a probability of {confidence:g}"
    if missed := sorted({_limited(limit) for candidate in known for limit in candidate.misses}):
        limits = f"the limit on {missed[0]}" if len(missed) == 1 else f"one of the limits on {listed(missed)}"
        fault = (
            f"violates {limits}" if confidence is None else f"meets {limits} with a probability below {confidence:g}"
        )
        render.line(f"* {fault} (predicted)")
    for place, candidate in enumerate(result.top[1:], 2):
        on = f", on {candidate.chip}" if candidate.chip else ""
        render.line(f"#{place}      {candidate.architecture}{on}")
    if result.front:
        front = _spread(result.front, FRONT_ROWS)
        shown = "" if len(front) == len(result.front) else f"; {len(front)} shown"
        most = " (the limit)" if len(result.front) == FRONT else ""
        title = f"Pareto front ({', '.join(result.pareto)}): {counted(len(result.front), 'network')}{most}{shown}"
        render.table(["front", *columns], [_row(str(i + 1), c, result, extra) for i, c in front], title)
        render.line(f"found: the network on the front with the highest {result.objective}")
        volume = result.history[-1]["hypervolume"]
        render.line(f"hypervolume: {volume:.4f} (share of the objective space that the front dominates)")
    if best.interval:
        render.line(
            f"90 % prediction interval: 1-day accuracy {_between(best, 'accuracy_1d')} %, "
            f"{variation.title} {_between(best, variation.name)} points"
        )
    render.line(f"{variation.title}: {_MEANS[variation.name]}")
    render.line(f"maximised: {result.objective}; {_where(result)}")
    if conversion := result.constraints.get("conversion"):
        render.line(_assumed(conversion))
    if schedule := result.constraints.get("schedule"):
        render.line(_scheduled(schedule))
    if limits := _limits_on_predictions(result):
        render.line(f"limits on predictions: {limits}{sure}")
    if floor := _floor(result, sure):
        render.line(floor)
    if beats_no_reference(result):
        render.line(f"The search found no better network within these limits than {result.constraints['reference']}.")
    render.line(_how_found(result))
    for picture in pictures:
        render.line(f"wrote {picture}")
    render.line(
        "These are accuracies in the search network. To measure the found network itself:"
        if _is_search_network(result)
        else "The best of many predictions is optimistic. To measure the network:"
    )
    needs = "" if find_spec("torch") else "   (needs: pip install 'ohmnas[train]')"
    render.line(f"  ohmnas verify {quote(str(path))} {how_measured(learned, best)}{needs}")


def _how_found(result: SearchResult) -> str:
    """Return the effort of the search, and the origin of its predictions."""
    learned, ended = result.provenance, ENDINGS.get(result.stopped, "")
    how, where = f"{result.strategy}, seed {result.seed}", f"{learned['task']}, {learned['hardware']}"
    if _is_search_network(result):
        epochs = int(result.history[-1]["iteration"])
        trained = f"trained a search network for {counted(epochs, 'epoch')} in {result.seconds:.0f} s"
        return f"{trained} ({how}; {where}){ended}"
    scored = f"scored {result.evaluations:,} {result.space.members} in {result.seconds:.2f} s ({how}; "
    if "rows" in learned:
        scored += f"surrogate trained on {learned['rows']:,} measured {result.space.members}: "
    return f"{scored}{where}){ended}"


def _is_search_network(result: SearchResult) -> bool:
    """Return True for a gradient search, whose predictions are readings of its search network."""
    return result.provenance.get("estimator") == "search network"


def _assumed(conversion: Mapping[str, Any]) -> str:
    """Return the assumptions behind energy and latency as text."""
    phases = f", with {conversion['phases']}-phase reads" if conversion["phases"] != 1 else ""
    return (
        f"energy is a proxy: it assumes that 8-bit ADCs take {100 * conversion['adc_share']:g} % of it and that ADC "
        f"energy grows with the number of bits according to the {conversion['law']} law{phases} (--adc-share, "
        "--adc-law, --read-phases)"
    )


def _scheduled(schedule: Mapping[str, Any]) -> str:
    """Return the schedule behind the memory estimate as text."""
    patches = schedule["patches"]
    parts = [f"the first blocks in {patches} x {patches} patches"] if patches > 1 else []
    parts += ["depthwise convolutions in place"] if schedule["in_place_depthwise"] else []
    return f"memory assumes {' and '.join(parts)} (--patches, --in-place-depthwise)"


def _limits_on_predictions(result: SearchResult) -> str:
    """Return the limits on targets as text, except limits from a reference network, which `_floor` states."""
    asked, least = result.constraints, result.constraints.get("least", {})
    highest = {of: asked.get(name) for name, of in PREDICTED_LIMITS.items()} | asked.get("most", {})
    if asked.get("reference"):
        del highest["avm"]
    parts = [
        f"{WORDS[of].title} at most {WORDS[of].text(most).lstrip('+')}"
        for of, most in highest.items()
        if most is not None
    ]
    parts += [f"{WORDS[of].title} at least {WORDS[of].text(value).lstrip('+')}" for of, value in least.items()]
    return ", ".join(parts)


def _floor(result: SearchResult, sure: str) -> str:
    """Return the lowest accuracy as text, with its origin; empty if there is none."""
    least, name = result.constraints.get("min_accuracy"), result.constraints.get("reference")
    if not least:
        return ""
    if not name and sure:
        return f"required: accuracy of at least {100 * least:g} %{sure} (predicted; --floor none removes this limit)"
    if not name:
        return f"excluded: predicted accuracy below {100 * least:g} % (--floor none removes this limit)"
    return (
        f"required: predicted accuracy no lower and AVM no higher than those of {name}{sure}; --floor none removes "
        "these limits"
    )


def beats_no_reference(result: SearchResult) -> bool:
    """Return True if the found network is the reference network whose predictions are the limits."""
    name = result.constraints.get("reference")
    return any(known.name == name and known.genome == result.best.genome for known in result.references)


def show_trade_offs(result: SearchResult) -> None:
    """Print the front from a search without the limits set by the reference network."""
    best, extra = result.best, _asked_costs(result)
    front = _spread(result.front, FRONT_ROWS)
    title = f"trade-offs without the floor (--floor none): Pareto front of {', '.join(result.pareto)}"
    render.table(
        ["front", *_columns(best, result, extra)], [_row(str(i + 1), c, result, extra) for i, c in front], title
    )


def _limited(limit: str) -> str:
    """Return the title of the prediction that a limit applies to."""
    name = limit.removeprefix("min_").removeprefix("max_")
    return _LIMITED.get(limit) or (TARGETS[name].title if name in TARGETS else limit)


def how_measured(learned: dict[str, Any], best: Candidate) -> str:
    """Return the flags of `verify` for a result's task and chip."""
    chip = str(learned["hardware"])
    file = "" if best.chip or has_name(chip) else f" --hardware {quote(chip + '.toml')}"
    return f"--task {quote(task_word(str(learned['task'])))}{file}"


def _where(result: SearchResult) -> str:
    """Return the searched sizes and the bounds on genes."""
    bounds = result.constraints
    least, most, macs = (bounds.get(name) for name in ("min_params", "max_params", "max_macs"))
    genes: dict[str, list[Any]] = bounds.get("genes", {})
    parts = [
        f"at least {least or 0:,} parameters" if most is None else f"{least or 0:,} to {most:,} parameters",
        *([] if macs is None else [f"up to {macs:,.0f} MACs"]),
        *(
            f"{title} up to {text(bounds[f'max_{of}'])}"
            for of, (title, text) in UNITS.items()
            if bounds.get(f"max_{of}")
        ),
        *(f"{name} {low}" if low == high else f"{name} {low} to {high}" for name, (low, high) in genes.items()),
    ]
    return f"searched: {', '.join(parts)}"


def chip_in_words(name: str) -> str:
    """Return the technology, tiles and converters of a chip as text."""
    chip = hardware(name)
    return (
        f"{chip.technology}, {chip.tile_rows} x {chip.tile_columns} tiles, {chip.dac_bits}-bit DACs, "
        f"{chip.adc_bits}-bit ADCs ({name})"
    )


def guessing_threshold(classes: int) -> float:
    """Return the accuracy below which a network is hardly better than guessing among this number of classes."""
    return 1.0 / classes + ABOVE_GUESSING * (1.0 - 1.0 / classes)


def _asked_costs(result: SearchResult) -> list[str]:
    """Return the costs, besides parameters and MACs, that the limits, the objective or the front use."""
    asked = {name.removeprefix("max_") for name, value in result.constraints.items() if value is not None}
    soft: Any = result.constraints.get("soft", {})
    asked |= {*result.pareto, *soft}
    if result.best.chip:
        asked |= {"energy"}
    return [name for name in UNITS if name in asked or name in result.objective]


def _further(candidate: Candidate) -> list[str]:
    """Return the predicted targets beyond the default ones."""
    shown = (*DEFAULTS, variation_of(candidate.predicted))
    return [name for name in candidate.predicted if TARGETS[name] not in shown]


def _of_further(name: str, value: float) -> str:
    return WORDS[name].number(value) if name == DEVICE_LATENCY.name else render.percent(value)


def _spread(front: Sequence[Candidate], most: int) -> list[tuple[int, Candidate]]:
    if len(front) <= most:
        return [*enumerate(front)]
    places = sorted({round(turn * (len(front) - 1) / (most - 1)) for turn in range(most)})
    return [(place, front[place]) for place in places]


def _between(candidate: Candidate, name: str) -> str:
    low, high = candidate.interval[name]
    return f"{100 * low:.1f} to {100 * high:.1f}"


def _columns(best: Candidate, result: SearchResult, extra: Sequence[str]) -> list[str]:
    return [
        *(["chip"] if best.chip else []),
        "1-day accuracy",
        "std",
        variation_of(best.predicted).title,
        *(TARGETS[name].title + (" (ms)" if name == DEVICE_LATENCY.name else "") for name in _further(best)),
        *(["accuracy/std"] if result.objective == Ratio().name else []),
        "params",
        "MACs",
        *(UNITS[name][0] for name in extra),
    ]


def _row(name: str, candidate: Candidate, result: SearchResult, extra: Sequence[str]) -> list[str]:
    predicted = candidate.predicted
    std = predicted["accuracy_1d_std"]
    ratio = f"{predicted['accuracy_1d'] / std:.0f}" if std > 0.0 else "-"
    return [
        name,
        *([candidate.chip] if candidate.chip else []),
        render.percent(predicted["accuracy_1d"]),
        render.percent(std),
        render.points(predicted[variation_of(predicted).name]),
        *(_of_further(name, predicted[name]) for name in _further(candidate)),
        *([ratio] if result.objective == Ratio().name else []),
        f"{candidate.params:,}",
        f"{candidate.macs:,}",
        *(UNITS[cost][1](candidate.costs[cost]) for cost in extra),
    ]
