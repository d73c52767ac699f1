"""Which number format is chosen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
import torch

from ohmnas.analog import precision
from ohmnas.analog.precision import EXACT_BITS, SMALLEST_IMAGE, fastest, has_bfloat16, tf32
from ohmnas.hardware import Hardware


@pytest.mark.parametrize("there", [True, False])
def test_bfloat16_is_for_large_images_on_cpus_that_have_it(there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda: there)
    assert fastest("cpu", SMALLEST_IMAGE - 1, Hardware()) == "float32"
    assert fastest("cpu", SMALLEST_IMAGE, Hardware()) == ("bfloat16" if there else "float32")


@pytest.mark.parametrize("there", [True, False])
def test_tf32_is_for_gpus_that_have_it(there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "has_tf32", lambda _: there)
    assert fastest("cuda", 64, Hardware()) == ("tf32" if there else "float32")


@pytest.mark.parametrize(
    ("device", "wanted", "converter"),
    [("cpu", "bfloat16", "dac_bits"), ("cpu", "bfloat16", "adc_bits"), ("cuda", "tf32", "dac_bits")],
)
def test_the_levels_of_converters_are_exact_in_the_format(
    device: str, wanted: str, converter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda: True)
    monkeypatch.setattr(precision, "has_tf32", lambda _: True)
    most = EXACT_BITS[wanted]
    chips = [replace(Hardware(), **cast(Any, {converter: bits})) for bits in (most, 0, most + 1)]
    assert [fastest(device, SMALLEST_IMAGE, chip) for chip in chips] == [wanted, "float32", "float32"]


def test_outputs_of_an_adc_are_not_rounded_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "has_tf32", lambda _: True)
    assert fastest("cuda", 64, replace(Hardware(), adc_bits=0)) == "tf32"


def test_nine_bits_are_what_bfloat16_holds() -> None:
    for bits in range(2, 13):
        levels = torch.arange(2 ** (bits - 1), dtype=torch.float32)
        exact = torch.equal(levels.to(torch.bfloat16).to(torch.float32), levels)
        assert exact == (bits <= EXACT_BITS["bfloat16"])


@pytest.mark.parametrize("allowed", [True, False])
def test_tf32_is_allowed_as_long_as_a_block_runs(allowed: bool) -> None:
    before = torch.backends.cudnn.allow_tf32
    with tf32(allowed):
        assert torch.backends.cudnn.allow_tf32 == allowed
    assert torch.backends.cudnn.allow_tf32 == before


def test_a_machine_that_does_not_tell_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: object, **__: object) -> str:
        raise OSError

    has_bfloat16.cache_clear()
    monkeypatch.setattr("pathlib.Path.read_text", closed)
    assert not has_bfloat16()
    has_bfloat16.cache_clear()
