from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import pytest

from ohmnas.errors import StorageError
from ohmnas.pictures import new_figure, save


def test_a_figure_becomes_a_png_and_leaves_the_backend_alone(tmp_path: Path) -> None:
    before = mpl.get_backend()
    mpl.use("svg")
    figure = new_figure(2.0, 1.0)
    figure.subplots().plot([1, 2, 3])
    save(figure, tmp_path / "one.png")
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert mpl.get_backend() == "svg"
    mpl.use(before)


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot write"):
        save(new_figure(1.0, 1.0), tmp_path / "no" / "one.png")
