"""The contract of a technology, for every one of ours."""

from __future__ import annotations

import pytest

from ohmnas.hardware import TECHNOLOGIES, Technology
from ohmnas.testing import TechnologyContract

pytest.importorskip("aihwkit")


class TestPcm(TechnologyContract):
    name = "pcm"

    def make(self) -> Technology:
        return TECHNOLOGIES[self.name]


class TestHermes(TestPcm):
    name = "hermes"


class TestReram(TestPcm):
    name = "reram"


def test_every_technology_of_ours_is_here() -> None:
    kinds: list[type[TestPcm]] = [TestPcm, *TestPcm.__subclasses__()]
    assert {kind.name for kind in kinds} == {*TECHNOLOGIES.own}
