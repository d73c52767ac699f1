"""A plan of tiny networks of digits, and a supernet trained for a few steps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from ohmnas.datasets.tables.card import make_card
from ohmnas.datasets.tables.table import write_table
from ohmnas.datasets.tasks.task import task
from ohmnas.hardware import Hardware
from ohmnas.oneshot.plan import Plan
from ohmnas.oneshot.supernet import Supernet
from ohmnas.oneshot.training import train_supernet
from tests.datasets.conftest import made_row

TINY = {"OC0": (8, 10), "R": (1, 2), "B": (1, 2), "M": (1, 2), "WF": (1, 2)}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def tiny(**settings: object) -> Plan:
    """A plan of at most 4,000 parameters."""
    chosen = {"ranges": TINY, "max_params": 4_000, "epochs": 1, **settings}
    return Plan.of(task("digits"), Hardware(), **chosen)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def trained_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a supernet after one epoch."""
    folder = tmp_path_factory.mktemp("supernet")
    train_supernet(tiny(), folder)
    return folder


@pytest.fixture(scope="session")
def supernet(trained_folder: Path) -> Supernet:
    return Supernet.load(trained_folder)


def made_table(supernet: Supernet, path: Path, n: int = 24) -> Path:
    """A table of n networks of the supernet; labels are made, not measured."""
    plan, rng = supernet.plan, np.random.default_rng(0)
    population = plan.space.sample(n, rng, plan.max_params, within=plan.within)
    frame = pd.DataFrame([made_row(genome, Hardware(), 0, rng) for genome in population])
    write_table(path, frame, make_card(frame, plan.task))
    return path
