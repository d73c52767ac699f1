"""Draw figures in one style and save them. The figures do not use pyplot, so the backend of a notebook is not affected.

Each colour has the same meaning in all pictures and reports. Most come from Okabe and Ito (2008) and from Tol's muted
scheme (2021). People with any kind of colour vision can tell them apart.
"""

from __future__ import annotations

import io
import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ohmnas.errors import InvalidValueError
from ohmnas.files import write_bytes_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS: Final = ("png", "svg")
"""Formats of pictures."""
DPI = 120
FOUND: Final = "#0072b2"
"""Found networks, and the median of a table."""
REFERENCE: Final = "#d55e00"
"""Reference networks."""
OTHERS: Final = "#8c8c8c"
"""All other networks, such as the rows of a table."""
EFFECT: Final = "#5b5ea6"
"""Effects of choices, and importances of features."""
INK: Final = "#333333"
"""Text, axes and other parts without a colour of their own."""
LAYERS: Final = {
    "spatial": "#44aa99",
    "pointwise": "#7b5fb0",
    "linear": "#999933",
    "pixels": "#d9d9d9",
    "track": "#ececec",
    "share": "#666666",
}
"""Parts of a drawn network (`spaces.stages.Box.kind`) -> colour."""
GROUPS: Final = ("#56b4e9", "#e69f00", "#882255", "#117733", "#cc79a7", "#999933")
"""Groups of networks, such as those with and without skips."""
GROUP_MARKS: Final = ("o", "^", "s", "D", "v", "P")
"""Markers of the groups, which tell them apart even without colour."""
SCALE: Final = "cividis"
"""Colour map for a quantity."""
_STYLE: Final = {
    "axes.edgecolor": INK,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.labelcolor": INK,
    "axes.labelsize": "medium",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": "medium",
    "figure.titlesize": "medium",
    "font.size": 10.0,
    "grid.color": "#e5e5e5",
    "grid.linewidth": 0.6,
    "legend.fontsize": "small",
    "legend.frameon": False,
    "svg.hashsalt": "ohmnas",
    "text.color": INK,
    "xtick.color": INK,
    "xtick.labelsize": "small",
    "ytick.color": INK,
    "ytick.labelsize": "small",
}
_BACKEND = "MPLBACKEND"


@contextmanager
def drawing() -> Iterator[None]:
    """Draw in the style of this module, ignoring matplotlibrc and notebook styles.

    As a decorator, ``@drawing()``, it applies to the whole function.
    """
    _import_matplotlib()
    from matplotlib import style

    with style.context(["default", _STYLE], after_reset=True):
        yield


def _import_matplotlib() -> None:
    """Import Matplotlib even if `MPLBACKEND` names a backend that is not installed. No picture here needs a backend.

    Jupyter sets the variable for all programs that it starts, including those in other Python environments.
    """
    try:
        import matplotlib
    except ValueError:
        if _BACKEND not in os.environ:  # another setting is invalid
            raise
        for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
            del sys.modules[name]  # partly imported
        backend = os.environ.pop(_BACKEND)
        try:
            import matplotlib  # noqa: F401
        finally:
            os.environ[_BACKEND] = backend


def new_figure(width: float, height: float) -> Figure:
    """Create an empty figure of this size in inches, with automatic layout. Draw on it inside a `drawing` block."""
    _import_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def ticks_in_words(panel: Axes, axis: str) -> None:
    """Label the ticks of a logarithmic axis as 1k, 20k, 3M; at least two have a label.

    Args:
        panel: the axes.
        axis: ``x`` or ``y``.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    target = panel.xaxis if axis == "x" else panel.yaxis
    low, high = target.get_view_interval()
    decades = math.log10(max(high, 1e-300) / max(low, 1e-300))
    subs = (1.0,) if decades > 3 else (1.0, 3.0) if decades > 1.5 else (1.0, 2.0, 5.0) if decades > 0.8 else _FINE
    few = decades < 0.3
    target.set_major_locator(MaxNLocator(4) if few else LogLocator(subs=subs, numticks=8 if decades > 8 else 30))
    target.set_minor_locator(NullLocator())
    target.set_major_formatter(FuncFormatter(lambda value, _: short(value)))


_FINE: Final = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)


def short(value: float) -> str:
    """Format a number, with a unit prefix if it is large or small: 0.3, 950, 20k, 1.5M, 12µ."""
    if 1e-3 <= abs(value) < 1.0:
        return f"{value:.3g}"
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-6, "µ"), (1e-9, "n")):
        if abs(value) >= size * 0.9995:
            return f"{value / size:.3g}{unit}"
    return f"{value:g}"


def save(drawn: Figure, path: Path) -> None:
    """Write a figure atomically, as PNG or SVG; the suffix of the path sets the format.

    Raises:
        InvalidValueError: the suffix is neither ``.png`` nor ``.svg``.
        StorageError: the write failed.
    """
    kind = path.suffix.removeprefix(".")
    if kind not in FORMATS:
        raise InvalidValueError(f"the name of a picture must end with .{' or .'.join(FORMATS)}, not {path.name}")
    picture = io.BytesIO()
    drawn.savefig(picture, format=kind, dpi=DPI, metadata={"Date": None} if kind == "svg" else None)
    write_bytes_atomically(path, picture.getvalue())
