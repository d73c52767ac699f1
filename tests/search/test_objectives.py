from __future__ import annotations

import pytest

from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.search.objective import Accuracy, Ratio, WeightedSum
from ohmnas.search.objectives import OBJECTIVES, objective, weighs


def test_an_objective_is_found_by_its_name() -> None:
    assert objective("ratio") == Ratio()
    assert objective("accuracy", {}) == Accuracy()
    assert objective("weighted", {"avm": 1.0}) == WeightedSum({"avm": 1.0})
    for name in ("weighted", "tchebycheff", "exponential"):
        assert "0.333 accuracy_1d, 0.333 accuracy_1d_std, 0.333 avm" in objective(name).name
    with pytest.raises(UnknownNameError, match="unknown objective 'best': choose ratio, accuracy, weighted"):
        objective("best")
    for name in ("ratio", "accuracy"):
        with pytest.raises(InvalidValueError, match=f"{name} takes no weights; weighted, tchebycheff, exponential do"):
            objective(name, {"avm": 1.0})


def test_kinds_of_weighing_take_weights() -> None:
    assert [name for name in OBJECTIVES.own if weighs(OBJECTIVES[name])] == ["weighted", "tchebycheff", "exponential"]


@pytest.mark.parametrize("thing", [3, "word", type("Silent", (), {})])
def test_an_object_that_cannot_be_called_is_not_an_objective(thing: object) -> None:
    with pytest.raises(InvalidValueError, match="cannot be the objective 'mine'"):
        OBJECTIVES.register("mine", [thing] if isinstance(thing, str) else thing)
    assert "mine" not in OBJECTIVES


@pytest.mark.parametrize("members", [{"name": 3}, {}, {"name": "x", "needs": ["avm"]}])
def test_a_function_that_makes_no_objective_is_named(members: dict[str, object]) -> None:
    with (
        OBJECTIVES.registered("mine", type("Nameless", (), {**members, "__call__": print})),
        pytest.raises(InvalidValueError, match="the objective mine made Nameless, which has no `name`"),
    ):
        objective("mine")
