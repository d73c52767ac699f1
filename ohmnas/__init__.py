"""Neural architecture search for analog in-memory computing chips.

    from ohmnas import Limits, Problem, search
    result = search(Problem(space, surrogate, Limits(max_params=50_000)), "evolution", seed=0)

Every name below is imported on first use, so ``import ohmnas`` is fast. Only some names from `ohmnas.analog` need torch
for their import. The packages `search`, `refine` and `hardware` can be called like their functions of the same name.
"""

from typing import TYPE_CHECKING

from ohmnas.lazy import attach

if TYPE_CHECKING:
    from ohmnas.analog.calibration import calibrate
    from ohmnas.analog.convert import to_analog
    from ohmnas.analog.drift import accuracy_over_time
    from ohmnas.analog.recipe import Recipe
    from ohmnas.analog.train import train
    from ohmnas.datasets.campaign.fidelity import Fidelity, fidelity
    from ohmnas.datasets.campaign.measure import measure
    from ohmnas.datasets.campaign.protocol import Protocol
    from ohmnas.datasets.campaign.trained import TrainedNetwork
    from ohmnas.datasets.tables.table import MeasuredTable, read_table
    from ohmnas.datasets.tasks.task import Task, task
    from ohmnas.estimate import Estimate
    from ohmnas.hardware.settings import Hardware
    from ohmnas.hardware.toml import hardware, read_hardware
    from ohmnas.refine.run import refine
    from ohmnas.search.defaults import known_networks, reference_floor
    from ohmnas.search.estimator import Estimator
    from ohmnas.search.limits import Limits
    from ohmnas.search.objectives import objective
    from ohmnas.search.problem import Problem
    from ohmnas.search.result import SearchResult, read_result, write_result
    from ohmnas.search.run import Budget, search
    from ohmnas.search.strategies import strategy
    from ohmnas.spaces.cells import CellSpace
    from ohmnas.spaces.codesign import CoDesignSpace
    from ohmnas.spaces.resnet import Architecture, MainBlock, ResNetSpace, reference
    from ohmnas.spaces.space import Space
    from ohmnas.surrogate.model import SurrogateModel
    from ohmnas.surrogate.shipped import load_surrogate
    from ohmnas.surrogate.surrogate import Surrogate
    from ohmnas.surrogate.training_set import TrainingSet
    from ohmnas.targets import Target

    __version__: str
else:
    _NEED_TORCH = {
        "accuracy_over_time": "ohmnas.analog.drift",
        "calibrate": "ohmnas.analog.calibration",
        "to_analog": "ohmnas.analog.convert",
        "train": "ohmnas.analog.train",
    }
    _lazy, __dir__ = attach(
        __name__,
        {
            "Architecture": "ohmnas.spaces.resnet",
            "Budget": "ohmnas.search.run",
            "CellSpace": "ohmnas.spaces.cells",
            "CoDesignSpace": "ohmnas.spaces.codesign",
            "Estimate": "ohmnas.estimate",
            "Estimator": "ohmnas.search.estimator",
            "Fidelity": "ohmnas.datasets.campaign.fidelity",
            "Hardware": "ohmnas.hardware",
            "TrainingSet": "ohmnas.surrogate.training_set",
            "Limits": "ohmnas.search.limits",
            "MainBlock": "ohmnas.spaces.resnet",
            "MeasuredTable": "ohmnas.datasets.tables.table",
            "Problem": "ohmnas.search.problem",
            "Protocol": "ohmnas.datasets.campaign.protocol",
            "Recipe": "ohmnas.analog.recipe",
            "ResNetSpace": "ohmnas.spaces.resnet",
            "SearchResult": "ohmnas.search.result",
            "Space": "ohmnas.spaces.space",
            "Surrogate": "ohmnas.surrogate.surrogate",
            "SurrogateModel": "ohmnas.surrogate.model",
            "Target": "ohmnas.targets",
            "Task": "ohmnas.datasets.tasks.task",
            "TrainedNetwork": "ohmnas.datasets.campaign.trained",
            "fidelity": "ohmnas.datasets.campaign.fidelity",
            "hardware": "",
            "known_networks": "ohmnas.search.defaults",
            "load_surrogate": "ohmnas.surrogate.shipped",
            "measure": "ohmnas.datasets.campaign.measure",
            "objective": "ohmnas.search.objectives",
            "read_hardware": "ohmnas.hardware",
            "read_result": "ohmnas.search.result",
            "read_table": "ohmnas.datasets.tables.table",
            "reference": "ohmnas.spaces.resnet",
            "refine": "",
            "reference_floor": "ohmnas.search.defaults",
            "search": "",
            "strategy": "ohmnas.search.strategies",
            "task": "ohmnas.datasets.tasks.task",
            "write_result": "ohmnas.search.result",
            **_NEED_TORCH,
        },
    )

    def __getattr__(name):
        if name == "__version__":
            from ohmnas.version import version

            return version()
        try:
            return _lazy(name)
        except ModuleNotFoundError as error:
            if name not in _NEED_TORCH or str(error.name).startswith("ohmnas"):
                raise
            from ohmnas.errors import MissingDependencyError

            raise MissingDependencyError.of(f"ohmnas.{name} needs torch", "train", error) from error


__all__ = [
    "Architecture",
    "Budget",
    "CellSpace",
    "CoDesignSpace",
    "Estimate",
    "Estimator",
    "Fidelity",
    "Hardware",
    "Limits",
    "MainBlock",
    "MeasuredTable",
    "Problem",
    "Protocol",
    "Recipe",
    "ResNetSpace",
    "SearchResult",
    "Space",
    "Surrogate",
    "SurrogateModel",
    "Target",
    "Task",
    "TrainedNetwork",
    "TrainingSet",
    "accuracy_over_time",
    "calibrate",
    "fidelity",
    "hardware",
    "known_networks",
    "load_surrogate",
    "measure",
    "objective",
    "read_hardware",
    "read_result",
    "read_table",
    "reference",
    "reference_floor",
    "refine",
    "search",
    "strategy",
    "task",
    "to_analog",
    "train",
    "write_result",
]
