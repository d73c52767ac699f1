"""Which number format is chosen."""

from __future__ import annotations

import pytest

from ohmnas.analog import precision
from ohmnas.analog.precision import SMALLEST_IMAGE, fastest, has_bfloat16


@pytest.mark.parametrize("there", [True, False])
def test_bfloat16_is_for_large_images_on_cpus_that_have_it(there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda: there)
    assert fastest(SMALLEST_IMAGE - 1) == "float32"
    assert fastest(SMALLEST_IMAGE) == ("bfloat16" if there else "float32")


def test_a_machine_that_does_not_tell_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_: object, **__: object) -> str:
        raise OSError

    has_bfloat16.cache_clear()
    monkeypatch.setattr("pathlib.Path.read_text", closed)
    assert not has_bfloat16()
    has_bfloat16.cache_clear()
