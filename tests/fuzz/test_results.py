from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ohmnas.estimate import Estimate
from ohmnas.search import Budget, Limits, Problem, SearchResult, search
from ohmnas.search.estimator import Estimator
from ohmnas.search.result import read_result
from ohmnas.spaces.cells import CellSpace
from ohmnas.spaces.genes import Population
from tests.search.test_result import full, plain

from .mutate import COUNT, damaged, damaged_texts, survive

LEARNED = {
    "table_sha256": "0" * 64,
    "task": "digits",
    "hardware": "pcm",
    "fidelity": "table",
    "rows": 40,
    "seen": {"min_params": 1000, "max_params": 200_000, "max_macs": 2_000_000},
    "chip": {"technology": "pcm", "hw_g_max": 25.0},
}


class Convolutions(Estimator):
    """The more convolutions, the better."""

    def estimate(self, population: Population) -> Estimate:
        share = (population >= 2).mean(axis=1)
        return Estimate.of(accuracy_1d=0.5 + 0.4 * share, accuracy_1d_std=0.02 * share + 0.01, avm=0.01 + 0.0 * share)


def cells() -> SearchResult:
    """A search among cells."""
    return search(Problem(CellSpace((1, 8, 8), 10), Convolutions(), Limits()), "evolution", 0, Budget(20, 3), top=3)


@pytest.fixture(scope="module", params=["plain", "full", "cells"])
def values(request: pytest.FixtureRequest) -> dict[str, Any]:
    makes: dict[str, Callable[[], SearchResult]] = {"plain": plain, "full": full, "cells": cells}
    result = makes[request.param]()
    copy: dict[str, Any] = json.loads(json.dumps({**result.to_dict(), "surrogate": LEARNED}))
    copy["population"] = copy["population"][:5]
    return copy


@pytest.mark.timeout(120)
def test_a_damaged_result_is_read_or_refused(values: dict[str, Any], tmp_path: Path) -> None:
    def check(path: Path) -> None:
        json.dumps(read_result(path).to_dict(), allow_nan=False)

    tokens = [b"[" * 5000, b"9" * 5000, b"NaN", b"1e999", b"-1", b"null", b'"', b"\xff", b"}]"]
    contents = [*damaged_texts(values, COUNT - 100, 31), *damaged([json.dumps(values).encode()], 100, 32, tokens)]
    read, refused = survive(tmp_path / "result.json", contents, check)
    assert min(read, refused) > 10
