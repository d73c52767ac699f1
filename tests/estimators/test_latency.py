"""Latencies on a user's device: sums of a lookup table, and a model learned from measured networks."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from ohmnas.errors import BrokenFileError, InvalidValueError
from ohmnas.estimators.latency import LatencyModel, LatencyTable, read_measured, write_lookup
from ohmnas.search.estimator import Estimator
from ohmnas.spaces.cells import CellSpace
from ohmnas.spaces.cells.genes import every
from ohmnas.spaces.mobile import MobileSpace
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.spaces.space import Space
from ohmnas.surrogate.metrics import spearman
from ohmnas.testing import EstimatorContract

CELLS = CellSpace((3, 32, 32), 10)
RESNETS = ResNetSpace((1, 8, 8), 10)


def device(space: Space, population: np.ndarray) -> np.ndarray:
    """A device whose latency adds up over the operations, with one rate for each kind."""
    work = space.work(population)
    rates = np.random.default_rng(0).uniform(1e-4, 1e-3, len(work)) / np.maximum(work.max(axis=1), 1.0)
    return np.asarray(2e-3 + rates @ work)


@cache
def model(seed: int = 0) -> LatencyModel:
    population = RESNETS.sample(60, np.random.default_rng(seed), max_params=20_000)
    return LatencyModel.fit(RESNETS, population, device(RESNETS, population), "made")


class TestTheModel(EstimatorContract):
    def make(self, seed: int) -> Estimator:
        return model(seed)


class TestTheTable(EstimatorContract):
    draws_nothing = True

    def make(self, seed: int) -> Estimator:
        del seed
        return LatencyTable(RESNETS, np.array([[9, 8, 64, 1], [144, 16, 64, 1]]), np.array([1e-4, 3e-4]))


def test_additive_latencies_are_learned_from_few_cells() -> None:
    rng = np.random.default_rng(1)
    rows = rng.permutation(len(every()))
    seconds = device(CELLS, every())
    learned = LatencyModel.fit(CELLS, every()[rows[:100]], seconds[rows[:100]])
    said = learned.estimate(every()[rows[100:2000]])["device_latency"]
    assert spearman(seconds[rows[100:2000]], said) > 0.999
    assert learned.rank > 0.99
    assert learned.error < 0.02


def test_a_sum_over_layers_is_exact(tmp_path: Path) -> None:
    population = CELLS.sample(20, np.random.default_rng(0))
    path = tmp_path / "lookup.csv"
    count = write_lookup(path, CELLS, population)
    with pytest.raises(InvalidValueError, match="may hold measurements"):
        write_lookup(path, CELLS, population)
    header, *rows = path.read_text().splitlines()
    assert (header, len(rows)) == ("inputs,outputs,positions,groups,seconds", count)
    filled = [row + str(1e-9 * np.prod([int(cell) for cell in row.split(",")[:3]])) for row in rows]
    path.write_text("\n".join([header, *filled]))
    table = LatencyTable.read(path, CELLS)
    assert not len(table.missing(population))
    np.testing.assert_allclose(table.estimate(population)["device_latency"], 1e-9 * CELLS.macs(population))


def test_a_missing_shape_has_the_rate_of_the_nearest() -> None:
    table = LatencyTable(CELLS, np.array([[16, 16, 1024, 1], [576, 64, 64, 1]]), np.array([1e-3, 2e-3]))
    found = table.of_shapes(np.array([[16, 16, 1024, 1], [32, 16, 1024, 1], [576, 64, 32, 1]]))
    np.testing.assert_allclose(found, [1e-3, 2e-3, 1e-3])


def test_a_depthwise_convolution_is_another_layer_than_a_full_one(tmp_path: Path) -> None:
    space = MobileSpace((1, 8, 8), 10)
    path = tmp_path / "lookup.csv"
    path.write_text("inputs,outputs,positions,groups,seconds\n9,16,64,1,0.001\n9,16,64,16,0.004\n")
    table = LatencyTable.read(path, space)
    found = table.of_shapes(np.array([[9, 16, 64, 1], [9, 16, 64, 16], [9, 32, 64, 32], [9, 32, 64, 1]]))
    np.testing.assert_allclose(found, [0.001, 0.004, 0.008, 0.002])
    population = space.sample_uniform(20, np.random.default_rng(0))
    path.unlink()
    count = write_lookup(path, space, population)
    rows = path.read_text().splitlines()[1:]
    assert len(rows) == count
    assert any(int(row.split(",")[3]) > 1 for row in rows)


def test_only_a_space_with_grouped_convolutions_needs_their_column(tmp_path: Path) -> None:
    path = tmp_path / "lookup.csv"
    path.write_text("inputs,outputs,positions,seconds\n9,16,64,0.001\n")
    assert LatencyTable.read(path, RESNETS).shapes.tolist() == [[9, 16, 64, 1]]
    with pytest.raises(BrokenFileError, match="needs one column 'groups'"):
        LatencyTable.read(path, MobileSpace((1, 8, 8), 10))


def test_a_saved_model_predicts_the_same(tmp_path: Path) -> None:
    one, path = model(), tmp_path / "device.json"
    one.save(path)
    population = RESNETS.sample(30, np.random.default_rng(5))
    again = LatencyModel.load(path)
    np.testing.assert_array_equal(again.estimate(population).values, one.estimate(population).values)
    assert again.provenance == one.provenance


def test_measured_networks_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "measured.csv"
    lines = [",".join((*CELLS.gene_names, "device", "seconds")), "3,0,0,3,0,0,pi,0.004", "1,2,3,4,0,1,pi,0.003"]
    path.write_text("\n".join(lines))
    population, seconds = read_measured(path, CELLS)
    assert population.tolist() == [[3, 0, 0, 3, 0, 0], [1, 2, 3, 4, 0, 1]]  # not made canonical
    assert seconds.tolist() == [0.004, 0.003]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "needs one column 'E01'"),
        ("E01,E02,E12,E03,E13,E23,seconds\n1,1,1,1,1,9,1", "row 1: E23 is 9, which is out of range"),
        ("E01,E02,E12,E03,E13,E23,seconds\n1,1,1,1,1,x,1", "row 1: E23 is 'x', but must be a whole number, 0 or more"),
        ("E01,E02,E12,E03,E13,E23,seconds\n1,1,1,1,1,1,-1", "row 1: seconds is '-1', not a number above 0"),
        ("E01,E02,E12,E03,E13,E23,seconds\n1,1,1", "row 1: 3 cells, but 7 columns"),
    ],
)
def test_wrong_measurements_are_one_sentence(tmp_path: Path, text: str, match: str) -> None:
    path = tmp_path / "measured.csv"
    path.write_text(text)
    with pytest.raises(BrokenFileError, match=match):
        read_measured(path, CELLS)


def test_too_few_networks_or_wrong_seconds_are_refused() -> None:
    population = every()[:20]
    with pytest.raises(InvalidValueError, match="at least 10 networks"):
        LatencyModel.fit(CELLS, population[:9], np.ones(9))
    with pytest.raises(InvalidValueError, match=r"each of the 20 networks needs one latency, .* \(30,\)"):
        LatencyModel.fit(CELLS, population, np.ones(30))
    with pytest.raises(InvalidValueError, match="above 0"):
        LatencyModel.fit(CELLS, population, np.zeros(20))
