from __future__ import annotations

import dataclasses
import json

import pytest

from ohmnas.errors import InvalidValueError
from ohmnas.spaces.resnet.architecture import Architecture, MainBlock
from ohmnas.spaces.resnet.references import REFERENCES, reference


@pytest.mark.parametrize("name", REFERENCES)
def test_json_gives_the_architecture_back(name: str) -> None:
    one = reference(name)
    assert Architecture.from_json(one.to_json()) == one


def test_it_prints_what_it_is() -> None:
    assert str(reference("resnet20")) == (
        "stem 16@3x3 | 3x[basic 16]+skip | 3x[basic 32]+skip | 3x[basic 64]+skip, depth 20"
    )
    assert "x4 branches" in str(reference("resnext29-4"))


@pytest.mark.parametrize("depth", [8, 14, 20, 32, 44, 56])
def test_depth_counts_as_the_names_of_resnets_do(depth: int) -> None:
    assert reference(f"resnet{depth}").depth == depth


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("residual_blocks", 0),
        ("residual_blocks", 17),
        ("branches", 13),
        ("branches", 2.0),
        ("widening", 5),
        ("conv_type", "C"),
        ("skip", 1),
        ("skip", None),
        ("residual_blocks", True),
    ],
)
def test_a_block_out_of_range_names_its_field(field: str, value: object) -> None:
    good = {"residual_blocks": 1, "branches": 1, "conv_type": "A", "widening": 1, "skip": True}
    with pytest.raises(InvalidValueError, match=field):
        MainBlock(**{**good, field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("field", "value"), [("stem_channels", 7), ("stem_channels", 129), ("stem_kernel", 4), ("blocks", [])]
)
def test_a_stem_out_of_range_names_its_field(field: str, value: object) -> None:
    values = {**reference("resnet8").to_dict(), field: value}
    with pytest.raises(InvalidValueError, match=field.replace("blocks", "main blocks")):
        Architecture.from_dict(values)


@pytest.mark.parametrize("text", ["", "[]", "3", "{}", '{"blocks": 1}', '{"blocks": [{}], "stem_kernel": 3}'])
def test_invalid_architectures_are_refused(text: str) -> None:
    with pytest.raises(InvalidValueError):
        Architecture.from_json(text)


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="colour"):
        Architecture.from_dict({**reference("resnet8").to_dict(), "colour": 1})


def test_it_cannot_be_changed() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        reference("resnet8").stem_channels = 9  # type: ignore[misc]
    assert json.loads(reference("resnet8").to_json())["stem_channels"] == 16
