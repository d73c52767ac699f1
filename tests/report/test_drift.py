from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ohmnas.errors import InvalidValueError
from ohmnas.report.drift import predicted_drift, surrogate_of
from ohmnas.search.result import read_result
from ohmnas.surrogate.shipped import shipped_file


def test_the_shipped_surrogate_predicts_four_times_with_intervals(found: Path) -> None:
    result = read_result(found / "result.json")
    model = surrogate_of(result)
    assert model is not None
    (drift,) = predicted_drift(model, [result.best])
    assert drift.values[2] == pytest.approx(result.best.predicted["accuracy_1d"], abs=1e-6)
    assert (drift.low[2], drift.high[2]) == pytest.approx(result.best.interval["accuracy_1d"], abs=1e-6)
    assert all(low <= mean <= high for low, mean, high in zip(drift.low, drift.values, drift.high, strict=True))


def test_a_result_of_another_surrogate_has_no_drift(found: Path) -> None:
    result = read_result(found / "result.json")
    other = replace(result.best, predicted={name: value - 0.01 for name, value in result.best.predicted.items()})
    assert surrogate_of(replace(result, best=other)) is None
    assert surrogate_of(replace(result, provenance={**result.provenance, "table_name": "mine"})) is None
    path = str(shipped_file("digits", "pcm"))
    assert surrogate_of(result, path) is not None
    with pytest.raises(InvalidValueError, match="used a surrogate other than"):
        surrogate_of(replace(result, best=other), path)


def test_a_surrogate_that_has_not_learned_the_times_has_no_drift(found: Path) -> None:
    result = read_result(found / "result.json")
    model = surrogate_of(result)
    assert model is not None
    assert predicted_drift(replace(model, further=()), [result.best]) == []
