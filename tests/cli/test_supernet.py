from __future__ import annotations

import json
from pathlib import Path

import pytest

from ohmnas.oneshot.supernet import Supernet
from tests.oneshot.conftest import made_table

from .conftest import Ohmnas

TINY = ("--range", "OC0=8:10", "--range", "R=1:2", "--range", "B=1:2", "--range", "M=1:2", "--range", "WF=1:2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cli") / "supernet"


def test_a_supernet_is_trained_compared_and_searched(ohmnas: Ohmnas, folder: Path, tmp_path: Path) -> None:
    """One after another: each needs the one before."""
    words = ("--task", "digits", "--epochs", 1, "--max-params", "4k", *TINY, "--out", folder)
    done = ohmnas("supernet", "train", *words)
    assert done.code == 0, done.err
    for part in ("OC0 8 to 10", "at most 4,000 parameters", "trained for 4 steps", "core-minutes", "supernet search"):
        assert part in done.out
    again = ohmnas("supernet", "train", "--config", folder / "supernet-train.toml", "--json")
    assert again.values["steps"] == 4

    reading = ("--supernet", folder, "--chips", 2, "--images", 40)
    table = made_table(Supernet.load(folder), tmp_path / "made.csv")
    scored = ohmnas("supernet", "score", *reading, "--table", table, "--networks", 12, "--no-surrogate")
    assert scored.code == 0, scored.err
    for part in ("tau with the table", "best third", "parameters", "12 measured networks", "2 chips, 40 images"):
        assert part in scored.out
    as_json = ohmnas("supernet", "score", *reading, "--table", table, "--networks", 12, "--no-surrogate", "--json")
    assert set(as_json.values["predictors"]) == {"supernet", "params", "macs"}

    (tmp_path / "found").mkdir()
    for name in ("result.json", "verify.json", "pareto.svg"):
        (tmp_path / "found" / name).write_text("{}")
    limits = ("--max-params", "3k", "--fix", "B=1", "--evaluations", 12, "--population", 6, "--out", tmp_path / "found")
    found = ohmnas("supernet", "search", *reading, *limits)
    assert found.code == 0, found.err
    for part in ("found ", "with shared weights", "2 pcm chips, 40 images", f"ohmnas verify {tmp_path / 'found'}"):
        assert part in found.out
    kept = {path.name for path in (tmp_path / "found").iterdir()}
    assert not {"verify.json", "pareto.svg"} & kept  # they belong to the older result
    result = json.loads((tmp_path / "found" / "result.json").read_text())
    assert result["best"]["params"] <= 3_000
    assert all(block["branches"] == 1 for block in result["best"]["architecture"]["blocks"])
    assert result["evaluations"] <= 12
    verified = ohmnas(
        *("verify", tmp_path / "found" / "result.json", "--task", "digits", "--fidelity", "smoke", "--seeds", 1),
        *("--references", 0, "--jobs", 1, "--json"),
    )
    assert verified.code == 0, verified.err

    beyond = ohmnas("supernet", "search", *reading, "--fix", "R1=3", "--out", tmp_path / "other")
    assert "the supernet has R1 from 1 to 2 only" in beyond.sentence
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("train", "--task", "x", "--out", "net"), "unknown task 'x'"),
        (("train", "--task", "digits", "--out", "net", "--rule", "fair"), "unknown rule 'fair'"),
        (("train", "--task", "digits", "--out", "net", "--minutes", "0"), "not a number above 0"),
        (("train", "--task", "digits", "--out", "net", "--range", "R=1"), "a range must be FROM:TO"),
        (("train", "--task", "digits", "--out", "net", "--range", "R=1:99"), "R must be"),
        (("train", "--task", "digits", "--out", "net", "--fix", "R=1", "--range", "R=1:2"), "gene R is bounded twice"),
        (("train", "--task", "digits", "--out", "net", "--fix", "M=1", "--fix", "M=2"), "gene M is bounded twice"),
        (("train", "--task", "digits", "--out", "net", "--space", "toy"), "invalid choice"),
        (("score", "--supernet", "none", "--table", "digits"), "none is not the folder of a trained supernet"),
        (("search", "--supernet", "none", "--strategy", "x"), "unknown strategy 'x'"),
        ((), "the following arguments are required: ACTION"),
    ],
)
def test_wrong_values_are_one_sentence(ohmnas: Ohmnas, words: tuple[str, ...], sentence: str) -> None:
    assert sentence in ohmnas("supernet", *words).sentence
    assert not Path("net").exists()
