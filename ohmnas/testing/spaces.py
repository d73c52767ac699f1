"""`SpaceContract`: tests of all properties of a space that ohmnas relies on. Inherit from it to test your space.

    class TestMySpace(SpaceContract):
        def make(self) -> Space:
            return MySpace((1, 8, 8), 10)

Each function in `PROPERTIES` draws its examples from its generator argument, so other tests can call it too.
"""

from __future__ import annotations

import itertools
import json
import math
import pickle
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import astuple
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from ohmnas.costs import crossbar_costs, noise_budget
from ohmnas.datasets.tables import schema
from ohmnas.errors import InvalidValueError
from ohmnas.hardware import Hardware
from ohmnas.hardware.chip_genes import CHIP_GENE_NAMES
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.codesign import chip_settings
from ohmnas.spaces.genes import Population
from ohmnas.spaces.layers import Layers
from ohmnas.spaces.space import Space
from ohmnas.surrogate.features import feature_matrix, feature_names

if TYPE_CHECKING:
    from torch import Tensor, nn

Property = Callable[[Space, np.random.Generator], None]
_ROWS: Final = 12
_BATCHES: Final = 2
"""Largest number of batches that `sample` draws: enough for a few rows."""
_ENUMERATED: Final = 1500
"""Largest number of genomes that are enumerated one by one."""
_LONGEST: Final = 300
"""Longest one-line text of a network, in characters."""


def samples_are_canonical(space: Space, rng: np.random.Generator) -> None:
    """Each sampler returns genomes that `check` accepts unchanged; `sample` returns no genome twice."""
    drawn = space.sample(_ROWS, rng, at_least=1, max_batches=_BATCHES)
    assert 1 <= len(drawn) <= _ROWS
    assert len(np.unique(drawn, axis=0)) == len(drawn), "sample repeats a genome"
    for population in (drawn, space.sample_uniform(_ROWS, rng), space.sample_latin_hypercube(_ROWS, rng)):
        assert_canonical(space, population)
    assert space.sample(0, rng).shape == (0, len(space.genes))


def limits_are_kept(space: Space, rng: np.random.Generator) -> None:
    """`sample` respects limits on costs."""
    params, macs = space.params_and_macs(space.sample_uniform(_ROWS, rng))
    limits = float(params.max()), float(macs.max()), float(params.min()), float(macs.min())
    population = space.sample(_ROWS, rng, *limits, at_least=0, max_batches=_BATCHES)
    found, work = space.params_and_macs(population)
    assert ((found <= limits[0]) & (found >= limits[2]) & (work <= limits[1]) & (work >= limits[3])).all()


def repair_rests(space: Space, rng: np.random.Generator) -> None:
    """`repair` turns any whole numbers into canonical genomes, and leaves canonical genomes unchanged."""
    wild = rng.integers(-(2**40), 2**40, size=(_ROWS, len(space.genes)))
    near = rng.integers(-5, 150, size=(_ROWS, len(space.genes)))
    for matrix in (wild, near):
        repaired = space.repair(matrix)
        assert_canonical(space, repaired)
        assert_same(space.repair(repaired), repaired, "repair changes a repaired genome")
    valid = a_population(space, rng)
    assert_same(space.repair(valid), valid, "repair changes a canonical genome")


def canonical_rests(space: Space, rng: np.random.Generator) -> None:
    """`canonical` is idempotent and does not modify its argument."""
    genomes = space.everything.from_unit_cube(rng.random((_ROWS, len(space.genes))))
    genomes.setflags(write=False)
    once = space.canonical(genomes)
    assert_canonical(space, once)
    assert_same(space.canonical(once), once, "canonical changes a canonical genome")


def faults_are_named(space: Space, rng: np.random.Generator) -> None:
    """`check` and `decode` reject a gene that is out of range, and the message names the row and a gene."""
    broken = a_population(space, rng).astype(np.int64)
    row, gene = rng.integers(len(broken)), rng.integers(len(space.genes))
    broken[row, gene] = int(rng.choice([-1, space.genes.high[gene] + 1, 2**31]))
    for call in (space.check, space.decode):
        message = _error_of(call, broken)
        assert f"genome {row}: gene " in message, f"gene {space.gene_names[gene]} = {broken[row, gene]}: {message!r}"


def _error_of(call: Callable[[Any], object], broken: Any) -> str:
    """Message of the error that a call raises; empty if it raises none."""
    try:
        call(broken)
    except InvalidValueError as error:
        return str(error)
    return ""


def variation_stays(space: Space, rng: np.random.Generator) -> None:
    """Mutants and children are canonical, parents are not modified, and a child of equal parents equals them."""
    mothers = a_population(space, rng)
    fathers = mothers[rng.permutation(len(mothers))]
    for parents in (mothers, fathers):
        parents.setflags(write=False)
    mutants, children = space.mutate(mothers, rng), space.cross(mothers, fathers, rng)
    for offspring in (mutants, children):
        assert offspring.shape == mothers.shape
        assert_canonical(space, offspring)
        assert not np.shares_memory(offspring, mothers)
    assert_same(space.cross(mothers, mothers, rng), mothers, "a child of equal parents differs from them")
    unmoved = {**dict.fromkeys(space.mutation_groups, 0.0), "chip": 0.0}
    still = space.mutate(mothers, rng, unmoved)
    assert_same(still, mothers, "mutation with all rates 0 changes a genome")


def neighbours_differ(space: Space, rng: np.random.Generator) -> None:
    """Neighbours are canonical and differ from each other and from the genome, which is not modified."""
    genome = a_population(space, rng)[0]
    genome.setflags(write=False)
    near = space.neighbours(genome)
    assert_canonical(space, near)
    assert len(near), "a genome has no neighbour"
    assert len(np.unique(near, axis=0)) == len(near), "neighbours repeat"
    assert (near != genome).any(axis=1).all(), "a genome is its own neighbour"


def seeds_decide(space: Space, rng: np.random.Generator) -> None:
    """The same seed gives the same samples, mutants and children."""
    seed, parents = int(rng.integers(2**32)), a_population(space, rng)
    draws: list[Callable[[np.random.Generator], Population]] = [
        lambda same: space.sample_uniform(_ROWS, same),
        lambda same: space.sample_latin_hypercube(_ROWS, same),
        lambda same: space.sample(_ROWS, same, at_least=1, max_batches=_BATCHES),
        lambda same: space.mutate(parents, same),
        lambda same: space.cross(parents, parents[::-1], same),
    ]
    for draw in draws:
        assert_same(
            draw(np.random.default_rng(seed)), draw(np.random.default_rng(seed)), "the same seed gave different results"
        )


def architectures_round_trip(space: Space, rng: np.random.Generator) -> None:
    """Genome, architecture and JSON convert into each other without loss."""
    population = a_population(space, rng)
    architectures = space.decode(population)
    networks = population[:, : len(space.networks.genes)]
    assert_same(space.networks.encode(architectures), networks, "encode(decode(genome)) is another genome")
    again = [space.architecture(json.loads(json.dumps(one.to_dict()))) for one in architectures]
    assert again == architectures, "an architecture changes when saved as JSON"
    for one in architectures:
        line = str(one)
        fault = f"str(architecture) must be one printable line of at most {_LONGEST} characters, not {line!r}"
        assert line.isprintable() and 0 < len(line) <= _LONGEST, fault
    assert space.decode(population[:0]) == []
    assert space.networks.encode([]).shape == (0, len(space.networks.genes))


def bounds_hold(space: Space, rng: np.random.Generator) -> None:
    """Genomes drawn from bounds, or projected onto them, are within the bounds; `canonical` may still change them."""
    for within in (space.everything, some_bounds(space, rng)):
        drawn = within.from_unit_cube(rng.random((_ROWS, len(space.genes))))
        assert drawn.dtype == np.int16
        assert within.contain(drawn).all(), "a drawn genome is outside the bounds"
        valid = a_population(space, rng)
        projected = within.project(valid)
        assert within.contain(projected).all(), "a projected genome is outside the bounds"
        assert_same(within.project(projected), projected, "projecting twice changes a genome")
        inside = within.contain(valid)
        assert_same(projected[inside], valid[inside], "projecting changes a genome within the bounds")


def small_bounds_are_enumerated(space: Space, rng: np.random.Generator) -> None:
    """`nth` returns each genome within small bounds exactly once."""
    within = small_bounds(space, rng)
    found = within.nth(np.arange(within.size))
    every = np.array([*itertools.product(*(within.choices(gene).tolist() for gene in range(len(space.genes))))])
    expected = np.unique(space.genes.clear_missing(every.astype(np.int16)), axis=0)
    assert within.size == len(expected), f"size is {within.size}, but {len(expected)} genomes exist"
    assert_same(np.unique(found, axis=0), expected, "nth does not return exactly the genomes within the bounds")


def layers_are_whole(space: Space, rng: np.random.Generator) -> None:
    """Layer sizes are whole numbers and do not depend on the other rows; the costs that follow from them are valid."""
    population = a_population(space, rng)
    layers = space.layers(population)
    for name in ("count", "inputs", "outputs", "positions", "digital"):
        matrix = getattr(layers, name)
        assert matrix.dtype == np.int64 and len(matrix) == len(population), name
        assert (matrix >= 0).all(), name
    for amounts in (layers.params(), layers.macs(), layers.size(), layers.layers(), layers.peak_memory()):
        assert amounts.shape == (len(population),)
        assert (amounts > 0).all()
    chip = chip_settings(space, population, Hardware().description())
    costs, noise = crossbar_costs(layers, chip), noise_budget(layers, chip)
    assert all(np.isfinite(field).all() for field in astuple(costs))
    assert ((costs.utilisation > 0) & (costs.utilisation <= 1)).all()
    assert (costs.mvms >= costs.tiles).all()
    for field in (noise.converters, noise.weights, noise.offset, noise.blocks, noise.weights_spread, noise.depth):
        assert np.isfinite(field).all() and (field >= 0).all()
    assert (noise.depth > 0).all() and (noise.narrowest > 0).all()
    row = int(rng.integers(len(population)))
    alone = space.layers(population[row : row + 1])
    for of_all, of_one in zip(
        (layers.params(), layers.macs(), layers.peak_memory(), layers.tiling().steps),
        (alone.params(), alone.macs(), alone.peak_memory(), alone.tiling().steps),
        strict=True,
    ):
        assert of_all[row] == of_one[0]
    assert_same(np.array(space.params_and_macs(population)), np.array([layers.params(), layers.macs()]), "costs differ")


def memory_holds_each_layer(space: Space, rng: np.random.Generator) -> None:
    """Peak memory is at least the largest output and, in a chain, the sum of any two consecutive outputs."""
    layers = space.layers(a_population(space, rng))
    outputs = np.where(layers.count > 0, layers.outputs * layers.positions, 0)
    peak = layers.peak_memory()
    assert (peak >= outputs.max(axis=1)).all()
    if type(layers).peak_memory is Layers.peak_memory:
        for row, least in zip(outputs, peak.tolist(), strict=True):
            chain = row[row > 0].tolist()
            assert all(before + after <= least for before, after in itertools.pairwise(chain))


def features_are_finite(space: Space, rng: np.random.Generator) -> None:
    """Features are finite, their names differ, and a row has exactly the same features alone as among others."""
    population, chip = a_population(space, rng), Hardware().description()
    names, features = feature_names(space, chip), feature_matrix(space, population, chip)
    assert features.shape == (len(population), len(names))
    assert len(set(names)) == len(names), "two features have the same name"
    assert np.isfinite(features).all()
    row = int(rng.integers(len(population)))
    alone = feature_matrix(space, population[row : row + 1], chip)
    assert_same(alone[0], features[row], "a row has different features when computed alone")


PROPERTIES: Final[Mapping[str, Property]] = {
    each.__name__: each
    for each in (
        samples_are_canonical,
        limits_are_kept,
        repair_rests,
        canonical_rests,
        faults_are_named,
        variation_stays,
        neighbours_differ,
        seeds_decide,
        architectures_round_trip,
        bounds_hold,
        small_bounds_are_enumerated,
        layers_are_whole,
        memory_holds_each_layer,
        features_are_finite,
    )
}
"""Name -> property that all drawn genomes must have."""


class SpaceContract(ABC):
    """Tests of one space, which a subclass returns from `make`."""

    seeds: ClassVar[int] = 5
    """Number of examples for each property."""
    networks: ClassVar[int] = 4
    """Number of networks to build."""

    @abstractmethod
    def make(self) -> Space:
        """The space."""

    def test_samples_are_canonical(self) -> None:
        """See `samples_are_canonical`."""
        self._hold(samples_are_canonical)

    def test_limits_are_kept(self) -> None:
        """See `limits_are_kept`."""
        self._hold(limits_are_kept)

    def test_repair_rests(self) -> None:
        """See `repair_rests`."""
        self._hold(repair_rests)

    def test_canonical_rests(self) -> None:
        """See `canonical_rests`."""
        self._hold(canonical_rests)

    def test_faults_are_named(self) -> None:
        """See `faults_are_named`."""
        self._hold(faults_are_named)

    def test_variation_stays(self) -> None:
        """See `variation_stays`."""
        self._hold(variation_stays)

    def test_neighbours_differ(self) -> None:
        """See `neighbours_differ`."""
        self._hold(neighbours_differ)

    def test_seeds_decide(self) -> None:
        """See `seeds_decide`."""
        self._hold(seeds_decide)

    def test_architectures_round_trip(self) -> None:
        """See `architectures_round_trip`."""
        self._hold(architectures_round_trip)

    def test_bounds_hold(self) -> None:
        """See `bounds_hold`."""
        self._hold(bounds_hold)

    def test_small_bounds_are_enumerated(self) -> None:
        """See `small_bounds_are_enumerated`."""
        self._hold(small_bounds_are_enumerated)

    def test_layers_are_whole(self) -> None:
        """See `layers_are_whole`."""
        self._hold(layers_are_whole)

    def test_memory_holds_each_layer(self) -> None:
        """See `memory_holds_each_layer`."""
        self._hold(memory_holds_each_layer)

    def test_features_are_finite(self) -> None:
        """See `features_are_finite`."""
        self._hold(features_are_finite)

    def test_genes_have_names_of_their_own(self) -> None:
        """Names are valid in tables, files and command lines, and no two columns share a name."""
        names = self.make().networks.gene_names
        assert all(name.isidentifier() and name.isascii() for name in names), names
        folded = [name.casefold() for name in (*schema.columns(names), *CHIP_GENE_NAMES)]
        twice = sorted({name for name in folded if folded.count(name) > 1})
        assert not twice, f"two columns are called {', '.join(twice)}"

    def test_values_are_read_as_they_are_written(self) -> None:
        """Each value of each gene can be written as text and read again."""
        for gene in self.make().genes:
            assert [gene.value(gene.text(value)) for value in gene.values] == list(gene.values)

    def test_a_space_equals_its_copy(self) -> None:
        """A pickled copy, as in a worker process, equals the space."""
        space = self.make()
        copy = pickle.loads(pickle.dumps(space))  # noqa: S301 - our own bytes
        assert copy == space == self.make()
        assert hash(copy) == hash(space)
        assert copy.genes == space.genes

    def test_what_people_read_is_there(self) -> None:
        """References, traits, study choices, structure names and pictures match the genes."""
        space = self.make()
        space.networks.check(space.networks.encode(space.references.values()))
        architectures = [*space.references.values(), *space.decode(a_population(space, np.random.default_rng(0)))]
        for one in architectures:
            traits = space.traits(one)
            assert set(space.networks.trait_groups) <= set(traits), (
                "trait_groups names a trait that traits() does not return"
            )
            assert all(math.isfinite(value) for value in traits.values())
        for gene, values in space.choices.values():
            assert set(values) <= set(space.genes.named(gene).values)
            assert len(set(values)) == len(values)
        assert set(space.choice_words) <= set(space.choices)
        assert len(space.networks.structure_names) == len(
            space.networks.structure(
                space.networks.encode(architectures), space.networks.layers(space.networks.encode(architectures))
            )
        )
        assert space.draw(architectures[0]).get_size_inches().min() > 0

    def test_stages_cover_every_layer_once(self) -> None:
        """Pictures and cost tables show each layer of a network exactly once."""
        networks = self.make().networks
        population = networks.sample(_ROWS, np.random.default_rng(0), at_least=1)
        for genome, one in zip(population, networks.decode(population), strict=True):
            stages = networks.stages(one)
            kinds = [kind for stage in stages for kind in stage.kinds]
            assert len(kinds) == len(set(kinds)), "a layer is in two stages"
            present = np.flatnonzero(networks.layers(genome[None]).count[0]).tolist()
            assert set(present) <= set(kinds), "a layer is in no stage"
            assert all(
                bar.channels > 0 and bar.branches > 0 for stage in stages for block in stage.blocks for bar in block
            )

    def test_costs_are_those_of_the_built_network(self) -> None:
        """Numbers of parameters and multiply-accumulates equal the counts in the built torch network."""
        import torch

        space = self.make()
        population = space.sample(40, np.random.default_rng(0), at_least=1)
        params, macs = space.params_and_macs(population)
        for row in np.argsort(macs)[:: -(-len(macs) // (2 * self.networks))][: self.networks]:
            network = space.build(space.decode(population[row : row + 1])[0]).eval()
            assert sum(parameter.numel() for parameter in network.parameters()) == params[row]
            with torch.no_grad():
                work, logits = counted(network, torch.zeros(1, *space.input_shape))
            assert work == macs[row]
            assert logits.shape == (1, space.classes)

    def _hold(self, of: Property) -> None:
        space = self.make()
        for rng in generators(self.seeds):
            of(space, rng)


def generators(seeds: int) -> Iterator[np.random.Generator]:
    """Generators with the seeds 0 to ``seeds - 1``."""
    return map(np.random.default_rng, range(seeds))


def a_population(space: Space, rng: np.random.Generator) -> Population:
    """Up to 12 networks of all sizes, drawn uniformly over the genes or over the logarithm of the parameter count."""
    return (
        space.sample_uniform(_ROWS, rng)
        if rng.random() < 0.5
        else space.sample(_ROWS, rng, at_least=1, max_batches=_BATCHES)
    )


def some_bounds(space: Space, rng: np.random.Generator) -> Bounds:
    """Bounds on about a third of the genes."""
    low, high = list(space.genes.low), list(space.genes.high)
    for place, gene in enumerate(space.genes):
        if rng.random() < 1 / 3:
            low[place], high[place] = sorted(rng.choice(gene.values, size=2).tolist())
    return Bounds(space.genes, tuple(low), tuple(high))


def small_bounds(space: Space, rng: np.random.Generator) -> Bounds:
    """Bounds that fix most genes and leave a few values for the others."""
    low = [int(rng.choice(gene.values)) for gene in space.genes]
    high, several = low.copy(), 1
    for place in rng.permutation(len(space.genes)).tolist():
        above = [value for value in space.genes[place].values if value > low[place]][:4]
        if above and several * (len(above) + 1) <= _ENUMERATED:
            several *= len(above) + 1
            high[place] = above[-1]
    return Bounds(space.genes, tuple(low), tuple(high))


def counted(network: nn.Module, image: Tensor) -> tuple[int, Tensor]:
    """Multiply-accumulates of convolutions and linear layers for one image, and the output."""
    from torch import nn as torch_nn

    work = [0]

    def note(module: Any, _: object, output: Tensor) -> None:
        positions = math.prod(output.shape[2:]) if isinstance(module, torch_nn.Conv2d) else 1
        work[0] += positions * module.weight.numel()

    hooks = [
        module.register_forward_hook(note)
        for module in network.modules()
        if isinstance(module, torch_nn.Conv2d | torch_nn.Linear)
    ]
    logits = network(image)
    for hook in hooks:
        hook.remove()
    return work[0], logits


def assert_canonical(space: Space, population: Population) -> None:
    """The population is an int16 matrix that `check` accepts unchanged."""
    assert population.dtype == np.int16 and population.shape[1:] == (len(space.genes),)
    assert_same(space.check(population), population, "check changes a genome")


def assert_same(found: Any, expected: Any, what: str) -> None:
    """Two arrays are equal in shape and in every value."""
    assert np.array_equal(found, expected), f"{what}:\n{found}\n{expected}"
