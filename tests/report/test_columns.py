from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ohmnas.report.columns import asked_quantities, cells_of, columns_of, shared_columns
from ohmnas.report.subject import read_subject, read_subjects

ALWAYS = ["accuracy_1d", "accuracy_1d_std", "avm", "params", "macs"]


def test_columns_are_the_default_ones_further_predictions_and_requested_costs(found: Path, front: Path) -> None:
    assert columns_of(read_subject(found), []) == ALWAYS
    one = read_subject(found)
    limited = {**one.result.constraints, "max_energy": 1e-6, "soft": {"tiles": 10.0}}
    best = replace(one.result.best, predicted={**one.result.best.predicted, "accuracy_1mo": 0.9})
    one = replace(one, result=replace(one.result, constraints=limited, best=best))
    assert {"energy", "tiles", "params"} <= {*asked_quantities(one)}
    assert columns_of(one, asked_quantities(one)) == [*ALWAYS[:3], "accuracy_1mo", *ALWAYS[3:], "energy", "tiles"]
    assert shared_columns(read_subjects([found, front]))[:3] == ALWAYS[:3]


def test_another_variation_takes_the_place_of_the_avm(found: Path) -> None:
    one = read_subject(found)
    predicted = {"avm_60s" if name == "avm" else name: value for name, value in one.result.best.predicted.items()}
    one = replace(one, result=replace(one.result, best=replace(one.result.best, predicted=predicted)))
    assert columns_of(one, []) == ["accuracy_1d", "accuracy_1d_std", "avm_60s", "params", "macs"]


def test_an_unknown_quantity_is_a_dash(found: Path) -> None:
    best = replace(read_subject(found).result.best, predicted={"accuracy_1d": 0.91234}, costs={})
    assert [cell.text for cell in cells_of(best, ["accuracy_1d", "energy", "params"])] == [
        "91.23",
        "-",
        f"{best.params:,}",
    ]
