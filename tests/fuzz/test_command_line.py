"""At the command line, a file that cannot be read is one sentence and the exit code 2."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ohmnas.cli.main import main


def _run(*words: str) -> int:
    try:
        return main(words)
    except SystemExit as stop:  # of an argument
        return int(stop.code or 0)


@pytest.mark.parametrize(
    "content", [None, b"", b"junk", b"PK\x03\x04", b"\x93NUMPY\x01\x00", b"[" * 4000, b"9" * 70_000]
)
@pytest.mark.parametrize("suffix", ["npz", "toml"])
def test_broken_files_are_one_sentence(
    suffix: str, content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"mine.{suffix}"
    if content is None:
        os.mkfifo(path)
    else:
        path.write_bytes(content + b"=" * (suffix == "toml"))
    words = ("--task", str(path)) if suffix == "npz" else ("--task", "digits", "--hardware", str(path))
    code = _run("campaign", *words, "--fidelity", "smoke", "--n", "1", "--store", str(tmp_path / "s.sqlite"))
    shown = capsys.readouterr()
    assert (code, shown.out) == (2, "")
    assert shown.err.count("\n") == 1, shown.err
    assert str(path) in shown.err
    assert not (tmp_path / "s.sqlite").exists()
