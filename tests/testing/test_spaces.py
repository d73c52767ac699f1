"""The contract itself: it holds for a space that keeps it, and names what a broken one does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.cells import CellSpace
from ohmnas.spaces.genes import Population
from ohmnas.spaces.layers import Layers
from ohmnas.spaces.space import Space
from ohmnas.testing import spaces as contract

GOOD = CellSpace((1, 8, 8), 10)


class Repeating(CellSpace):
    """Neighbours come twice."""

    def neighbours(self, genome: npt.NDArray[np.int16]) -> Population:
        near = super().neighbours(genome)
        return np.concatenate([near, near[:1]])


class Writing(CellSpace):
    """Mutation writes to the parents."""

    def mutate(self, population: Population, rng: np.random.Generator, rates: Any = None) -> Population:
        population[:] = super().mutate(population, rng, rates)
        return population


class Restless(CellSpace):
    """Mutates against the will of the rates."""

    def mutate(self, population: Population, rng: np.random.Generator, rates: Any = None) -> Population:  # noqa: ARG002
        return super().mutate(population, rng, dict.fromkeys(self.mutation_groups, 1.0))


class Raw(CellSpace):
    """Samples are not canonical."""

    def sample_uniform(self, n: int, rng: np.random.Generator) -> Population:
        return self.everything.from_unit_cube(rng.random((n, 6)))


class Unseeded(CellSpace):
    """Draws from a generator of its own."""

    def cross(self, mothers: Population, fathers: Population, rng: np.random.Generator) -> Population:  # noqa: ARG002
        return super().cross(mothers, fathers, np.random.default_rng())


class Forgetful(CellSpace):
    """Reads another cell from a file than was written."""

    def architecture(self, values: dict[str, Any]) -> Any:  # noqa: ARG002
        return next(iter(self.references.values()))


@dataclass(frozen=True, slots=True)
class Generous(Layers):
    """Needs no memory."""

    def peak_memory(self) -> npt.NDArray[np.int64]:
        return np.ones(len(self.count), dtype=np.int64)


class Light(CellSpace):
    """Networks that are said to need no memory."""

    def layers(self, population: Population) -> Layers:
        of = super().layers(population)
        return Generous(of.count, of.inputs, of.outputs, of.positions, of.digital)


@pytest.mark.parametrize(
    ("kind", "broken"),
    [
        (Repeating, contract.neighbours_differ),
        (Writing, contract.variation_stays),
        (Restless, contract.variation_stays),
        (Raw, contract.samples_are_canonical),
        (Unseeded, contract.seeds_decide),
        (Forgetful, contract.architectures_round_trip),
        (Light, contract.memory_holds_each_layer),
    ],
    ids=lambda value: value.__name__,
)
def test_a_space_that_breaks_its_contract_is_found_out(kind: type[Space], broken: contract.Property) -> None:
    with pytest.raises((AssertionError, ValueError)):
        broken(kind(GOOD.input_shape, GOOD.classes), np.random.default_rng(0))
    broken(GOOD, np.random.default_rng(0))


def test_bounds_that_count_twice_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    nth: Callable[..., Population] = Bounds.nth
    monkeypatch.setattr(Bounds, "nth", lambda self, numbers: nth(self, np.zeros_like(numbers)))
    with pytest.raises(AssertionError, match="does not return exactly the genomes"):
        contract.small_bounds_are_enumerated(GOOD, np.random.default_rng(0))


def test_every_property_is_a_test_of_the_contract() -> None:
    tests = {name.removeprefix("test_") for name in vars(contract.SpaceContract) if name.startswith("test_")}
    assert set(contract.PROPERTIES) < tests
