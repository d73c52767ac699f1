"""Table of the networks of a result: predictions, with all measurements below them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import Final

from ohmnas.datasets.campaign.picks import FOUND
from ohmnas.report.columns import RATIO, asked_quantities, cells_of, columns_of, ratio_cell
from ohmnas.report.page import Cell, Grid, number_cell, text_cell
from ohmnas.report.subject import Subject
from ohmnas.search.candidate import Candidate
from ohmnas.search.quantity_words import WORDS

DIGITAL: Final = "accuracy_digital"
"""Accuracy without a chip. Surrogates do not predict it by default, but every measurement includes it."""


@dataclass(frozen=True, slots=True)
class _Values:
    """Values of one kind for one network."""

    kind: str
    means: Mapping[str, float]


def values_grid(one: Subject, colour: str, found: str = FOUND) -> Grid:
    """Return the table. Each network has a row for each kind of value that is known.

    Args:
        one: a result.
        colour: CSS class for the colour of the result.
        found: name of the found network on the page.
    """
    further = {name: [each for each in _further(one, name, candidate) if each.means] for name, candidate in _all(one)}
    has_further = any(further.values())
    columns = _columns(one, [each for values in further.values() for each in values])
    has_ratio = one.result.objective == RATIO
    rows = []
    for name, candidate in _all(one):
        shown = found if name == FOUND else name
        label = text_cell(shown, f"dot {colour if name == FOUND else 'ref'}")
        starred = text_cell(f"{shown} *", label.mark) if candidate.misses else label
        estimate = [text_cell("expected" if candidate.trainings else "predicted")] if has_further else []
        ratio = [ratio_cell(candidate.predicted)] if has_ratio else []
        rows.append([starred, *estimate, *ratio, *cells_of(candidate, columns, "")])
        for each in further[name]:
            ratio = [ratio_cell(each.means, "")] if has_ratio else []
            rows.append([label, text_cell(each.kind), *ratio, *_cells(each.means, columns)])
    kinds = ["values"] if has_further else []
    ratios = ["accuracy / std"] if has_ratio else []
    return Grid(["network", *kinds, *ratios, *(WORDS[name].label for name in columns)], rows, is_stacked=True)


def architectures_grid(one: Subject, found: str = FOUND) -> Grid:
    """Return the architectures of the networks of a result; `found` is the name of the found one on the page."""
    rows = [
        [text_cell(found if name == FOUND else name), text_cell(str(candidate.architecture))]
        for name, candidate in _all(one)
    ]
    return Grid(["network", "architecture"], rows, is_stacked=True)


def _all(one: Subject) -> list[tuple[str, Candidate]]:
    return list(one.networks.items())


def _columns(one: Subject, further: Sequence[_Values]) -> list[str]:
    """Return the quantities of the columns, with the digital accuracy if it was measured."""
    costs = ("tiles", "energy") if "tiles" in one.result.best.costs else ()
    columns = columns_of(one, [*asked_quantities(one), *costs])
    if DIGITAL not in columns and any(DIGITAL in each.means for each in further):
        columns.insert(0, DIGITAL)
    return columns


def _further(one: Subject, name: str, candidate: Candidate) -> Iterator[_Values]:
    """Yield all kinds of values of a network except its prediction; a kind may be empty."""
    yield _Values("held out", candidate.held_out)
    count = candidate.trainings if one.measured_network(name, candidate) is None else 0
    where = ", validation images" if one.measurement is not None else ""
    trainings = f"{where} ({count} run{'s' if count > 1 else ''})" if count else ""
    yield _Values(f"measured{trainings}", _measured_means(one, name, candidate))
    yield _Values("measured in the table", _in_table(one, candidate))


def _cells(means: Mapping[str, float], columns: Sequence[str]) -> list[Cell]:
    numbers = [(WORDS[quantity], means.get(quantity, nan)) for quantity in columns]
    return [number_cell("" if isnan(number) else words.number(number), number) for words, number in numbers]


def _measured_means(one: Subject, name: str, candidate: Candidate) -> dict[str, float]:
    """Target -> mean measurement of a network: on test images or, in a refinement, on validation images."""
    network = one.measured_network(name, candidate)
    if network is None:
        return candidate.measured
    means = {target: network.mean(target) for target in network.values}
    return {target: mean for target, mean in means.items() if mean is not None}


def _in_table(one: Subject, candidate: Candidate) -> dict[str, float]:
    """Target -> label of a network in the surrogate's table, and its digital accuracy; empty if they are unknown."""
    labels = one.labels(candidate)
    names = [*(target.name for target in one.targets), DIGITAL]
    return {name: labels[name] for name in names if name in labels}
