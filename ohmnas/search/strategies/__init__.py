"""Registry of search strategies. A strategy's module is imported on first use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ohmnas.errors import InvalidValueError
from ohmnas.lazy import attach
from ohmnas.lookup import look_up
from ohmnas.registry import Registry

if TYPE_CHECKING:
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

_MODULES: Final = {
    "Aging": "ohmnas.search.strategies.aging",
    "Bayesian": "ohmnas.search.strategies.bayesian",
    "Evolution": "ohmnas.search.strategies.evolution",
    "Grid": "ohmnas.search.strategies.sampling",
    "Local": "ohmnas.search.strategies.local",
    "Nsga2": "ohmnas.search.strategies.nsga2",
    "QLearning": "ohmnas.search.strategies.q_learning",
    "Random": "ohmnas.search.strategies.sampling",
    "Rank": "ohmnas.search.strategies.sampling",
    "Reinforce": "ohmnas.search.strategies.reinforce",
}
"""Class -> its module."""


def _fault(_name: str, thing: object) -> str:
    """Return why a thing cannot make a strategy; empty if it can. The result of a function is checked later."""
    if isinstance(thing, type):
        return _lacks(thing)
    return (
        ""
        if callable(thing)
        else f"it is of type {type(thing).__name__}, not a class or a function that makes a strategy"
    )


def _lacks(made: object) -> str:
    """Return the missing members of a strategy or its class, as text for a message; empty if none is missing."""
    lacking = [name for name in ("ask", "tell", "allows_oversampling") if not hasattr(made, name)]
    return f"it has no {' and no '.join(lacking)}" if lacking else ""


_CLASSES: Final = {
    "evolution": "Evolution",
    "random": "Random",
    "grid": "Grid",
    "rank": "Rank",
    "aging": "Aging",
    "local": "Local",
    "nsga2": "Nsga2",
    "bayesian": "Bayesian",
    "q-learning": "QLearning",
    "reinforce": "Reinforce",
}
"""Name -> class."""
STRATEGIES: Final[Registry[Callable[..., Any]]] = Registry(
    "strategy",
    "ohmnas.strategies",
    {name: f"{_MODULES[kind]}:{kind}" for name, kind in _CLASSES.items()},
    _fault,
)
"""Name -> class or function that makes a `Strategy` from a `Problem`; further arguments are parameters. Plugins add
entries through the entry point group ``ohmnas.strategies``."""

_KINDS: Final[dict[str, tuple[Callable[[str], Any], str]]] = {
    "int": (int, "a whole number"),
    "float": (float, "a number"),
    "str": (str, "a word"),
}


def parameters_of(make: Callable[..., Any]) -> dict[str, str]:
    """Name -> type (int, float or str) of the parameters that users can set. A leading underscore hides a parameter."""
    from inspect import signature  # the import takes 5 ms, and --help does not need it

    taken = list(signature(make).parameters.values())[1:]
    kinds = {one.name: getattr(one.annotation, "__name__", str(one.annotation)) for one in taken}
    return {name: kind for name, kind in kinds.items() if kind in _KINDS and not name.startswith("_")}


def strategy(name: str, parameters: Mapping[str, str] | None = None) -> Callable[[Problem], Strategy]:
    """Return a function that makes a strategy from a problem, for `search`.

    Args:
        name: one of `STRATEGIES`.
        parameters: name -> value, as a string.

    Raises:
        UnknownNameError: the strategy or a parameter is unknown; the message lists the known ones.
        InvalidValueError: the strategy has no parameters, or a value has the wrong type.
        PluginError: the package that adds the strategy cannot be used.
    """
    chosen = STRATEGIES[name]
    kinds = parameters_of(chosen)
    if parameters and not kinds:
        raise InvalidValueError(f"the strategy {name} has no parameters")
    typed: dict[str, Any] = {}
    for key, text in (parameters or {}).items():
        read, needs = _KINDS[look_up(f"parameter of {name}", kinds, key)]
        try:
            typed[key] = read(text)
        except ValueError as error:
            raise InvalidValueError(f"the parameter {key} of {name} must be {needs}, not {text!r}") from error
    return partial(chosen if isinstance(chosen, type) else partial(_made, name, chosen), **typed)


def name_of(make: Callable[..., Any]) -> str:
    """Return the name, for results, of a class or function that makes strategies: its registered name, or its own."""
    while isinstance(make, partial):
        if make.func is _made:
            return str(make.args[0])
        make = make.func
    word = getattr(make, "__name__", type(make).__name__)
    return next((name for name, kind in _CLASSES.items() if kind == word), word)


def _made(name: str, make: Callable[..., Strategy], problem: Problem, **parameters: Any) -> Strategy:
    """Return the strategy that a function makes.

    Raises:
        InvalidValueError: the result is not a strategy.
    """
    made = make(problem, **parameters)
    if why := _lacks(made):
        raise InvalidValueError(f"the strategy {name} made {type(made).__name__}: {why}")
    return made


if not TYPE_CHECKING:
    __getattr__, __dir__ = attach(__name__, _MODULES)

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
