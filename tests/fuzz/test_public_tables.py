"""Readers of the files of other benchmarks: any damage is a value or one sentence, and no code runs."""

from __future__ import annotations

from pathlib import Path

from ohmnas.datasets.tables.analognasbench import read
from tests.datasets.anb import made

from .mutate import damaged, survive

TOKENS = [
    b"cposix\nsystem\n",
    b"\x8c\x05posix\x8c\x06system\x93",
    b"(S'true'\ntR.",
    b"r\xff\xff\xff\xff",
    b"\x8d\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\x95\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\x8a\xff",
    b"P1\n",
    b"(" * 200,
    b"b",
    b"\x81",
    b"2",
    b"G\x7f\xf8\x00\x00\x00\x00\x00\x00",
    b"u",
]


def test_damaged_files_of_analog_nasbench_are_read_or_refused(tmp_path: Path) -> None:
    files = [made(12), made(30, seed=1)]
    values, refusals = survive(tmp_path / "made.anb", damaged(files, 200, 7, TOKENS), read)
    assert values > 0
    assert refusals > 100
