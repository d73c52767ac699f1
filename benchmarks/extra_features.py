"""Additional features of a surrogate: measured values of a table's networks, such as proxies or learning curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

import numpy as np
import numpy.typing as npt

from ohmnas.spaces.codesign import Settings
from ohmnas.spaces.genes import Population
from ohmnas.spaces.space import Space
from ohmnas.surrogate import TrainingSet
from ohmnas.surrogate import model as its_model
from ohmnas.surrogate import surrogate as its_estimator
from ohmnas.surrogate.features import Features, feature_matrix, feature_names

Values = npt.NDArray[np.float64]


def informed(data: TrainingSet, extra: Mapping[str, Values]) -> TrainingSet:
    """Return the rows with these names as additional features; `known` supplies the values."""
    return replace(data, hardware={**data.hardware, **dict.fromkeys(extra, 0.0)})


@contextmanager
def known(population: Population, extra: Mapping[str, Values]) -> Iterator[None]:
    """Give surrogates the ``(n,)`` values of these networks as features (`informed`) inside the block."""
    rows = {genome.tobytes(): row for row, genome in enumerate(population)}

    def matrix(space: Space, some: Population, hardware: Settings) -> Features:
        features, names = feature_matrix(space, some, hardware), feature_names(space, hardware)
        places = [rows[genome.tobytes()] for genome in np.ascontiguousarray(some)]
        for name, values in extra.items():
            if name in hardware:
                features[:, names.index(name)] = values[places]
        return features

    with patch.object(its_estimator, "feature_matrix", matrix), patch.object(its_model, "feature_matrix", matrix):
        yield
