from __future__ import annotations

import json
from pathlib import Path

from ohmnas.search.result import write_result
from tests.report.conftest import searched, verified

from .conftest import Ohmnas


def test_a_stored_result_is_shown_with_drift_measurements_and_layers(ohmnas: Ohmnas, tmp_path: Path) -> None:
    result = searched()
    write_result(tmp_path / "result.json", result)
    out = ohmnas("show", tmp_path).out
    for piece in (str(result.best.architecture), "drift, with 90 % intervals", "costs of the found network", "linear"):
        assert piece in out
    assert "measured (%)" not in out
    (tmp_path / "verify.json").write_text(json.dumps(verified(result)), encoding="utf-8")
    measured = ohmnas("show", tmp_path).out
    assert "measured (%): mean and standard error of 3 training runs, 25 chips each" in measured
    assert "±" in measured
    values = ohmnas("show", tmp_path, "--json").values
    assert values["best"]["params"] == result.best.params
    assert {"drift", "measured", "layers"} <= set(values)


def test_a_folder_without_a_result_is_one_sentence(ohmnas: Ohmnas, tmp_path: Path) -> None:
    assert "has no result.json" in ohmnas("show", tmp_path).sentence
