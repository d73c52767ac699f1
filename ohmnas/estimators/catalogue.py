"""Registry of estimators. An estimator's module is imported on first use."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from ohmnas.errors import InvalidValueError
from ohmnas.estimators.zero_cost.catalogue import PROXIES, maker
from ohmnas.registry import Registry

if TYPE_CHECKING:
    from ohmnas.datasets.tasks.task import Task
    from ohmnas.search.estimator import Estimator

Make = Callable[["Task", int], "Estimator"]
"""Makes an estimator for the networks of a task; the second argument is a seed."""


def _fault(_name: str, thing: object) -> str:
    """Return why an entry cannot make an estimator; empty if it can. `estimator` checks what the entry returns."""
    return (
        ""
        if callable(thing)
        else f"it is of type {type(thing).__name__}, not a function that makes an estimator for a task"
    )


ESTIMATORS: Final[Registry[Make]] = Registry(
    "estimator",
    "ohmnas.estimators",
    {
        "surrogate": ("ohmnas.estimators.fitted:surrogate", "the surrogate of a shipped table"),
        **{name: (partial(maker, name), one.title) for name, one in PROXIES.items() if not one.needs_chip},
        "training": ("ohmnas.estimators.training:training", "full training run, as for a measured table"),
        "fewer_epochs": ("ohmnas.estimators.low_fidelity:fewer_epochs", "training with a quarter of the epochs"),
        "fewer_images": ("ohmnas.estimators.low_fidelity:fewer_images", "training with a quarter of the images"),
        "lower_resolution": (
            "ohmnas.estimators.low_fidelity:lower_resolution",
            "training on smaller images",
        ),
        "inherited": ("ohmnas.estimators.inherit.inherited:inherited", "training from a smaller network's weights"),
        "narrower_network": ("ohmnas.estimators.low_fidelity:narrower_network", "training of a narrower network"),
    },
    _fault,
)
"""Name -> function that makes an `Estimator` from a `Task` and a seed. Plugins add entries with the entry point group
``ohmnas.estimators``."""


def estimator(name: str, task: Task, seed: int = 0) -> Estimator:
    """Return the estimator with this name, for the networks of a task.

    Args:
        name: one of `ESTIMATORS`.
        task: provides the space, and images for estimators that need them.
        seed: random seed of the estimator.

    Raises:
        UnknownNameError: the name is unknown; the message lists the known names.
        InvalidValueError: the entry did not return an `Estimator`, or the estimator does not support the task.
        MissingDependencyError: a package that the estimator needs is not installed.
        PluginError: the package that adds the estimator cannot be used.
    """
    from ohmnas.search.estimator import Estimator

    made = ESTIMATORS[name](task, seed)
    if not isinstance(made, Estimator):
        raise InvalidValueError(
            f"the function of the estimator {name} returned an object of type {type(made).__name__}, not an "
            "ohmnas.Estimator"
        )
    return made
