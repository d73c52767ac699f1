"""Files of IBM/analog-nas: any damage is a value or one sentence."""

from __future__ import annotations

from pathlib import Path

from ohmnas.datasets.tables.analognas import read_configurations

from .mutate import COUNT, damaged, survive

HEADER = "out_channel0,M,R1,R2,convblock1,widenfact1,B1,convblock2,widenfact2,B2,1_day_accuracy,1_day_accuracy_std,AVM"
ROWS = (
    "39,2,5,4,A,2,1,B,3,7,0.91,0.05,6.6\n117,1,9,0,B,0.5,11,0,0,0,0.92,0.05,7.9\n20,1,3,0,D,4,2,0,0,0,0.92,0.05,7.7\n"
)
TOKENS = [b",", b'"', b"\n", b"nan", b"-inf", b"1e999", b"9" * 400, b"0", b"E", "²".encode()]


def test_damaged_files_of_analog_nas_are_read_or_refused(tmp_path: Path) -> None:
    files = [f"{HEADER}\n{ROWS}".encode(), b"out_channel0,16\nM,1\nR1,3\nconvblock1,1\nwidenfact1,0.5\nB1,2\n"]
    values, refusals = survive(tmp_path / "made.csv", damaged(files, COUNT, 21, TOKENS), read_configurations)
    assert values > 10
    assert refusals > 10
