from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ohmnas.datasets.campaign.repeats import best_measured
from ohmnas.datasets.campaign.store import Store
from ohmnas.datasets.tables.table import read_table
from ohmnas.datasets.tasks.task import task
from ohmnas.errors import InvalidValueError
from ohmnas.spaces.resnet.genes import GENE_NAMES


def test_the_most_accurate_networks_are_repeated(tmp_path: Path) -> None:
    digits = task("digits")
    with Store(tmp_path / "s.sqlite") as store:
        store.add(read_table("digits").rows())
        best = best_measured(store, digits, "pcm", "paper", 5, 10)
        frame = read_table("digits").select("pcm")
        assert len(np.unique(best, axis=0)) == 10
        least = frame["accuracy_1d"].nlargest(15).min()
        chosen = {tuple(genome) for genome in best.tolist()}
        tops = frame.groupby(list(GENE_NAMES))["accuracy_1d"].max()
        assert all(tops[genome] >= least for genome in chosen)
        with pytest.raises(InvalidValueError, match="nothing to repeat"):
            best_measured(store, digits, "ideal", "paper", 5, 10)
