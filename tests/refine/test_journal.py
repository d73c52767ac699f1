from __future__ import annotations

import json
from pathlib import Path

import pytest

from ohmnas.errors import BrokenFileError, InvalidValueError
from ohmnas.refine.journal import Chosen, Journal, Stage, belongs_to

ASKED = {"task": "digits", "max_params": 50_000, "pareto": ("params", "avm")}
STAGE = Stage("round", (Chosen((8, 3), 0, "best", {"accuracy_1d": 0.5}), Chosen((9, 3), 0, "mutant")))


def test_a_written_file_reads_back_equal(tmp_path: Path) -> None:
    path = tmp_path / "refine.json"
    journal = Journal(path, ASKED)
    journal.begin(STAGE)
    journal.end({"iteration": 0, "objective": 0.25})
    journal.begin(Stage("repeat", (Chosen((8, 3), 1, "repeat"),)))
    again = Journal(path, ASKED)
    assert again.stages == journal.stages
    assert again.stages[0].outcome == {"iteration": 0, "objective": 0.25}
    assert again.stages[1].outcome is None
    assert (again.trainings, again.count("round"), again.repeats_at_the_end) == (3, 1, 1)
    assert belongs_to(path, ASKED)
    assert not belongs_to(path, {**ASKED, "max_params": 20_000})
    with pytest.raises(InvalidValueError, match="max_params: 50000 then, 20000 now"):
        Journal(path, {**ASKED, "max_params": 20_000})
    with pytest.raises(InvalidValueError, match="max_avm: missing then, None now"):
        Journal(path, {**ASKED, "max_avm": None})


def test_without_a_file_it_is_kept_in_memory() -> None:
    journal = Journal(None, ASKED)
    journal.begin(STAGE)
    assert journal.stages == [STAGE]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "not JSON"),
        ("[]", "not a refinement journal"),
        ('{"version": 99}', "version 99"),
        ('{"version": 1, "asked": {}, "stages": [{"kind": "x"}]}', "not a kind"),
        (
            '{"version": 1, "asked": {}, "stages": [{"kind": "plan", "chosen": 3, "outcome": null}]}',
            "not a refinement journal",
        ),
        ('{"version": 1, "asked": {}, "stages": [{"kind": "plan", "chosen": [], "outcome": {"a": "b"}}]}', "numbers"),
    ],
)
def test_damage_is_one_sentence(content: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "refine.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(BrokenFileError, match=why):
        Journal(path, {})
    assert not belongs_to(path, {})


def test_it_is_plain_json(tmp_path: Path) -> None:
    path = tmp_path / "refine.json"
    Journal(path, ASKED).begin(STAGE)
    assert json.loads(path.read_text("utf-8"))["stages"][0]["chosen"][0]["genome"] == [8, 3]
