"""Measured values of the networks of a result, from the `verify.json` beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from ohmnas import json_values
from ohmnas.errors import BrokenFileError, OhmnasError
from ohmnas.files import read_text
from ohmnas.spaces.space import Space
from ohmnas.targets import TARGETS

NAME: Final = "verify.json"
_LARGEST: Final = 1 << 26
"""Largest size of the file in bytes."""


@dataclass(frozen=True, slots=True)
class MeasuredNetwork:
    """One network with the measured values of each training run."""

    genome: tuple[int, ...]
    values: Mapping[str, tuple[float | None, ...]]
    """Target -> value of each training run; None where it diverged."""

    def finite(self, target: str) -> list[float]:
        """Return the values of the training runs that did not diverge; empty if the target was not measured."""
        return [value for value in self.values.get(target, ()) if value is not None]

    def mean(self, target: str) -> float | None:
        """Return the mean over training runs, or None if there are no values."""
        values = self.finite(target)
        return float(np.mean(values)) if values else None

    def error(self, target: str) -> float | None:
        """Return the standard error of the mean, or None with fewer than two values."""
        values = self.finite(target)
        return float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None


@dataclass(frozen=True, slots=True)
class MeasuredDifference:
    """Mean difference between two networks over pairs of training runs with the same seed."""

    network: str
    against: str
    target: str
    mean: float
    low: float | None
    """Lower end of the 95 % interval; None with one pair, or if all differences are equal."""
    high: float | None
    p: float | None
    """Two-sided p value for the hypothesis of no mean difference; None with one pair, or if all differences are equal
    and not 0."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """All measured networks of a result."""

    networks: Mapping[str, MeasuredNetwork]
    """Name -> network; ``found`` is the found one."""
    trainings: int
    chips: int
    """Programmed chips of each training run."""
    test_images: int
    fidelity: str
    predicted_fidelity: str
    """Fidelity of the surrogate's rows; empty if unknown. Predictions and measurements at different fidelities are not
    comparable."""
    differences: tuple[MeasuredDifference, ...] = ()


def read_measurement(path: Path, space: Space) -> Measurement:
    """Read the file that `ohmnas verify` writes.

    Args:
        path: the file.
        space: space of the result.

    Raises:
        BrokenFileError: the file cannot be read, or is not a verification of networks of this space.
    """
    try:
        return _measurement(json.loads(read_text(path, _LARGEST)), space)
    except KeyError as error:
        raise BrokenFileError(f"{path} is not a verification: it lacks {error}") from error
    except (TypeError, ValueError, OverflowError, RecursionError, OhmnasError) as error:
        raise BrokenFileError(f"{path} is not a verification: {error}") from error


def _measurement(values: Any, space: Space) -> Measurement:
    values = json_values.mapping(values, "content")
    seeds = json_values.sequence(values["seeds"], "seeds")
    networks = {}
    for name, network in json_values.mapping(values["networks"], "networks").items():
        measured = {}
        for target, each in json_values.mapping(network["measured"], "measured").items():
            if target in TARGETS:
                measured[target] = tuple(_value(one, target) for one in json_values.sequence(each, target))
                if len(measured[target]) != len(seeds):
                    raise BrokenFileError(
                        f"the number of values of {target} for {name} must be {len(seeds)}, not {len(measured[target])}"
                    )
        networks[json_values.name(name, "network's name")] = MeasuredNetwork(
            _genome(network["genome"], space), measured
        )
    return Measurement(
        networks,
        len(seeds),
        json_values.whole(values["chips"], "number of chips"),
        json_values.whole(values["test_images"], "number of test images"),
        json_values.text(values["fidelity"], "fidelity"),
        "" if values.get("predicted_fidelity") is None else json_values.text(values["predicted_fidelity"], "fidelity"),
        tuple(_differences(json_values.mapping(values.get("differences", {}), "differences"))),
    )


def _differences(values: dict[str, Any]) -> Iterator[MeasuredDifference]:
    for network, others in values.items():
        for against, targets in json_values.mapping(others, "differences").items():
            for target, one in json_values.mapping(targets, "differences").items():
                if one is None or target not in TARGETS:
                    continue
                mean, low, high, p = (
                    None if one[key] is None else json_values.number(one[key], key)
                    for key in ("mean", "low", "high", "p")
                )
                if mean is not None:
                    names = json_values.name(network, "network's name"), json_values.name(against, "network's name")
                    yield MeasuredDifference(*names, target, mean, low, high, p)


def _genome(values: object, space: Space) -> tuple[int, ...]:
    genes = [json_values.whole(gene, "gene", -(2**31), 2**31) for gene in json_values.sequence(values, "genome")]
    return tuple(space.check(np.array([genes], dtype=np.int64))[0].tolist())


def _value(value: object, target: str) -> float | None:
    if value is None:
        return None
    number = json_values.number(value, target)
    if abs(number) > 2:
        raise BrokenFileError(f"measured values must be fractions, but {target} is {number:g}")
    return number
