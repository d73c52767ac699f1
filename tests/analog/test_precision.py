"""Which number format is chosen."""

from __future__ import annotations

import pytest
import torch

from ohmnas.analog import precision
from ohmnas.analog.precision import EXACT_BITS, SMALLEST_IMAGE, fastest, has_bfloat16, tf32


@pytest.mark.parametrize("there", [True, False])
def test_bfloat16_is_for_large_images_on_cpus_that_have_it(there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda: there)
    assert fastest("cpu", SMALLEST_IMAGE - 1, 8) == "float32"
    assert fastest("cpu", SMALLEST_IMAGE, 8) == ("bfloat16" if there else "float32")


@pytest.mark.parametrize("there", [True, False])
def test_tf32_is_for_gpus_that_have_it(there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "has_tf32", lambda: there)
    assert fastest("cuda", 64, 8) == ("tf32" if there else "float32")


@pytest.mark.parametrize(("device", "wanted"), [("cpu", "bfloat16"), ("cuda", "tf32")])
def test_the_levels_of_a_dac_are_exact_in_the_format(device: str, wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda: True)
    monkeypatch.setattr(precision, "has_tf32", lambda: True)
    bits = EXACT_BITS[wanted]
    assert fastest(device, SMALLEST_IMAGE, bits) == wanted
    assert [fastest(device, SMALLEST_IMAGE, other) for other in (0, bits + 1)] == ["float32"] * 2


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
