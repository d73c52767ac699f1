"""Registry of objectives. An objective's module is imported on first use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from ohmnas.errors import InvalidValueError
from ohmnas.registry import Registry

if TYPE_CHECKING:
    from ohmnas.search.objective import Objective


def _fault(_name: str, thing: object) -> str:
    """Return why a thing cannot make an objective; empty if it can. The result of a function is checked later."""
    if isinstance(thing, type):
        callable_itself = any("__call__" in vars(base) for base in thing.__mro__)
        return "" if callable_itself else "its instances cannot be called"
    return (
        ""
        if callable(thing)
        else f"it is of type {type(thing).__name__}, not a class or a function that makes an objective"
    )


OBJECTIVES: Final[Registry[Callable[..., Any]]] = Registry(
    "objective",
    "ohmnas.objectives",
    {
        "ratio": "ohmnas.search.objective:Ratio",
        "accuracy": "ohmnas.search.objective:Accuracy",
        "weighted": "ohmnas.search.objective:WeightedSum",
        "tchebycheff": "ohmnas.search.objective:Tchebycheff",
        "exponential": "ohmnas.search.objective:ExponentialPenalty",
    },
    _fault,
)
"""Name -> class or function that makes an `Objective`; weighted objectives derive from `Weighing`. Plugins add
entries through the entry point group ``ohmnas.objectives``."""


def objective(name: str, weights: Mapping[str, float] | None = None) -> Objective:
    """Return the objective with this name.

    Args:
        name: one of `OBJECTIVES`.
        weights: quantity -> weight, for weighted objectives; None gives the three default targets equal weights.

    Raises:
        UnknownNameError: the name or a weight's quantity is unknown.
        InvalidValueError: a weight is invalid, the objective takes no weights, or the result is not an objective.
        PluginError: the package that adds the objective cannot be used.
    """
    chosen = OBJECTIVES[name]
    if weights:
        if not weighs(chosen):
            weighing = [name for name in OBJECTIVES.own if weighs(OBJECTIVES[name])]
            raise InvalidValueError(f"the objective {name} takes no weights; {', '.join(weighing)} do")
        return chosen(weights)  # type: ignore[no-any-return]
    made: Objective = chosen()
    named = isinstance(getattr(made, "name", None), str) and isinstance(getattr(made, "needs", None), tuple)
    if not callable(made) or not named:
        raise InvalidValueError(
            f"the objective {name} made {type(made).__name__}, which has no `name` or no `needs`, or cannot be called"
        )
    return made


def weighs(kind: Callable[..., Any]) -> bool:
    """Return True if an objective takes weights."""
    from ohmnas.search.objective import Weighing

    return isinstance(kind, type) and issubclass(kind, Weighing)
