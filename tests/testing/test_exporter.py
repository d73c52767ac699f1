"""The contract of an exporter, for every one of ours."""

from __future__ import annotations

from typing import ClassVar

import pytest

from ohmnas.export import EXPORTERS, Exporter
from ohmnas.testing import ExporterContract

pytest.importorskip("aihwkit")


class TestTorch(ExporterContract):
    name: ClassVar[str] = "torch"

    def make(self) -> Exporter:
        return EXPORTERS[self.name]


class TestHub(TestTorch):
    name = "hub"


class TestAihwkit(TestTorch):
    name = "aihwkit"
    compares = False


@pytest.mark.slow
class TestOnnx(TestTorch):
    name = "onnx"

    def make(self) -> Exporter:
        pytest.importorskip("onnxruntime")
        pytest.importorskip("onnxscript")
        return EXPORTERS[self.name]


def test_every_exporter_of_ours_is_here() -> None:
    assert {TestTorch.name, *(kind.name for kind in TestTorch.__subclasses__())} == {*EXPORTERS.own}
