"""Synthetic measurements whose truth is a formula, and a small surrogate of them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.table import MeasuredTable
from ohmnas.hardware import Hardware
from ohmnas.hardware.chip_genes import GENE_TECHNOLOGIES, drawn_for, to_hardware
from ohmnas.npz import read_arrays, write_arrays
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace, genes
from ohmnas.spaces.resnet.genes import GENE_NAMES
from ohmnas.surrogate.model import SurrogateModel
from ohmnas.surrogate.scales import Scales
from ohmnas.surrogate.surrogate import Surrogate
from ohmnas.surrogate.training_set import TrainingSet

SPACE = ResNetSpace((1, 8, 8), 10)
CHIP = Hardware().description()
FAST: dict[str, Any] = {"rounds": 60, "depth": 3, "learning_rate": 0.2, "subsample": 1.0}
STD_FLOOR = 1e-3
SCALES = Scales(STD_FLOOR)
Header = dict[str, Any]
PROVENANCE = {
    "table_sha256": "0" * 64,
    "task": "digits",
    "hardware": "pcm",
    "fidelity": "paper",
    "rows": 100,
    "seen": {"min_params": 1000, "max_params": 200_000, "max_macs": 10_000_000},
}


def truth(population: Population) -> dict[str, npt.NDArray[np.float64]]:
    """Head -> ``(n,)``: wide stems are accurate, large kernels noisy, many main blocks drift."""
    oc0, ks0, m = (population[:, gene].astype(np.float64) for gene in (genes.OC0, genes.KS0, genes.M))
    return {
        "accuracy_1d": 0.4 + 0.4 * np.log2(oc0 / 8) / 4 + 0.02 * m,
        "accuracy_1d_std": 0.002 * 2.0 ** (ks0 - 3),
        "avm": 0.01 * m + 0.002 * ks0 - 0.01,
    }


def learning_set(n: int = 100, seed: int = 0, noise: float = 0.0) -> TrainingSet:
    """The truth of n architectures, with Gaussian noise on the accuracy."""
    rng = np.random.default_rng(seed)
    population = SPACE.sample(n, rng, max_params=200_000)
    labels = truth(population)
    labels["accuracy_1d"] = labels["accuracy_1d"] + noise * rng.standard_normal(n)
    return TrainingSet(SPACE, population, labels, CHIP, SCALES, {**PROVENANCE, "seed": seed})


def table(population: Population, seeds: tuple[int, ...] = (0,), noise: float = 0.0, **columns: Any) -> MeasuredTable:
    """A measured table: each architecture once for each seed; `columns` overrides whole columns."""
    rows = np.tile(population, (len(seeds), 1))
    costs = SPACE.layers(rows)
    values: dict[str, Any] = {
        **dict.fromkeys(schema.columns(GENE_NAMES), ""),
        **dict.fromkeys(schema.FLOAT_COLUMNS, 0.5),
        **dict.fromkeys(schema.EFFORT_COLUMNS, 1),
        **dict(zip(GENE_NAMES, rows.T, strict=True)),
        **Hardware().settings(),
        **truth(rows),
        "task": "digits",
        "hardware": "pcm",
        "fidelity": "paper",
        "technology": "pcm",
        "seed": np.repeat(seeds, len(population)),
        "status": schema.STATUS_OK,
        "params": costs.params(),
        "macs": costs.macs(),
        "validation_images": 100,
        "chips": 25,
    }
    values["accuracy_1d"] = values["accuracy_1d"] + noise * np.random.default_rng(1).standard_normal(len(rows))
    frame = pd.DataFrame({**values, **columns}, index=range(len(rows)))[list(schema.columns(GENE_NAMES))]
    card = {"sha256": "0" * 64, "task": "digits", "space": SPACE.name, "input_shape": [1, 8, 8], "classes": 10}
    return MeasuredTable(frame, card, "synthetic")


def table_of_designs(n: int = 60, settings: int = 1, seed: int = 0) -> MeasuredTable:
    """Networks on varied chips, each on so many settings in all technologies, and on the ``pcm`` preset.

    The truth is that of the network, a hundredth more for each bit of the ADC, and two less for each next technology.
    """
    population = SPACE.sample(n, np.random.default_rng(seed), max_params=200_000)
    chips = [chip for place in range(n) for chip in to_hardware(drawn_for(place, settings))]
    every = [*chips, *[Hardware()] * n]
    rows = np.concatenate([np.repeat(population, len(chips) // n, axis=0), population])
    columns: dict[str, Any] = {key: [chip.settings()[key] for chip in every] for key in Hardware().settings()}
    adc = np.array([chip.adc_bits for chip in every])
    technology = [chip.technology for chip in every]
    labels = truth(rows)
    labels["accuracy_1d"] += 0.01 * adc - 0.02 * np.array([GENE_TECHNOLOGIES.index(name) for name in technology])
    labels["accuracy_1d"] = np.clip(labels["accuracy_1d"], 0.0, 1.0)
    columns |= {"hardware": [chip.name for chip in every], "technology": technology, **labels}
    return table(rows, **columns)


def learned(data: TrainingSet, **settings: Any) -> SurrogateModel:
    """What a small surrogate learns of some rows."""
    return Surrogate.learn(data, **{**FAST, **settings}).model_


@pytest.fixture(scope="session")
def data() -> TrainingSet:
    return learning_set()


@pytest.fixture(scope="session")
def surrogate(data: TrainingSet) -> SurrogateModel:
    return learned(data)


@pytest.fixture
def file(surrogate: SurrogateModel, tmp_path: Path) -> Path:
    return surrogate.save(tmp_path / "fitted")


def edit(file: Path, change: Callable[[Header], object]) -> None:
    """Change the header in place."""
    arrays = read_arrays(file, names(file))
    header = json.loads(arrays["header"].tobytes())
    change(header)
    arrays["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    write_arrays(file, arrays)


def edit_array(file: Path, name: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """Change one array in place."""
    arrays = read_arrays(file, names(file))
    write_arrays(file, {**arrays, name: change(arrays[name])})


def names(file: Path) -> list[str]:
    """Of the arrays."""
    with zipfile.ZipFile(file) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist()]
