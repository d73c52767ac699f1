from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from ohmnas.datasets.campaign.store import Store
from ohmnas.datasets.tables.table import read_table, write_table
from ohmnas.hardware import is_varied

from .conftest import Ohmnas


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "s.sqlite"
    with Store(path) as one:
        one.add(read_table("digits").rows())
    return path


def test_an_export_is_the_table_it_came_from(store: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    out = tmp_path / "t.csv"
    done, card = ohmnas("export-table", "--store", store, "--out", out), read_table("digits").card
    assert done.code == 0
    assert done.out == (
        f"wrote {card['rows']:,} rows of {card['architectures']:,} architectures to {out} "
        f"and the card to {tmp_path / 't.json'}; next: ohmnas fit --table {out} --out surrogate\n"
    )
    again, first = read_table(str(out)).frame, read_table("digits").frame
    pd.testing.assert_frame_equal(again, first)


def test_an_export_grows_and_loses_nothing(store: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    some, out = tmp_path / "some.sqlite", tmp_path / "t.csv"
    with Store(some) as one:
        one.add([*read_table("digits").rows()][:30])
    assert ohmnas("export-table", "--store", some, "--out", out).code == 0
    out.with_suffix(".json").unlink()  # as if killed between the two
    assert ohmnas("export-table", "--store", store, "--out", out).code == 0
    before = out.read_bytes()
    lost = len(read_table("digits").frame) - 30
    assert f"{lost:,} rows that this export" in ohmnas("export-table", "--store", some, "--out", out).sentence
    assert out.read_bytes() == before
    notes = tmp_path / "notes.csv"
    notes.write_text("my notes\n", encoding="utf-8")
    assert "not a table of measured rows" in ohmnas("export-table", "--store", store, "--out", notes).sentence
    assert notes.read_text("utf-8") == "my notes\n"
    (tmp_path / "result.json").write_text("{}", encoding="utf-8")
    sentence = ohmnas("export-table", "--store", store, "--out", tmp_path / "result.csv").sentence
    assert "is not a table's card: choose another --out" in sentence
    assert sorted(path.name for path in tmp_path.glob("result.*")) == ["result.json"]


def test_an_export_does_not_replace_other_results_of_the_same_rows(ohmnas: Ohmnas, tmp_path: Path) -> None:
    rows = [*read_table("digits").rows()][:20]
    one, other, out = tmp_path / "one.sqlite", tmp_path / "other.sqlite", tmp_path / "t.csv"
    with Store(one) as store:
        store.add(rows)
    with Store(other) as store:
        store.add([{**row, "accuracy_digital": 0.5} for row in rows])
    assert ohmnas("export-table", "--store", one, "--out", out).code == 0
    before = out.read_bytes()
    sentence = ohmnas("export-table", "--store", other, "--out", out).sentence
    assert f"20 rows with results that differ from those in {other}" in sentence
    assert "merge" not in sentence  # it would refuse them
    assert out.read_bytes() == before
    assert ohmnas("export-table", "--store", one, "--out", out).code == 0


def test_an_export_may_be_of_some_chips(store: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    out, frame = tmp_path / "t.csv", read_table("digits").frame
    for chips, count in (
        (["reram"], (frame["hardware"] == "reram").sum()),
        (
            ["reram", "varied-pcm"],
            (frame["hardware"] == "reram").sum() + frame["hardware"].str.startswith("pcm-").sum(),
        ),
    ):
        assert ohmnas("export-table", "--store", store, "--out", out, "--hardware", *chips).code == 0
        assert len(read_table(str(out)).frame) == count
        assert set(read_table(str(out)).card["hardware"]) == set(chips)
    sentence = ohmnas("export-table", "--store", store, "--out", out, "--hardware", "reram").sentence
    assert "100 rows that this export of" in sentence
    assert "merge" not in sentence  # the store has them
    sentence = ohmnas("export-table", "--store", store, "--out", out, "--hardware", "hermes", "ideal").sentence
    assert "no rows of ideal, only of hermes, pcm, reram, varied-hermes" in sentence
    assert (
        "no fidelity low, only paper"
        in ohmnas("export-table", "--store", store, "--out", out, "--fidelity", "low").sentence
    )


def test_a_full_disk_while_exporting_costs_nothing(store: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    """The process may write files of at most 64 KiB, which a store survives and a table does not fit into."""
    out = tmp_path / "t.csv"
    ohmnas("export-table", "--store", store, "--out", out)
    before = out.read_bytes()
    assert len(before) > 64 * 1024
    script = (
        "import resource, sys; from ohmnas.cli.main import main\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", script, "export-table", "--store", str(store), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "cannot write" in done.stderr
    assert done.stderr.count("\n") == 1
    assert out.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []
    with Store(store) as one:
        assert len(one.identities()) == len(read_table("digits").frame)


@pytest.mark.parametrize(
    ("chips", "rows", "then"),
    [
        (["pcm", "hermes"], 40, ""),
        (["hermes", "reram"], 40, " --hardware hermes"),
        (["reram"], 20, ""),
        (["pcm"], 9, None),
        ([], 40, " --co-design"),
    ],
)
def test_the_suggested_next_command_works(
    chips: list[str], rows: int, then: str | None, ohmnas: Ohmnas, tmp_path: Path
) -> None:
    frame = read_table("digits").frame
    chosen = frame[frame["hardware"].isin(chips) if chips else frame["hardware"].map(is_varied)]
    write_table(tmp_path / "some.csv", chosen.groupby("hardware").head(rows), read_table("digits").card)
    assert ohmnas("merge", "--store", tmp_path / "s.sqlite", tmp_path / "some.csv").code == 0
    out = tmp_path / "t.csv"
    said = ohmnas("export-table", "--store", tmp_path / "s.sqlite", "--out", out).out
    assert said.partition("next: ")[2].strip() == (
        "" if then is None else f"ohmnas fit --table {out}{then} --out surrogate"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--store", "nowhere.sqlite"), "there is no store nowhere.sqlite"),
        (("--out", "t.txt"), "must end in .csv"),
        (("--out", "no/such/t.csv"), "does not exist"),
        (("--task", "mnist"), "unknown task 'mnist'"),
    ],
)
def test_bad_input_is_one_sentence(
    words: tuple[str, ...], message: str, store: Path, ohmnas: Ohmnas, tmp_path: Path
) -> None:
    assert message in ohmnas("export-table", "--store", store, "--out", tmp_path / "t.csv", *words).sentence


def test_an_empty_store_is_one_sentence(ohmnas: Ohmnas, tmp_path: Path) -> None:
    Store(tmp_path / "e.sqlite").__exit__(None, None, None)
    found = ohmnas("export-table", "--store", tmp_path / "e.sqlite", "--out", tmp_path / "t.csv")
    assert "has no rows yet" in found.sentence
