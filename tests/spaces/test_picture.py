from __future__ import annotations

import io

import pytest

from ohmnas.spaces.picture import draw
from ohmnas.spaces.resnet.references import REFERENCES
from tests.spaces.conftest import SPACE


@pytest.mark.parametrize("name", ["resnet8-w8", "resnext29-4", "resnet20"])
def test_a_network_is_drawn_and_written(name: str) -> None:
    figure = draw(SPACE, REFERENCES[name])
    words = " ".join(text.get_text() for panel in figure.axes for text in panel.texts)
    assert f"{REFERENCES[name].stem_channels} channels" in words
    assert "8x8 pixels" in words or "32x32 pixels" in words
    file = io.BytesIO()
    figure.savefig(file, format="svg")
    assert b"</svg>" in file.getvalue()


def test_the_largest_network_fits_too() -> None:
    (largest,) = SPACE.decode(SPACE.repair([[999] * 28]))  # type: ignore[arg-type]
    assert draw(SPACE, largest).get_size_inches().min() > 0
