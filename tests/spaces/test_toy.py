"""A space from outside: a plain chain of convolutions, defined here, goes all the way without a line of the package.

It takes from `Layers` all that a chain needs, and from `Space` all that genes imply.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from ohmnas.datasets.tables.table import read_table
from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.search import read_result
from ohmnas.spaces.bounds import Bounds
from ohmnas.spaces.catalogue import SPACES
from ohmnas.spaces.codesign import CoDesignSpace, space_of
from ohmnas.spaces.genes import Gene, Genes, Population
from ohmnas.spaces.layers import Layers
from ohmnas.spaces.modules import MeanOverPixels
from ohmnas.spaces.space import Space
from ohmnas.surrogate.shipped import load_surrogate
from ohmnas.testing.spaces import SpaceContract
from tests.cli import conftest as cli

ohmnas = cli.ohmnas
MOST = 4
WIDTHS = (4, 8, 12, 16, 24, 32, 48)
KERNELS = (1, 3, 5)


@dataclass(frozen=True)
class Chain:
    """Width and kernel of each convolution."""

    layers: tuple[tuple[int, int], ...]

    def __str__(self) -> str:
        return " > ".join(f"{width}@{kernel}x{kernel}" for width, kernel in self.layers)

    def to_dict(self) -> dict[str, Any]:
        return {"layers": [list(layer) for layer in self.layers]}


@dataclass(frozen=True, slots=True)
class ChainSpace(Space):
    """One to four convolutions, batch norm and ReLU behind each; mean over pixels, linear layer."""

    name: ClassVar[str] = "chain-1"
    architecture_genes: ClassVar[Genes] = Genes(
        (
            Gene("L", tuple(range(1, MOST + 1)), group="depth", costly=True),
            *(
                gene
                for block in range(1, MOST + 1)
                for gene in (
                    Gene(f"W{block}", WIDTHS, block=block, group="width", costly=True),
                    Gene(f"K{block}", KERNELS, block=block, costly=True),
                )
            ),
        ),
        depth="L",
    )

    def layers(self, population: Population) -> Layers:
        channels, height, width = self.input_shape
        n = len(population)
        count, inputs, outputs, positions, digital = (np.zeros((n, MOST + 1), dtype=np.int64) for _ in range(5))
        before = np.full(n, channels, dtype=np.int64)
        for block in range(MOST):
            out, kernel = population[:, 1 + 2 * block].astype(np.int64), population[:, 2 + 2 * block].astype(np.int64)
            count[:, block] = out > 0
            inputs[:, block], outputs[:, block], digital[:, block] = before * kernel**2, out, 2 * out
            positions[:, block] = height * width
            before = np.where(out > 0, out, before)
        count[:, -1], inputs[:, -1], outputs[:, -1] = 1, before, self.classes
        positions[:, -1], digital[:, -1] = 1, self.classes
        return Layers(count, inputs, outputs, positions, digital)

    def encode(self, architectures: Iterable[Chain]) -> Population:
        rows = [
            [len(one.layers), *(value for layer in one.layers for value in layer), *[0] * 2 * (MOST - len(one.layers))]
            for one in architectures
        ]
        return np.array(rows, dtype=np.int16).reshape(-1, 1 + 2 * MOST)

    def decode(self, population: npt.NDArray[np.integer]) -> list[Chain]:
        rows = self.check(population).tolist()
        return [Chain(tuple((row[1 + 2 * block], row[2 + 2 * block]) for block in range(row[0]))) for row in rows]

    def architecture(self, values: dict[str, Any]) -> Chain:
        try:
            chain = Chain(tuple((int(width), int(kernel)) for width, kernel in values["layers"]))
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidValueError("this is no chain") from error
        return self.decode(self.encode([chain]))[0]

    def build(self, architecture: Chain) -> nn.Module:
        modules: list[nn.Module] = []
        channels = self.input_shape[0]
        for width, kernel in architecture.layers:
            modules += [nn.Conv2d(channels, width, kernel, padding=kernel // 2, bias=False), nn.BatchNorm2d(width)]
            modules.append(nn.ReLU())
            channels = width
        return nn.Sequential(*modules, MeanOverPixels(), nn.Linear(channels, self.classes))


SPACE = ChainSpace((1, 8, 8), 10)


class TestChain(SpaceContract):
    def make(self) -> Space:
        return SPACE


class TestChainsOnChips(SpaceContract):
    def make(self) -> Space:
        return CoDesignSpace.on(SPACE)


@pytest.fixture
def chain() -> Iterator[str]:
    """The space by the name that people type, for as long as a test runs."""
    with SPACES.registered("chain", ChainSpace):
        yield "chain"


def test_costs_of_a_chain_by_hand() -> None:
    layers = SPACE.layers(SPACE.encode([Chain(((8, 3), (16, 1)))]))
    assert layers.params().tolist() == [9 * 8 + 16 + 8 * 16 + 32 + 16 * 10 + 10]
    assert layers.macs().tolist() == [64 * (72 + 128) + 160]
    assert layers.peak_memory().tolist() == [64 * 24]
    assert layers.tiling().steps.tolist() == [64 + 64 + 1]
    assert layers.flow().narrowest.tolist() == [8.0]
    assert layers.flow().depth.tolist() == [3.0]


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_space_from_outside_goes_all_the_way(chain: str, ohmnas: cli.Ohmnas, tmp_path: Path) -> None:
    store, table, surrogate = tmp_path / "s.sqlite", tmp_path / "t.csv", tmp_path / "surrogate"
    smoke = ("--task", "digits", "--fidelity", "smoke")
    words = ("campaign", *smoke, "--space", chain, "--n", "14", "--jobs", "1", "--store", store)
    first = ohmnas(*words, "--json")
    assert first.code == 0, first.err
    done = first.values
    assert (done["measured"], done["failed"]) == (14, 0)
    with closing(sqlite3.connect(store)) as connection:
        assert "W4" in {row[1] for row in connection.execute("PRAGMA table_info(rows)")}
    assert ohmnas(*words, "--json").values["measured"] == 0  # all is there

    assert ohmnas("export-table", "--store", store, "--out", table).code == 0
    measured = read_table(table)
    assert measured.space == space_of("chain-1", (1, 8, 8), 10) == SPACE
    assert len(SPACE.check(measured.frame[list(SPACE.gene_names)].to_numpy())) == 14
    assert f"--space {chain}" in json.dumps(measured.card)
    assert ohmnas("describe", "--table", table, "--out", tmp_path / "described").code == 0

    assert ohmnas("fit", "--table", table, "--fidelity", "smoke", "--out", surrogate).code == 0
    assert load_surrogate(surrogate).space == SPACE
    limits = ("--max-params", "20k", "--range", "K=3:5", "--fix", "L=2")
    found = ohmnas(
        "search", "--surrogate", surrogate, *limits, "--strategy", "evolution", "--iterations", "4",
        "--population", "20", "--out", tmp_path / "found",
    )  # fmt: skip
    assert found.code == 0, found.err
    result = read_result(tmp_path / "found" / "result.json")
    assert result.space == SPACE
    assert isinstance(result.best.architecture, Chain)
    assert len(result.best.architecture.layers) == 2
    assert {kernel for _, kernel in result.best.architecture.layers} <= {3, 5}

    verified = ohmnas("verify", tmp_path / "found" / "result.json", *smoke, "--seeds", "1", "--jobs", "1", "--json")
    assert verified.code == 0, verified.err
    assert 0 < verified.values["networks"]["found"]["measured"]["accuracy_1d"][0] <= 1


def test_a_gene_that_a_chain_has_not_is_refused_with_those_that_it_has(
    chain: str, ohmnas: cli.Ohmnas, tmp_path: Path
) -> None:
    message = r"unknown gene 'R': choose L; W, K \(all blocks\); or W1 to W4 \(one block\)"
    with pytest.raises(UnknownNameError, match=message):
        Bounds.of(SPACE.genes, {"R": (1, 1)})
    words = (
        "campaign",
        "--task",
        "digits",
        "--fidelity",
        "smoke",
        "--space",
        "chains",
        "--store",
        tmp_path / "s.sqlite",
    )
    assert (
        "unknown space 'chains': choose resnet, cells, mobile, chain; did you mean chain?"
        in ohmnas(*words, "--n", "1").sentence
    )


def test_gradients_reach_a_built_chain() -> None:
    network = SPACE.build(Chain(((8, 3), (4, 1))))
    network(torch.randn(3, 1, 8, 8)).sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
