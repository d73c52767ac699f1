"""What is searched for, as words of the command line: limits, objective, bounds on genes, strategy."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from ohmnas.cli import render
from ohmnas.cli.arguments import size
from ohmnas.errors import InvalidValueError
from ohmnas.search import Limits, Problem
from ohmnas.search.limits import CEILINGS
from ohmnas.search.objective import Objective, Tchebycheff, objective
from ohmnas.search.quantities import ON_TILES, PREDICTIONS, PredictionLike
from ohmnas.search.usual import usual_floor
from ohmnas.spaces.bounds import Bounds, gene_value, main_block
from ohmnas.spaces.chips import CHIP_GENE_NAMES, chip_text
from ohmnas.spaces.genes import GENES, M, Population
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.surrogate import LearningSet
from ohmnas.surrogate.heads import Calibration


class Learned(Protocol):
    """A fitted surrogate, or what is known of it before."""

    @property
    def space_(self) -> ResNetSpace:
        """Of the networks that it learns from."""

    @property
    def provenance_(self) -> dict[str, Any]:
        """Where they came from."""

    @property
    def calibration_(self) -> Calibration:
        """Whose last value is the highest accuracy."""

    def forecast(self, population: Population) -> PredictionLike:
        """Predict ``(n, g)`` architectures."""


@dataclass(frozen=True, slots=True)
class Unfitted:
    """What is known of a surrogate before it is fitted: enough to see whether the flags describe a problem."""

    space_: ResNetSpace
    provenance_: dict[str, Any]
    hardware_: dict[str, float]
    calibration_: Calibration = field(default_factory=lambda: Calibration(np.zeros(1), np.zeros(1)))

    @classmethod
    def of(cls, data: LearningSet) -> Unfitted:
        """Of the surrogate that will learn these rows."""
        return cls(data.space, data.provenance, data.hardware)

    def forecast(self, population: Population) -> PredictionLike:
        """Predict nothing.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(f"{len(population)} architectures asked about before the surrogate is fitted")

    def quantile(self, predicted: PredictionLike, probability: float) -> PredictionLike:
        """Predict nothing.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(f"{probability} of {predicted} asked about before the surrogate is fitted")


def problem(arguments: argparse.Namespace, surrogate: Learned) -> Problem:
    """The problem that the flags describe; what is to be known about it is said, unless the surrogate is `Unfitted`.

    Raises:
        InvalidValueError, UnknownNameError: a flag does not fit.
    """
    for flag, pairs in (("--weight", arguments.weight), ("--soft", arguments.soft)):
        _check_once(flag, pairs or [])
    weights = {name: _number(f"the weight of {name}", text) for name, text in arguments.weight or []}
    if arguments.objective == "tchebycheff" and not weights:
        aim: Objective = Tchebycheff.drawn(arguments.pareto or PREDICTIONS, np.random.default_rng([arguments.seed, 1]))
    else:
        aim = objective(arguments.objective, weights)
    notes: list[str] = []
    asked = Problem(
        surrogate.space_,
        surrogate,
        _limits(arguments, surrogate, notes),
        aim,
        _bounds(arguments.fix or [], arguments.range or [], surrogate, notes),
        arguments.pareto,
    )
    if surrogate.space_.has_chips and not _mind_the_chip(asked):
        notes.append("nothing limits what the chip costs: --max-energy, --max-latency or --max-cells would")
    for note in notes if not isinstance(surrogate, Unfitted) else ():  # once nothing is wrong
        render.notice(f"note: {note}")
    return asked


def _check_once(flag: str, pairs: list[tuple[str, str]]) -> None:
    names = [name for name, _ in pairs]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise InvalidValueError(f"{flag} says {twice} twice: say it once")


def _mind_the_chip(asked: Problem) -> bool:
    """Whether a better chip costs anything."""
    if asked.within.low[GENES:] == asked.within.high[GENES:]:
        return True  # there is no other
    limited = [name for name in ON_TILES if asked.limits.on(name) < np.inf]
    return bool(limited or {*ON_TILES} & {*asked.pareto} or any(name in asked.objective.name for name in ON_TILES))


def _amount(text: str) -> float:
    """A size such as 50k, or any number."""
    try:
        return float(size(text))
    except argparse.ArgumentTypeError:
        return _number("a soft limit", text)


def _number(what: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InvalidValueError(f"{what} is a number, not {text!r}") from error


def _bounds(
    fixed: Iterable[tuple[str, str]], ranges: Iterable[tuple[str, str]], surrogate: Learned, notes: list[str]
) -> Bounds:
    """The user's bounds; those of chips within what the surrogate has seen."""
    fixed, ranges = list(fixed), list(ranges)
    names = [name for name, _ in (*fixed, *ranges)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidValueError(f"gene {twice} is bounded twice: say --fix or --range of it once")
    both = {name: (gene_value(name, text), gene_value(name, text)) for name, text in fixed}
    for name, text in ranges:
        low, colon, high = text.partition(":")
        if not colon:
            raise InvalidValueError(f"a range is FROM:TO, such as {name}=1:3, not {text!r}")
        both[name] = (gene_value(name, low), gene_value(name, high))
    asked = Bounds.of(both, surrogate.space_.has_chips)
    deepest = asked.high[M]
    missing = next((name for name in both if main_block(name) > deepest), None)
    if missing is not None:
        raise InvalidValueError(
            f"{missing} is of main block {main_block(missing)}, and M, the number of main blocks, is at most {deepest}"
        )
    for name, (least, most) in surrogate.provenance_["seen"].get("chips", {}).items():
        both[name] = _seen_of(name, asked, (least, most), name in both, notes)
    return Bounds.of(both, surrogate.space_.has_chips)


def _seen_of(name: str, asked: Bounds, seen: tuple[int, int], by_user: bool, notes: list[str]) -> tuple[int, int]:
    """What is asked for of a chip's gene, as far as it was measured."""
    column = GENES + CHIP_GENE_NAMES.index(name)
    low, high = max(asked.low[column], seen[0]), min(asked.high[column], seen[1])
    known = f"{name} was measured from {chip_text(name, seen[0])} to {chip_text(name, seen[1])}"
    if low > high:
        raise InvalidValueError(f"{known}: nothing is known of what is asked for")
    if by_user and (low, high) != (asked.low[column], asked.high[column]):
        notes.append(f"{known}; searching there")
    return low, high


def _limits(arguments: argparse.Namespace, surrogate: Learned, notes: list[str]) -> Limits:
    """The user's limits within what the surrogate has seen: beyond, trees repeat their outermost leaf."""
    if arguments.penalty is not None and not arguments.soft:
        raise InvalidValueError(
            "--penalty is the price of exceeding a --soft limit, and there is none: --soft macs=500k"
        )
    seen = surrogate.provenance_["seen"]
    limits = {name: getattr(arguments, name) for name in CEILINGS if getattr(arguments, name) is not None}
    for name in ("max_params", "max_macs"):
        asked, most = limits.get(name), seen[name]
        if asked is not None and asked > most:
            notes.append(
                f"--{name.replace('_', '-')} {asked:,} is beyond the {most:,} that was measured; "
                f"searching up to {most:,}"
            )
        limits[name] = most if asked is None else min(asked, most)
    least = usual_floor(surrogate) if arguments.min_accuracy is None else arguments.min_accuracy
    return Limits(
        **limits,
        min_params=seen["min_params"],
        min_accuracy=least,
        confidence=arguments.confidence,
        soft={name: _amount(text) for name, text in arguments.soft or []},
        **({} if arguments.penalty is None else {"penalty": arguments.penalty}),
    )
