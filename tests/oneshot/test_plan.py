from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ohmnas.datasets.tasks.task import task
from ohmnas.errors import InvalidValueError, OhmnasError
from ohmnas.hardware import Hardware
from ohmnas.oneshot.plan import Plan

from .conftest import tiny


def test_it_is_the_same_after_a_file() -> None:
    for plan in (tiny(), Plan.of(task("digits").in_space("cells"), Hardware(), rule="sandwich", resolution=4)):
        assert Plan.from_dict(plan.to_dict(), task("digits")) == plan


@pytest.mark.parametrize(
    "change",
    [
        {"task": "people"},
        {"rule": "fair"},
        {"within": {"OC0": [8, 16]}},
        {"epochs": 0},
        {"max_params": "many"},
        {"chip": {}},
        {"space": {"name": "resnet", "input_shape": [3, 8, 8], "classes": 10}},
    ],
)
def test_a_broken_file_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises((OhmnasError, KeyError, TypeError, ValueError)):
        Plan.from_dict({**tiny().to_dict(), **change}, task("digits"))


def test_it_knows_its_networks_and_why_others_are_not() -> None:
    plan = tiny()
    assert plan.contains(plan.space.sample(5, np.random.default_rng(0), 4_000, within=plan.within)).all()
    plan.check(plan.space.encode([])[:0])
    outside = plan.space.encode([plan.space.references["resnet20"]])
    assert not plan.contains(outside).any()
    with pytest.raises(InvalidValueError, match="networks of up to 4,000 parameters"):
        plan.check(outside)
    deep = plan.space.sample(200, np.random.default_rng(0), 4_000)
    deep = deep[deep[:, plan.space.genes.index("M")] > 2]
    with pytest.raises(InvalidValueError, match=r"the supernet has (M from 1 to 2|OC0|R|B|WF)"):
        plan.check(deep)


def test_a_limit_of_zero_is_not_the_default() -> None:
    with pytest.raises(InvalidValueError, match="above 0, not 0 parameters"):
        Plan.of(task("digits"), Hardware(), max_params=0)


def test_networks_of_cells_have_no_limit_of_the_task() -> None:
    plan = Plan.of(task("digits").in_space("cells"), Hardware())
    assert plan.contains(plan.space.encode(plan.space.references.values())).all()
