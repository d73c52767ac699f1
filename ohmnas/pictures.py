"""Drawing into files. Figures are made without pyplot, so that a notebook's windows and backend stay as they are."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from ohmnas.files import write_bytes_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 120


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches, whose parts make room for each other."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def save(drawn: Figure, path: Path) -> None:
    """Write a figure as PNG, in one piece.

    Raises:
        StorageError: the disk refuses.
    """
    picture = io.BytesIO()
    drawn.savefig(picture, format="png", dpi=DPI)
    write_bytes_atomically(path, picture.getvalue())
