"""Every strategy of the field on one interface; each is one small file. `STRATEGIES` has them by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from typing import Any, Final

from ohmnas.errors import InvalidValueError
from ohmnas.lookup import look_up
from ohmnas.search.problem import Problem
from ohmnas.search.strategies.aging import Aging
from ohmnas.search.strategies.bayesian import Bayesian
from ohmnas.search.strategies.evolution import Evolution
from ohmnas.search.strategies.local import Local
from ohmnas.search.strategies.nsga2 import Nsga2
from ohmnas.search.strategies.q_learning import QLearning
from ohmnas.search.strategies.reinforce import Reinforce
from ohmnas.search.strategies.sampling import Grid, Random, Rank
from ohmnas.search.strategy import Strategy

STRATEGIES: Final[dict[str, type[Any]]] = {
    "evolution": Evolution,
    "random": Random,
    "grid": Grid,
    "rank": Rank,
    "aging": Aging,
    "local": Local,
    "nsga2": Nsga2,
    "bayesian": Bayesian,
    "q-learning": QLearning,
    "reinforce": Reinforce,
}
"""Name -> class; its public fields after the first are parameters."""

_KINDS: Final[dict[str, tuple[Callable[[str], Any], str]]] = {
    "int": (int, "a whole number"),
    "float": (float, "a number"),
    "str": (str, "a word"),
}


def strategy(name: str, parameters: Mapping[str, str] | None = None) -> Callable[[Problem], Strategy]:
    """What `search` makes a strategy with.

    Args:
        name: one of `STRATEGIES`.
        parameters: name -> value, as a user types them.

    Raises:
        UnknownNameError: there is no such strategy or parameter; the message lists those that are.
        InvalidValueError: a value is not of the parameter's kind.
    """
    chosen: Callable[..., Strategy] = look_up("strategy", STRATEGIES, name)
    kinds = {field.name: field.type for field in fields(STRATEGIES[name])[1:] if not field.name.startswith("_")}
    if parameters and not kinds:
        raise InvalidValueError(f"the strategy {name} has no parameters")
    typed: dict[str, Any] = {}
    for key, text in (parameters or {}).items():
        read, needs = _KINDS[str(look_up(f"parameter of {name}", kinds, key))]
        try:
            typed[key] = read(text)
        except ValueError as error:
            raise InvalidValueError(f"the parameter {key} of {name} is {needs}, not {text!r}") from error
    return partial(chosen, **typed)


__all__ = [
    "STRATEGIES",
    "Aging",
    "Bayesian",
    "Evolution",
    "Grid",
    "Local",
    "Nsga2",
    "QLearning",
    "Random",
    "Rank",
    "Reinforce",
    "strategy",
]
