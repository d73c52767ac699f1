from __future__ import annotations

import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ohmnas.cli.parsers import parser

from .conftest import Ohmnas

SEARCH = ("search", "--task", "digits", "--max-params", "20k", "--iterations", "2", "--population", "9")


def flags(path: Path, text: str, *words: str) -> dict[str, Any]:
    path.write_text(text)
    return dict(vars(parser().parse_args(["search", "--config", str(path), *words])))


def test_flags_of_a_file_are_parsed_as_if_typed(tmp_path: Path) -> None:
    text = """
        command = "search"
        task = "digits"
        max-params = "50k"
        max-avm = 0.02
        plots = true
        co-design = false
        param = ["keep=50", "children=2"]
        start-from = "resnet14-w8"
    """
    read = flags(tmp_path / "run.toml", text)
    line = "search --task digits --max-params 50k --max-avm 0.02 --plots --param keep=50 --param children=2"
    typed = vars(parser().parse_args(shlex.split(f"{line} --start-from resnet14-w8")))
    left_out = ("parser", "words")
    assert {k: v for k, v in read.items() if k not in left_out} == {k: v for k, v in typed.items() if k not in left_out}


def test_typed_flags_win(tmp_path: Path) -> None:
    read = flags(tmp_path / "run.toml", 'task = "digits"\nseed = 3\nmax-params = 1000', "--seed", "4")
    assert (read["seed"], read["max_params"], read["task"]) == (4, 1000, "digits")
    assert read["words"] == ["search", "--task=digits", "--seed=3", "--max-params=1000", "--seed", "4"]


def test_a_typed_flag_replaces_a_flag_of_the_file_that_it_excludes(tmp_path: Path) -> None:
    read = flags(tmp_path / "run.toml", 'task = "digits"\nseed = 3', "--table=people")
    assert (read["task"], read["table"], read["seed"]) == (None, "people", 3)


def test_a_file_can_have_values_without_a_flag_and_flags_with_several(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text('store = "all.sqlite"\nsources = ["a.sqlite", "b.sqlite"]')
    merge = parser().parse_args(["merge", f"--config={path}"])
    assert (merge.sources, merge.store) == (["a.sqlite", "b.sqlite"], Path("all.sqlite"))
    path.write_text('hardware = ["pcm", "hermes"]\nstore = "s.sqlite"')
    assert parser().parse_args(["campaign", "--config", str(path)]).hardware == ["pcm", "hermes"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max-parms = 3", "has no flag 'max-parms'; did you mean max-params?"),
        ('command = "fit"', "has flags of ohmnas 'fit', not of ohmnas search"),
        ("task = []", "task has no values; leave it out instead"),
        ('task = ["a", "b"]', "task has several values, but takes one"),
        ("task = 2026-01-01", "task is datetime.date(2026, 1, 1), but must be a string or a number"),
        ("plots = 1", "plots is 1, but must be true or false"),
        ("seed = true", "seed is True, but must be a string or a number"),
        ("[task]\na = 1", "task is {'a': 1}, but must be"),
        ("config = 'b.toml'", "has no flag 'config'"),
        ("task = ", "is not TOML"),
        ('task = "digits"\nmax-params = "x"', "argument --max-params: 'x' is not a whole number"),
    ],
)
def test_a_wrong_file_is_one_sentence(text: str, message: str, tmp_path: Path, ohmnas: Ohmnas) -> None:
    path = tmp_path / "run.toml"
    path.write_text(text)
    assert message in ohmnas("search", "--config", path).sentence


@pytest.mark.parametrize(
    "words", [("--config",), ("--config", "a.toml", "--config", "b.toml"), ("--config="), ("--config", "none.toml")]
)
def test_a_missing_file_is_one_sentence(words: tuple[str, ...], ohmnas: Ohmnas) -> None:
    assert "error" in ohmnas("search", *words).sentence


def test_a_result_has_a_file_that_repeats_it(tmp_path: Path, ohmnas: Ohmnas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = ohmnas(*SEARCH, "--param", "keep=5", "--json", "--out", "été")
    recorded = tomllib.loads(Path("été/search.toml").read_text("utf-8"))
    assert recorded == {
        "command": "search",
        "task": "digits",
        "max-params": "20k",
        "iterations": 2,
        "population": 9,
        "param": ["keep=5"],
        "out": "été",
    }
    again = ohmnas("search", "--config", "été/search.toml", "--out", "again", "--json")
    assert again.values["best"] == first.values["best"]
    assert again.values["evaluations"] == first.values["evaluations"]
    assert tomllib.loads(Path("again/search.toml").read_text("utf-8")) == {**recorded, "out": "again"}


def test_an_output_file_has_the_flags_beside_it(tmp_path: Path, ohmnas: Ohmnas) -> None:
    assert ohmnas("merge", "digits-protocol4", "--store", tmp_path / "all.sqlite").code == 0
    recorded = tomllib.loads((tmp_path / "all.merge.toml").read_text("utf-8"))
    assert recorded == {"command": "merge", "sources": ["digits-protocol4"], "store": str(tmp_path / "all.sqlite")}


def test_commands_that_fail_or_write_nothing_record_no_flags(tmp_path: Path, ohmnas: Ohmnas) -> None:
    ohmnas("merge", "digits-protocol4", "--store", tmp_path / "all.sqlite")
    (tmp_path / "all.merge.toml").unlink()
    assert ohmnas("campaign", "--store", tmp_path / "all.sqlite", "--status").code == 0
    assert ohmnas("search", "--task", "digits", "--max-params", "1", "--out", tmp_path / "found").code == 2
    assert not list(tmp_path.rglob("*.toml"))


def test_a_new_search_moves_the_flags_of_the_earlier_one(tmp_path: Path, ohmnas: Ohmnas) -> None:
    assert ohmnas(*SEARCH, "--out", tmp_path).code == 0
    assert ohmnas(*SEARCH, "--seed", "5", "--max-macs", "300k", "--out", tmp_path).code == 0
    earlier = tomllib.loads((tmp_path / "earlier-1" / "search.toml").read_text("utf-8"))
    now = tomllib.loads((tmp_path / "search.toml").read_text("utf-8"))
    assert now == {**earlier, "seed": 5, "max-macs": "300k"}


@pytest.mark.parametrize("word", ["a\x7fb", 'quote " \\ \n', "0123", "1_000", "1e5", "inf", "true", "日本", "-3", "😀"])
@pytest.mark.parametrize("number", ["-0", "1.10", "2.0", "2.5", "0.00001", "1234567890123456.123"])
def test_every_word_survives_the_file(word: str, number: str, tmp_path: Path) -> None:
    from ohmnas.cli.config import as_toml

    words = ["search", f"--task={word}", f"--exclude={number}"]
    arguments = parser().parse_args(words)
    path = tmp_path / "run.toml"
    path.write_text(as_toml(arguments.parser.given, "search", path), encoding="utf-8")
    again = parser().parse_args(["search", "--config", str(path)])
    assert (again.task, again.exclude) == (word, [number])
