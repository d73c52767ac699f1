"""Configurations and CSV files of IBM/analog-nas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ohmnas.datasets.tables.analognas import from_configuration, read_configurations
from ohmnas.errors import BrokenFileError, InvalidValueError

HEADER = (
    "out_channel0,M,R1,R2,R3,R4,R5,convblock1,widenfact1,B1,convblock2,widenfact2,B2,convblock3,widenfact3,B3,"
    "convblock4,widenfact4,B4,convblock5,widenfact5,B5"
)
ROW = "39,2,5,4,0,0,0,A,2,1,B,3,7,0,0,0,0,0,0,0,0,0"
TYPE_D = "39,1,5,0,0,0,0,D,2,1,0,0,0,0,0,0,0,0,0,0,0,0"


def configuration(**changes: Any) -> dict[str, Any]:
    values = dict(zip(HEADER.split(","), ROW.split(","), strict=True))
    return {**values, **changes}


def test_a_configuration_is_our_architecture() -> None:
    architecture = from_configuration(configuration())
    assert str(architecture) == ("stem 39@7x7 | 5x[basic 78]+skip | 4x[bottleneck 234 x7 branches]+skip, depth 24")


def test_numbers_and_fractions_are_those_of_the_published_code() -> None:
    """Type 1 is basic; dividing by 0.5 doubles."""
    values = configuration(out_channel0=16, M=1, R1=3, convblock1=1, widenfact1=0.5, B1=2)
    assert str(from_configuration(values)) == "stem 16@7x7 | 3x[basic 32 x2 branches]+skip, depth 8"


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"convblock1": "C"}, "convblock1 is 'C', but the space has only blocks of type A"),
        ({"widenfact2": 0.7}, "widenfact2 is 0.7, which makes 111 of 78 channels"),
        ({"R1": 0}, "main block 1: residual_blocks"),
        ({"R1": 1.5}, "R1 is 1.5, not a whole number"),
        ({"M": 6}, "M is 6"),
        ({"out_channel0": 4}, "stem_channels"),
        ({"B2": "many"}, "B2 is 'many'"),
    ],
)
def test_architectures_outside_the_space_are_refused_by_name(changes: dict[str, Any], match: str) -> None:
    with pytest.raises(InvalidValueError, match=match):
        from_configuration(configuration(**changes))


def test_a_missing_key_is_named() -> None:
    values = configuration()
    del values["B2"]
    with pytest.raises(InvalidValueError, match="has no B2"):
        from_configuration(values)


def test_a_csv_is_converted_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "cifar10_dataset.csv"
    labels = ",1_day_accuracy,1_day_accuracy_std,AVM"
    path.write_text(f"{HEADER}{labels}\n{ROW},0.91,0.05,6.65\n{TYPE_D},0.5,0.1,10\n")
    found = read_configurations(path)
    assert [one.stem_channels for one in found.architectures] == [39]
    assert found.labels[0] == pytest.approx({"accuracy_1d": 0.91, "accuracy_1d_std": 0.05, "avm": 0.0665})
    assert [*found.refused] == [2]
    assert found.refused[2].startswith("convblock1 is 'D'")


def test_a_configuration_may_be_written_as_keys_and_values(tmp_path: Path) -> None:
    path = tmp_path / "resnet.csv"
    path.write_text("\n".join(f"{key},{value}" for key, value in configuration().items()))
    assert read_configurations(path).architectures == (from_configuration(configuration()),)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", f"{HEADER}\n1,2\n", f"{HEADER},AVM\n{ROW},much\n"])
def test_other_files_are_one_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "made.csv"
    path.write_text(text)
    with pytest.raises(BrokenFileError):
        read_configurations(path)
