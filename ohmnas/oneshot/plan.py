"""`Plan`: everything that determines the training of a supernet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from ohmnas import json_values
from ohmnas.analog.recipe import Recipe
from ohmnas.datasets.campaign.fidelity import fidelity
from ohmnas.datasets.campaign.protocol import Protocol
from ohmnas.datasets.tasks.task import Task
from ohmnas.errors import BrokenFileError, InvalidValueError, shown
from ohmnas.hardware import Hardware
from ohmnas.lookup import check_name
from ohmnas.oneshot.places import sharing_of
from ohmnas.oneshot.rules import RULES
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space

DEFAULT_BOUNDS: Final[Mapping[str, Mapping[str, tuple[int, int]]]] = {
    "resnet": {"OC0": (8, 64), "R": (1, 8), "B": (1, 8)},
}
"""Space -> default bounds on genes; other spaces have none. Networks with more layers or branches are rarely useful,
and weights that few networks share are rarely trained."""
_FEW_PIXELS: Final = 256
_SMALL: Final = (256, 0.5)
"""Images per step and learning rate for images with fewer than `_FEW_PIXELS` pixels. On 8 x 8 pixels, a step with 256
images takes about as long as a step with 64: most of its time is overhead per layer."""


@dataclass(frozen=True)
class Plan:
    """Everything that determines a supernet's training."""

    task: Task
    """Task, in the space of the networks."""
    chip: Hardware
    within: Bounds
    """Bounds on genes."""
    max_params: float
    """Largest number of parameters of a network."""
    max_macs: float
    """Largest number of multiply-accumulates of a network."""
    rule: str = "uniform"
    """Paths of a step: one of `rules.RULES`."""
    seed: int = 0
    epochs: int = 100
    """Passes over the training images."""
    batch: int = 64
    """Images per step."""
    learning_rate: float = 0.2
    """Peak learning rate."""
    resolution: int | None = None
    """Longest side of an image; larger images are downsampled by averaging. None is the resolution of the fidelity
    ``table``."""

    @classmethod
    def of(
        cls,
        task: Task,
        chip: Hardware,
        *,
        ranges: Mapping[str, tuple[int, int]] | None = None,
        max_params: float | None = None,
        max_macs: float | None = None,
        rule: str = "uniform",
        seed: int = 0,
        epochs: int = 100,
        resolution: int | None = None,
    ) -> Self:
        """Return a plan with the defaults of a task.

        Args:
            task: task, in the space of the networks.
            chip: chip that the networks are trained for.
            ranges: bounds on genes (`Bounds.of`), in addition to `DEFAULT_BOUNDS`.
            max_params: largest number of parameters of a network; None is the task's limit in the resnet space, and no
                limit in other spaces.
            max_macs: largest number of multiply-accumulates of a network; None as for `max_params`.
            rule: paths of a step: one of `rules.RULES`.
            seed: random seed.
            epochs: passes over the training images.
            resolution: longest side of an image; None is the resolution of the fidelity ``table``.

        Raises:
            InvalidValueError: a bound is out of range, a limit is not above 0, or the space has no shared weights.
            UnknownNameError: a gene or the rule is unknown.
        """
        check_name("rule", RULES, rule)
        bounds = Bounds.of(task.space.genes, {**DEFAULT_BOUNDS.get(task.space_name, {}), **(ranges or {})})
        resnet = task.space_name == "resnet"  # the limits of tasks are for ResNet-like networks
        defaults = (task.max_params, task.max_macs) if resnet else (np.inf, np.inf)
        params = float(defaults[0] if max_params is None else max_params)
        macs = float(defaults[1] if max_macs is None else max_macs)
        if not (params > 0 and macs > 0):
            raise InvalidValueError(f"limits must be above 0, not {params:g} parameters and {macs:g} MACs")
        small = task.input_shape[1] * task.input_shape[2] < _FEW_PIXELS
        effort = _SMALL if small else (cls.batch, cls.learning_rate)
        plan = cls(task, chip, bounds, params, macs, rule, seed, epochs, *effort, resolution)
        sharing_of(plan.space, bounds, params, macs)
        return plan

    @property
    def space(self) -> Space:
        """Space of the networks."""
        return self.task.space

    @property
    def protocol(self) -> Protocol:
        """Images and recipe of the training."""
        effort = fidelity("table", self.task.name)
        resolution = effort.resolution if self.resolution is None else self.resolution
        own = replace(effort, name="supernet", epochs=self.epochs, batch=self.batch, resolution=resolution)
        recipe = Recipe(learning_rate=self.learning_rate, label_smoothing=self.task.label_smoothing)
        return Protocol(self.task, own, recipe=recipe)

    @property
    def recipe(self) -> Recipe:
        """Recipe of the training."""
        return self.protocol.training_recipe(self.chip)

    def contains(self, population: Population) -> npt.NDArray[np.bool_]:
        """``(n,)``: True for networks that share the weights."""
        params, macs = self.space.params_and_macs(population)
        return self.within.contain(population) & (params <= self.max_params) & (macs <= self.max_macs)

    def check(self, population: Population) -> None:
        """Check that ``(n, g)`` networks share the weights.

        Raises:
            InvalidValueError: a network does not share the weights; the message shows the reason.
        """
        outside = np.flatnonzero(~self.contains(population))
        if not len(outside):
            return
        genome = population[outside[:1]]
        params, macs = (int(costs[0]) for costs in self.space.params_and_macs(genome))
        for what, value, most in (("parameters", params, self.max_params), ("MACs", macs, self.max_macs)):
            if value > most:
                raise InvalidValueError(f"the supernet has networks of up to {most:,.0f} {what}, not {value:,}")
        genes, low, high = self.within.genes, np.array(self.within.low), np.array(self.within.high)
        wrong = ((genome < low) | (genome > high)) & genes.exists(genome)
        column = int(np.flatnonzero(wrong[0])[0])
        gene, ends = genes[column], (self.within.low[column], self.within.high[column])
        raise InvalidValueError(
            f"the supernet has {gene.name} from {gene.text(ends[0])} to {gene.text(ends[1])}, not "
            f"{gene.text(int(genome[0, column]))}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        space, bounds = self.space, self.within
        return {
            "task": self.task.name,
            "space": {"name": self.task.space_name, "input_shape": list(space.input_shape), "classes": space.classes},
            "within": {
                name: [low, high] for name, low, high in zip(bounds.genes.names, bounds.low, bounds.high, strict=True)
            },
            "max_params": self.max_params if np.isfinite(self.max_params) else None,
            "max_macs": self.max_macs if np.isfinite(self.max_macs) else None,
            "chip": {"name": self.chip.name, "technology": self.chip.technology, **self.chip.settings()},
            **{name: getattr(self, name) for name in ("rule", "seed", "epochs", "batch", "learning_rate")},
            "resolution": self.resolution,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any], task: Task) -> Self:
        """Read the values of `to_dict`.

        Args:
            values: values from a file.
            task: task of the plan, in any space; the space is read from the values.

        Raises:
            OhmnasError, KeyError, TypeError, ValueError: a value is missing or invalid.
        """
        described = json_values.mapping(values["space"], "space")
        task = task.in_space(json_values.text(described["name"], "space"))
        if [list(task.space.input_shape), task.space.classes] != [described["input_shape"], described["classes"]]:
            raise InvalidValueError(f"its images or classes differ from those of {task.name}")
        if values["task"] != task.name:
            raise InvalidValueError(f"it is for the task {shown(values['task'])}, not {task.name}")
        within = json_values.mapping(values["within"], "within")
        ends = {name: (int(low), int(high)) for name, (low, high) in within.items()}
        bounds = Bounds.of(task.space.genes, ends)
        if set(ends) != set(bounds.genes.names):
            raise BrokenFileError("its bounds are not for the genes of its space")
        chip = dict(json_values.mapping(values["chip"], "chip"))
        name, technology = (json_values.text(chip.pop(key), f"chip's {key}") for key in ("name", "technology"))
        settings = {key: json_values.number(one, f"chip's {key}") for key, one in chip.items()}
        params, macs = (
            np.inf if values[key] is None else json_values.number(values[key], key)
            for key in ("max_params", "max_macs")
        )
        check_name("rule", RULES, json_values.text(values["rule"], "rule"))
        resolution = values["resolution"]
        return cls(
            task,
            Hardware.of_settings(technology, settings, name),
            bounds,
            params,
            macs,
            values["rule"],
            json_values.whole(values["seed"], "seed"),
            json_values.whole(values["epochs"], "epochs", 1),
            json_values.whole(values["batch"], "batch", 1),
            json_values.number(values["learning_rate"], "learning rate"),
            None if resolution is None else json_values.whole(resolution, "resolution", 1),
        )
