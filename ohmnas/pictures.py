"""Drawing into files. Figures do not use pyplot, so a notebook's windows and backend are not affected."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ohmnas.files import write_bytes_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 120
_BACKEND = "MPLBACKEND"


@contextmanager
def drawing() -> Iterator[None]:
    """Draw with Matplotlib's default settings, ignoring matplotlibrc and notebook styles.

    As a decorator, ``@drawing()``, it holds for a whole function.
    """
    _import_matplotlib()
    from matplotlib import style

    with style.context("default", after_reset=True):
        yield


def _import_matplotlib() -> None:
    """Import Matplotlib even if `MPLBACKEND` names a missing backend; no picture here needs one.

    Jupyter sets the variable for all that it starts, also for programs of other environments.
    """
    try:
        import matplotlib
    except ValueError:
        if _BACKEND not in os.environ:  # another setting is wrong
            raise
        for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
            del sys.modules[name]  # half of it stayed behind
        backend = os.environ.pop(_BACKEND)
        try:
            import matplotlib  # noqa: F401
        finally:
            os.environ[_BACKEND] = backend


def new_figure(width: float, height: float) -> Figure:
    """Create an empty figure of this size in inches with automatic layout. Fill it inside `drawing`."""
    _import_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(drawn: Figure, path: Path) -> None:
    """Write a figure as PNG, atomically.

    Raises:
        StorageError: the disk refuses.
    """
    picture = io.BytesIO()
    drawn.savefig(picture, format="png", dpi=DPI)
    write_bytes_atomically(path, picture.getvalue())
