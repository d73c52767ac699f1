"""Readers of the files of other benchmarks: any damage is a value or one sentence, and no code runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ohmnas.datasets.tables.analognasbench import read
from ohmnas.estimators.latency import LatencyModel, LatencyTable, read_measured
from ohmnas.spaces.cells import CellSpace
from ohmnas.spaces.cells.genes import every
from tests.datasets.anb import made

from .mutate import COUNT, damaged, survive

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
    values, refusals = survive(tmp_path / "made.anb", damaged(files, COUNT, 7, TOKENS), read)
    assert values > 0
    assert refusals > 100


def test_damaged_latencies_are_read_or_refused(tmp_path: Path) -> None:
    space = CellSpace((3, 32, 32), 10)
    header = ",".join((*space.gene_names, "seconds"))
    rows = [f"{','.join(map(str, genome))},0.00{place}1" for place, genome in enumerate(every()[::1500].tolist())]
    measured = "\n".join([header, *rows]).encode()
    lookup = b"inputs,outputs,positions,seconds\n27,16,1024,0.001\n144,16,1024,0.002\n64,10,1,\n"
    model = tmp_path / "model.json"
    LatencyModel.fit(space, every()[::500], np.linspace(0.1, 0.2, len(every()[::500])), "made").save(model)
    tokens = [b",", b'"', b"\n", b"nan", b"-1", b"1e999", b"9" * 40, b"null", b"[" * 3000, "²".encode()]
    for number, (content, read_it) in enumerate(
        [
            (measured, lambda path: read_measured(path, space)),
            (lookup, lambda path: LatencyTable.read(path, space)),
            (model.read_bytes(), LatencyModel.load),
        ]
    ):
        _, refusals = survive(tmp_path / "made.csv", damaged([content], COUNT, 8 + number, tokens), read_it)
        assert refusals > 10
