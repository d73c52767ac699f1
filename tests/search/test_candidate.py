from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmnas.errors import BrokenFileError, OhmnasError
from ohmnas.search.candidate import Candidate
from ohmnas.search.limits import Limits
from ohmnas.search.problem import Problem
from ohmnas.search.report import candidates
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.targets import DEFAULT_NAMES

from .conftest import CHIP, SPACE, Formula, Sure, some


def several(of_sure: bool = True) -> list[Candidate]:
    one = Problem(SPACE, Sure() if of_sure else Formula(), Limits(), chip=CHIP)
    population = some(20)
    return candidates(one, population, one.evaluate(population))


@given(st.integers(0, 19), st.booleans(), st.booleans(), st.sampled_from(["", "resnet8"]))
def test_json_gives_a_candidate_back(row: int, of_sure: bool, with_costs: bool, name: str) -> None:
    one = replace(several(of_sure)[row], name=name)
    one = one if with_costs else replace(one, costs={})
    values = json.loads(json.dumps(one.to_dict()))
    assert Candidate.from_dict(values, SPACE) == one
    assert ("interval_90" in values, "costs" in values, "name" in values) == (of_sure, with_costs, bool(name))


def test_a_latency_above_one_second_is_read_back() -> None:
    one = several()[0]
    slow = replace(
        one,
        predicted={**one.predicted, "device_latency": 2.5},
        interval={**one.interval, "device_latency": (1.5, 3.5)},
    )
    assert Candidate.from_dict(json.loads(json.dumps(slow.to_dict())), SPACE) == slow


def test_costs_that_are_not_known_are_left_out() -> None:
    values = {**several()[0].to_dict(), "costs": {"size": 7, "price": 3}}
    assert Candidate.from_dict(values, SPACE).costs == {"size": 7.0}


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("params", 1, "parameters"),
        ("macs", None, "MACs"),
        ("genome", [999] * 28, "gene"),
        ("genome", [], "28 genes"),
        ("genome", "x", "its genome is not a list"),
        ("genome", [10**30] * 28, "whole numbers"),
        ("genome", [8.5] * 28, "whole numbers"),
        ("genome", [True] * 28, "whole numbers"),
        ("predicted", dict.fromkeys(DEFAULT_NAMES, 1.5), "accuracy_1d must be from 0 to 1, not 1.5"),
        ("predicted", {"device_latency": 3601.0}, "device_latency must be from 0 to 3600, not 3601"),
        ("predicted", dict.fromkeys(DEFAULT_NAMES, float("nan")), "accuracy_1d is nan, not a finite number"),
        ("interval_90", {name: [0.0, 2.0] for name in DEFAULT_NAMES}, "accuracy_1d must be from 0 to 1, not 2"),
        (
            "interval_90",
            {name: [0.2, 0.1] for name in DEFAULT_NAMES},
            "from 0.2 to 0.1: its ends are in the wrong",
        ),
        ("costs", {"tiles": -1}, "costs must be numbers, 0 or more"),
        ("costs", {"energy": float("inf")}, "energy is inf, not a finite number"),
        ("costs", {"latency": float("nan")}, "latency is nan, not a finite number"),
        ("weights", "net", "not a list"),
        ("weights", ["../net"], "weights"),
        ("weights", [".net"], "weights"),
        ("weights", ["a/b"], "weights"),
        ("weights", [3], "folder of weights"),
    ],
)
def test_contradictory_values_are_refused(key: str, value: object, message: str) -> None:
    with pytest.raises(OhmnasError, match=message):
        Candidate.from_dict({**several()[0].to_dict(), key: value}, SPACE)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("architecture", None),
        ("genome", None),
        ("predicted", []),
        ("predicted", {}),
        ("predicted", dict.fromkeys(DEFAULT_NAMES, "good")),
        ("interval_90", [1]),
        ("interval_90", {"avm": [0.0, 0.1]}),
        ("interval_90", {name: [0.0] for name in DEFAULT_NAMES}),
        ("costs", ["size"]),
        ("costs", {"size": "large"}),
        ("costs", None),
        ("costs", 3),
    ],
)
def test_values_of_a_wrong_type_are_refused(key: str, value: object) -> None:
    with pytest.raises((OhmnasError, KeyError, TypeError, ValueError)):
        Candidate.from_dict({**several()[0].to_dict(), key: value}, SPACE)


def test_genome_and_architecture_are_one_network() -> None:
    one, other = (candidate.to_dict() for candidate in several()[:2])
    with pytest.raises(BrokenFileError, match="genome and architecture do not match"):
        Candidate.from_dict({**one, "architecture": other["architecture"]}, SPACE)
    with pytest.raises(BrokenFileError, match="does not match the file"):  # the linear layer is another
        Candidate.from_dict(one, ResNetSpace((1, 8, 8), 11))


@pytest.mark.parametrize("key", ["architecture", "genome", "params", "macs", "predicted"])
def test_a_missing_required_value_is_refused(key: str) -> None:
    values: dict[str, Any] = several()[0].to_dict()
    del values[key]
    with pytest.raises(KeyError, match=key):
        Candidate.from_dict(values, SPACE)
