"""At the command line, a file that cannot be read is one sentence and the exit code 2."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ohmnas.cli.main import main

CONTENTS = {
    "pipe": None,
    "empty": b"",
    "junk": b"junk",
    "zip": b"PK\x03\x04",
    "npy": b"\x93NUMPY\x01\x00",
    "nested": b"[" * 100_000,
    "digits": b"9" * 70_000,
    "zeros": bytes(5000),
    "text": b"\xff\xfe\x1b[2J",
    "object": b"{}",
    "sqlite": b"SQLite format 3\x00" + b"\xff" * 4096,
}
"""Contents of a file; None is a named pipe."""
COMMANDS = {
    "task": ("m.npz", "campaign --fidelity smoke --n 1 --store {new} --task {file}"),
    "chip": ("m.toml", "campaign --fidelity smoke --n 1 --store {new} --task digits --hardware {file}"),
    "result": ("result.json", "verify --task digits --fidelity smoke {file}"),
    "result to resume": (
        "result.json",
        "search --task digits --max-params 20k --iterations 1 --out {out} --resume {file}",
    ),
    "surrogate": ("m.npz", "search --max-params 20k --iterations 1 --out {out} --surrogate {file}"),
    "table to fit": ("t.csv", "fit --out {out} --table {file}"),
    "table to describe": ("t.csv", "describe --table {file}"),
    "store to export": ("s.sqlite", "export-table --out {new}.csv --store {file}"),
    "store to merge": ("s.sqlite", "merge --store {new} {file}"),
    "store to salvage": ("s.sqlite", "merge --salvage --store {new} {file}"),
    "store to continue": ("s.sqlite", "campaign --task digits --fidelity smoke --n 1 --store {file}"),
    "store to look at": ("s.sqlite", "campaign --status --store {file}"),
}


def _run(*words: str) -> int:
    try:
        return main(words)
    except SystemExit as stop:  # of an argument
        return int(stop.code or 0)


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("command", COMMANDS)
def test_broken_files_are_one_sentence(
    command: str, content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, words = COMMANDS[command]
    if name == "s.sqlite" and content == "empty":
        pytest.skip("a new store")
    monkeypatch.setattr("ohmnas.datasets.campaign.store._PATIENCE", 0.1)
    path, written = tmp_path / name, CONTENTS[content]
    if written is None:
        os.mkfifo(path)
    else:
        path.write_bytes(written + b"=" * (name == "m.toml"))
    told = words.format(file=path, new=tmp_path / "new.sqlite", out=tmp_path / "out.npz")
    code = _run(*told.split())
    shown = capsys.readouterr()
    assert (code, shown.out) == (2, "")
    assert shown.err.count("\n") == 1, shown.err
    assert str(path.with_suffix("")) in shown.err
    assert "\x1b" not in shown.err
    assert not (tmp_path / "new.sqlite").exists()
    assert not (tmp_path / "out.npz").exists()
