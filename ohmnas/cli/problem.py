"""Build a search problem from command-line flags: limits, objective, bounds on genes."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ohmnas.cli import render
from ohmnas.cli.arguments import fraction, size
from ohmnas.costs.conversion import Conversion
from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.estimate import Estimate
from ohmnas.lookup import check_name
from ohmnas.search import Limits, Problem
from ohmnas.search.defaults import default_floor, reference_floor
from ohmnas.search.estimator import Estimator
from ohmnas.search.limits import CEILINGS
from ohmnas.search.objective import Objective, Tchebycheff
from ohmnas.search.objectives import OBJECTIVES, objective, weighs
from ohmnas.search.quantities import ON_TILES
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.codesign import CHIP_GENES
from ohmnas.spaces.genes import Genes, Population
from ohmnas.spaces.schedule import Schedule
from ohmnas.spaces.space import Space
from ohmnas.targets import ACCURACY, DEVICE_LATENCY, SPREAD, TARGETS, VARIATION, Target, target

if TYPE_CHECKING:
    from ohmnas.surrogate.model import SurrogateModel
    from ohmnas.surrogate.training_set import TrainingSet


class Learned(Protocol):
    """A fitted surrogate, or its known properties before the fit."""

    @property
    def space(self) -> Space:
        """Space of the training networks."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Origin of the training rows."""

    @property
    def hardware(self) -> Mapping[str, float]:
        """Settings of the chip."""

    @property
    def best_known(self) -> float:
        """Mean measured accuracy of the best training networks."""

    @property
    def targets(self) -> tuple[Target, ...]:
        """Predicted targets; the third is the AVM, or the variation that was measured instead."""


class Unfitted(Estimator):
    """A surrogate before the fit, to check the flags early."""

    def __init__(self, data: TrainingSet, selected: tuple[str, ...] = ()) -> None:
        """Describe a surrogate for these rows, with further targets."""
        self._data, self._selected = data, selected
        self.hardware, self.best_known = data.hardware, 0.0

    @property
    def targets(self) -> tuple[Target, ...]:
        """Default and selected targets."""
        return (ACCURACY, SPREAD, self._data.variation, *map(target, self._selected))

    def predicting(self, names: Iterable[str]) -> Unfitted:
        """Return a description of a surrogate that also predicts these targets.

        Raises:
            InvalidValueError: a target was not measured.
        """
        predicted = {one.name for one in self.targets}
        wanted = [name for name in dict.fromkeys(names) if name not in predicted]
        for name in wanted:
            self._data.further(name)
        return Unfitted(self._data, (*self._selected, *wanted))

    @property
    def space(self) -> Space:
        """Space of the rows."""
        return self._data.space

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Origin of the rows."""
        return self._data.provenance

    @property
    def has_quantiles(self) -> bool:
        """True: surrogates predict quantiles."""
        return True

    def estimate(self, population: Population) -> Estimate:
        """Raise an error: there are no predictions before the fit.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(f"cannot predict {len(population)} architectures: the surrogate is not fitted yet")


def problem(arguments: argparse.Namespace, surrogate: SurrogateModel | Unfitted) -> Problem:
    """Build the problem and print notes about it.

    For an `Unfitted` surrogate, `--floor reference` and the notes are skipped.

    Raises:
        InvalidValueError, UnknownNameError: a flag is invalid.
    """
    notes: list[str] = []
    asked = described(arguments, surrogate, notes)
    if isinstance(surrogate, Unfitted):
        return asked
    for note in notes:
        render.notice(f"note: {note}")
    return reference_floor(asked) if is_above_reference(arguments) else asked


def described(arguments: argparse.Namespace, surrogate: SurrogateModel | Unfitted, notes: list[str]) -> Problem:
    """Build the problem without `--floor reference`, and append notes about it.

    Raises:
        InvalidValueError, UnknownNameError: a flag is invalid.
    """
    for flag in ("weight", "soft", "at_least", "at_most"):
        _check_once(f"--{flag.replace('_', '-')}", getattr(arguments, flag) or [])
    weights = {name: _number(f"the weight of {name}", text) for name, text in arguments.weight or []}
    if not weights and surrogate.targets[2] != VARIATION and weighs(OBJECTIVES[arguments.objective]):
        weights = {one.name: 1.0 for one in surrogate.targets[:3]}
    if arguments.objective == "tchebycheff" and not arguments.weight:
        aim: Objective = Tchebycheff.drawn(
            arguments.pareto or tuple(one.name for one in surrogate.targets[:3]),
            np.random.default_rng([arguments.seed, 1]),
        )
    else:
        aim = objective(arguments.objective, weights)
    asked = Problem(
        surrogate.space,
        _with_device(arguments, surrogate),
        _limits(arguments, surrogate, notes),
        aim,
        _bounds(arguments.fix or [], arguments.range or [], surrogate, notes),
        arguments.pareto,
        None if surrogate.space.has_chips else surrogate.hardware,
        Conversion(arguments.adc_law, arguments.adc_share, arguments.read_phases),
        Schedule(arguments.in_place_depthwise, arguments.patches),
    )
    if surrogate.space.has_chips and not _chip_costs_matter(asked):
        notes.append("no limit on the chip's cost; add --max-energy, --max-latency or --max-cells")
    return asked


def _with_device(arguments: argparse.Namespace, surrogate: SurrogateModel | Unfitted) -> Estimator:
    """Return the surrogate, combined with the latency on the user's device if `--latency` is given."""
    if arguments.latency is None:
        return surrogate
    from ohmnas.estimators.combined import Combined
    from ohmnas.estimators.latency import read_latency

    return Combined(surrogate, read_latency(arguments.latency, surrogate.space.networks))


def is_above_reference(arguments: argparse.Namespace) -> bool:
    """Return True if the found network must be as good as the best reference network."""
    return bool(arguments.floor == "reference" or (arguments.floor is None and not arguments.pareto))


def _check_once(flag: str, pairs: list[tuple[str, str]]) -> None:
    names = [name for name, _ in pairs]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InvalidValueError(f"{flag} sets {twice} twice: set it once")


def _chip_costs_matter(asked: Problem) -> bool:
    """Return True if the problem limits or scores a cost of the chip, or fixes the chip."""
    chip = slice(len(asked.space.networks.genes), None)
    if asked.bounds.low[chip] == asked.bounds.high[chip]:
        return True  # the chip is fixed
    limited = [name for name in ON_TILES if asked.limits.on(name) < np.inf]
    return not {*ON_TILES}.isdisjoint({*limited, *asked.limits.soft, *asked.pareto, *asked.objective.needs})


def _on_targets(flag: str, pairs: Iterable[tuple[str, str]]) -> dict[str, float]:
    """Return target -> limit."""
    limits = {}
    for name, text in pairs:
        check_name("target", TARGETS, name)
        try:
            limits[name] = _seconds(f"{flag} {name}", text) if name == DEVICE_LATENCY.name else fraction(text)
        except argparse.ArgumentTypeError as error:
            raise InvalidValueError(f"{flag} {name}: {error}") from error
    return limits


def _seconds(what: str, text: str) -> float:
    value, low, high = _number(what, text), DEVICE_LATENCY.low, DEVICE_LATENCY.high
    if not low <= value <= high:
        raise InvalidValueError(f"{what} must be {low:g} to {high:g} seconds, not {text}")
    return value


def _amount(text: str) -> float:
    """Parse a size such as 50k, or any number."""
    try:
        return float(size(text))
    except argparse.ArgumentTypeError:
        return _number("a soft limit", text)


def _number(what: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InvalidValueError(f"{what} must be a number, not {text!r}") from error


def ends_by_name(
    genes: Genes, fixed: Iterable[tuple[str, str]], ranges: Iterable[tuple[str, str]]
) -> dict[str, tuple[int, int]]:
    """Return name -> lowest and highest value, from `--fix` and `--range`.

    Raises:
        InvalidValueError, UnknownNameError: a name is unknown or occurs twice, or a value is invalid.
    """
    fixed, ranges = list(fixed), list(ranges)
    names = [name for name, _ in (*fixed, *ranges)]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InvalidValueError(f"gene {twice} is bounded twice: use --fix or --range once")
    both = {name: (genes.named(name).value(text), genes.named(name).value(text)) for name, text in fixed}
    for name, text in ranges:
        low, colon, high = text.partition(":")
        if not colon:
            raise InvalidValueError(f"a range must be FROM:TO, such as {name}=1:3, not {text!r}")
        both[name] = (genes.named(name).value(low), genes.named(name).value(high))
    return both


def _bounds(
    fixed: Iterable[tuple[str, str]], ranges: Iterable[tuple[str, str]], surrogate: Learned, notes: list[str]
) -> Bounds:
    """Return the user's bounds. Bounds on chip genes are clipped to the measured range."""
    fixed, ranges = list(fixed), list(ranges)
    space, genes = surrogate.space, surrogate.space.genes
    of_chip = next((name for name, _ in (*fixed, *ranges) if name in CHIP_GENES.names), None)
    if of_chip is not None and not space.has_chips:
        raise UnknownNameError(f"{of_chip} is a chip gene, and this search space has only networks: add --co-design")
    both = ends_by_name(genes, fixed, ranges)
    asked = Bounds.of(genes, both)
    _check_exist(asked, both)
    for name, (least, most) in surrogate.provenance["seen"].get("chips", {}).items():
        both[name] = _seen_of(name, asked, (least, most), name in both, notes)
    return Bounds.of(genes, both)


def _check_exist(asked: Bounds, names: Iterable[str]) -> None:
    """Reject bounds on genes of blocks that no network within the bounds has."""
    genes = asked.genes
    if not genes.depth:
        return
    deepest = asked.high[genes.depth_column]
    for name in names:
        block = genes.named(name).block if name in genes.names else 0
        if block > deepest:
            raise InvalidValueError(
                f"{name} is a gene of block {block}, but {genes.depth}, the number of blocks, is at most {deepest}"
            )


def _seen_of(name: str, asked: Bounds, seen: tuple[int, int], by_user: bool, notes: list[str]) -> tuple[int, int]:
    """Clip the bounds of a chip gene to its measured range."""
    column = asked.genes.index(name)
    gene = asked.genes[column]
    low, high = max(asked.low[column], seen[0]), min(asked.high[column], seen[1])
    known = f"{name} was measured from {gene.text(seen[0])} to {gene.text(seen[1])}"
    if low > high:
        raise InvalidValueError(f"{known}: choose a value in this range")
    if by_user and (low, high) != (asked.low[column], asked.high[column]):
        notes.append(f"{known}; searching this range only")
    return low, high


def _limits(arguments: argparse.Namespace, surrogate: Learned, notes: list[str]) -> Limits:
    """Return the user's limits, clipped to the measured range: trees cannot extrapolate."""
    if arguments.penalty is not None and not arguments.soft:
        raise InvalidValueError("--penalty needs a soft limit: add one, such as --soft macs=500k")
    seen = surrogate.provenance["seen"]
    limits = {name: getattr(arguments, name) for name in CEILINGS if getattr(arguments, name) is not None}
    for name in ("max_params", "max_macs"):
        asked, most = limits.get(name), seen[name]
        if asked is not None and asked > most:
            notes.append(
                f"--{name.replace('_', '-')} {asked:,} exceeds the largest measured value; searching up to {most:,}"
            )
        limits[name] = most if asked is None else min(asked, most)
    if arguments.max_avm is not None and (instead := surrogate.targets[2]) != VARIATION:
        raise InvalidValueError(
            f"--max-avm limits the variation from 1 second on, which was not measured: use --at-most "
            f"{instead.name}={arguments.max_avm:g}"
        )
    most = _on_targets("--at-most", arguments.at_most or [])
    if arguments.latency is not None and "max_latency" in limits:
        name = DEVICE_LATENCY.name
        most[name] = min(limits.pop("max_latency"), most.get(name, np.inf))
    least = arguments.floor
    if not isinstance(least, float):  # the floor if no reference network meets the limits
        least = 0.0 if least == "none" else default_floor(surrogate.best_known, surrogate.space.classes)
    return Limits(
        **limits,
        min_params=seen["min_params"],
        min_accuracy=least,
        confidence=arguments.confidence,
        least=_on_targets("--at-least", arguments.at_least or []),
        most=most,
        soft={name: _amount(text) for name, text in arguments.soft or []},
        **({} if arguments.penalty is None else {"penalty": arguments.penalty}),
    )
