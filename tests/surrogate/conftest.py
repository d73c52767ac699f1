"""Synthetic measurements whose truth is a formula, and a small surrogate of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from ohmnas.datasets import schema
from ohmnas.datasets.table import MeasuredTable
from ohmnas.spaces import genes
from ohmnas.spaces.chips import drawn_for, to_hardware
from ohmnas.spaces.genes import GENE_NAMES, Population
from ohmnas.spaces.hardware import TECHNOLOGIES, Hardware
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.surrogate.learning import LearningSet
from ohmnas.surrogate.persist import HEADER, save
from ohmnas.surrogate.surrogate import Surrogate

SPACE = ResNetSpace((1, 8, 8), 10)
CHIP = Hardware().description()
FAST: dict[str, Any] = {"rounds": 60, "depth": 3, "learning_rate": 0.2, "subsample": 1.0}
STD_FLOOR = 1e-3
MODELS = ("ranker", "std_model", "avm_model")
PARTS = (*MODELS, "process", "spread_process")
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


def learning_set(n: int = 100, seed: int = 0, noise: float = 0.0) -> LearningSet:
    """The truth of n architectures, with Gaussian noise on the accuracy."""
    rng = np.random.default_rng(seed)
    population = SPACE.sample(n, rng, max_params=200_000)
    labels = truth(population)
    labels["accuracy_1d"] = labels["accuracy_1d"] + noise * rng.standard_normal(n)
    return LearningSet(SPACE, population, labels, CHIP, STD_FLOOR, {**PROVENANCE, "seed": seed})


def table(population: Population, seeds: tuple[int, ...] = (0,), noise: float = 0.0, **columns: Any) -> MeasuredTable:
    """A measured table: each architecture once for each seed; `columns` overrides whole columns."""
    rows = np.tile(population, (len(seeds), 1))
    costs = SPACE.layer_table(rows)
    values: dict[str, Any] = {
        **dict.fromkeys(schema.COLUMNS, ""),
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
    frame = pd.DataFrame({**values, **columns}, index=range(len(rows)))[list(schema.COLUMNS)]
    card = {"sha256": "0" * 64, "task": "digits", "input_shape": [1, 8, 8], "classes": 10}
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
    labels["accuracy_1d"] += 0.01 * adc - 0.02 * np.array([[*TECHNOLOGIES].index(name) for name in technology])
    labels["accuracy_1d"] = np.clip(labels["accuracy_1d"], 0.0, 1.0)
    columns |= {"hardware": [chip.name for chip in every], "technology": technology, **labels}
    return table(rows, **columns)


@pytest.fixture(scope="session")
def data() -> LearningSet:
    return learning_set()


@pytest.fixture(scope="session")
def surrogate(data: LearningSet) -> Surrogate:
    return Surrogate.learn(data, **FAST)


@pytest.fixture
def folder(surrogate: Surrogate, tmp_path: Path) -> Path:
    save(surrogate, tmp_path / "fitted")
    return tmp_path / "fitted"


def edit(folder: Path, change: Callable[[Header], object], sign: bool = True) -> None:
    """Change the header in place; signed, its checksum is that of the changed values, so that other checks must act."""
    path = folder / HEADER
    header = json.loads(path.read_text(encoding="utf-8"))
    checksum = header.pop("sha256")
    change(header)
    if sign:
        checksum = hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps({**header, "sha256": checksum}), encoding="utf-8")


def model_path(folder: Path, name: str) -> Path:
    (path,) = folder.glob(f"{name}-*.json")
    return path
