from __future__ import annotations

import json

import numpy as np
import pytest

from ohmnas.datasets.tasks.task import task
from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.estimators import Cascade, estimator
from ohmnas.estimators.zero_cost import Batch, OnChip, ZeroCost
from ohmnas.hardware import Hardware
from ohmnas.spaces.codesign import CoDesignSpace
from ohmnas.testing.formula import SPACE

BATCH = Batch.of_noise(SPACE, 4)


def test_several_proxies_are_columns() -> None:
    one = ZeroCost(SPACE, ("snip", "params"), BATCH)
    population = SPACE.sample(3, np.random.default_rng(0), max_params=2_000)
    found = one.estimate(population)
    assert found.names == ("snip", "params")
    np.testing.assert_array_equal(found["params"], SPACE.params(population))
    np.testing.assert_array_equal(found["snip"], ZeroCost(SPACE, ("snip",), BATCH).estimate(population)["snip"])
    assert one.seconds["snip"] > 0.0
    assert json.loads(json.dumps(one.provenance)) == {"proxies": ["snip", "params"], "images": 4, "seed": 0}


def test_wrong_choices_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="unknown proxy 'snp'"):
        ZeroCost(SPACE, ("snp",), BATCH)
    with pytest.raises(InvalidValueError, match="choose at least one proxy"):
        ZeroCost(SPACE, (), BATCH)
    with pytest.raises(InvalidValueError, match="each proxy can be chosen only once"):
        ZeroCost(SPACE, ("snip", "snip"), BATCH)
    with pytest.raises(InvalidValueError, match=r"the shape \(3, 4, 4\), not \(1, 8, 8\)"):
        ZeroCost(SPACE, ("snip",), Batch(np.zeros((2, 3, 4, 4), np.float32), np.zeros(2, np.int64)))
    with pytest.raises(InvalidValueError, match="the proxy deviation needs a chip"):
        ZeroCost(SPACE, ("deviation",), BATCH)


def test_a_proxy_has_a_name_among_the_estimators() -> None:
    made = estimator("naswot", task("digits"), 3)
    assert made.targets[0].name == "naswot"
    assert made.provenance["seed"] == 3
    assert made.space == task("digits").space


def test_networks_of_designs_are_measured_without_their_chip() -> None:
    space = CoDesignSpace.on(SPACE)
    designs = space.sample(2, np.random.default_rng(0), max_params=2_000)
    values = ZeroCost(space, ("synflow",), BATCH).estimate(designs).values
    alone = ZeroCost(SPACE, ("synflow",), BATCH).estimate(designs[:, : len(SPACE.gene_names)]).values
    np.testing.assert_array_equal(values, alone)


def test_proxies_make_a_cascade() -> None:
    population = SPACE.sample(8, np.random.default_rng(0), max_params=2_000)
    cheap, expensive = (ZeroCost(SPACE, ("naswot",), BATCH, chip=chip) for chip in (None, OnChip(Hardware())))
    found = Cascade(cheap, expensive, cheap.targets[0], 0.25).estimate(population)
    best = np.argsort(cheap.estimate(population).values[:, 0], kind="stable")[-2:]
    np.testing.assert_array_equal(found.values[best], expensive.estimate(population[best]).values)
