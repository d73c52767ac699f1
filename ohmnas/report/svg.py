"""`Chart`: a chart with two axes as SVG. Colours are classes; the page's style sheet defines them.

All text is escaped. There are no style attributes, because the page's content security policy forbids them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from markupsafe import Markup

from ohmnas.report.axes import Axis

WIDTH: Final = 440
HEIGHT: Final = 300
_LEFT: Final = 58
_RIGHT: Final = 14
_TOP: Final = 12
_BOTTOM: Final = 44
_LETTER: Final = 6.3
"""Mean width of a letter of a tick."""

Point = tuple[float, float]


class Chart:
    """A chart to draw on. Coordinates are values of the axes."""

    def __init__(self, x: Axis, y: Axis, label: str, width: int = WIDTH, height: int = HEIGHT, left: int = _LEFT):
        """Draw the axes.

        Args:
            x: horizontal axis.
            y: vertical axis.
            label: what the chart shows, for screen readers.
            width: width in pixels.
            height: height in pixels.
            left: room for the ticks of the vertical axis.
        """
        self._x, self._y, self._label = x, y, label
        self._width, self._height, self._left = width, height, left
        self._parts: list[Markup] = []
        self._names: list[tuple[float, float, float, float]] = []
        self._draw_axes()

    def _px(self, value: float) -> float:
        return self._left + (self._width - self._left - _RIGHT) * self._x.share(value)

    def _py(self, value: float) -> float:
        return self._height - _BOTTOM - (self._height - _BOTTOM - _TOP) * self._y.share(value)

    def _draw_axes(self) -> None:
        bottom, right = self._height - _BOTTOM, self._width - _RIGHT
        add = self._parts.append
        free = 0.0
        for value, text in self._x.ticks:
            at = self._px(value)
            add(fill('<line class="grid" x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>', at, _TOP, bottom))
            half = _LETTER * len(text) / 2
            if at - half >= free:  # labels must not touch
                anchor = "end" if at + half > self._width else "middle"
                add(fill('<text class="tick {3}" x="{0:.1f}" y="{1}">{2}</text>', at, bottom + 16, text, anchor))
                free = at + half + _LETTER
        for value, text in self._y.ticks:
            at = self._py(value)
            add(fill('<line class="grid" x1="{0}" x2="{1}" y1="{2:.1f}" y2="{2:.1f}"/>', self._left, right, at))
            add(fill('<text class="tick end" x="{0}" y="{1:.1f}">{2}</text>', self._left - 6, at + 4, text))
        middle = (self._left + right) / 2
        add(fill('<text class="label middle" x="{0:.0f}" y="{1}">{2}</text>', middle, self._height - 8, self._x.label))
        add(
            fill(
                '<text class="label middle" transform="translate(13 {0:.0f}) rotate(-90)">{1}</text>',
                (bottom + _TOP) / 2,
                self._y.label,
            )
        )
        add(fill('<path class="axis" d="M{0} {1}V{2}H{3}"/>', self._left, _TOP, bottom, right))

    def line(self, points: Iterable[Point], kind: str, step: bool = False) -> None:
        """Draw a line; with `step`, each value is kept until the next point."""
        pixels = [(self._px(x), self._py(y)) for x, y in points]
        if not pixels:
            return
        path = [f"M{pixels[0][0]:.1f} {pixels[0][1]:.1f}"]
        path += [f"H{x:.1f}V{y:.1f}" if step else f"L{x:.1f} {y:.1f}" for x, y in pixels[1:]]
        self._parts.append(fill('<path class="line {0}" d="{1}"/>', kind, "".join(path)))

    def band(self, lower: Sequence[Point], upper: Sequence[Point], kind: str) -> None:
        """Fill the area between two lines."""
        around = [*lower, *reversed(upper)]
        points = " ".join(f"{self._px(x):.1f},{self._py(y):.1f}" for x, y in around)
        self._parts.append(fill('<polygon class="band {0}" points="{1}"/>', kind, points))

    def bar(self, start: Point, end: Point, kind: str) -> None:
        """Draw a straight line from one point to another, such as an interval."""
        (x1, y1), (x2, y2) = ((self._px(x), self._py(y)) for x, y in (start, end))
        self._parts.append(
            fill('<line class="bar {0}" x1="{1:.1f}" y1="{2:.1f}" x2="{3:.1f}" y2="{4:.1f}"/>', kind, x1, y1, x2, y2)
        )

    def dot(self, at: Point, kind: str, radius: float = 4.0, network: str = "") -> None:
        """Draw a round mark; `network` is the id of the network that it stands for."""
        named = fill(' data-net="{0}"', network) if network else Markup()
        self._parts.append(
            fill(
                '<circle class="dot {0}" cx="{1:.1f}" cy="{2:.1f}" r="{3:g}"{4}/>',
                kind,
                self._px(at[0]),
                self._py(at[1]),
                radius,
                named,
            )
        )

    def name(self, at: Point, text: str, kind: str) -> None:
        """Write a name beside a point, inside the chart and clear of other names; omitted if there is no such place."""
        x, y = self._px(at[0]), self._py(at[1])
        wide = _LETTER * len(text)
        right, bottom = self._width - _RIGHT, self._height - _BOTTOM
        places = [(dx, dy) for dy in (4, 18, -10, 32, -24, 46, 60, 74) for dx in (9.0, -9.0 - wide)]
        for dx, dy in places:
            box = (x + dx, y + dy - 11, x + dx + wide, y + dy + 3)
            inside = box[0] >= self._left and box[2] <= right and box[1] >= _TOP and box[3] <= bottom
            if inside and not any(_overlap(box, other) for other in self._names):
                self._names.append(box)
                self._parts.append(
                    fill('<text class="note {0}" x="{1:.1f}" y="{2:.1f}">{3}</text>', kind, x + dx, y + dy, text)
                )
                return

    def markup(self) -> Markup:
        """Return the SVG element."""
        return element(self._width, self._height, self._label, self._parts, "chart")


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def element(width: float, height: float, label: str, parts: Iterable[Markup], kind: str) -> Markup:
    """Return an SVG element that scales with its container.

    Args:
        width: width in pixels.
        height: height in pixels.
        label: what it shows, for screen readers.
        parts: its contents.
        kind: its class.
    """
    head = fill(
        '<svg class="{0}" viewBox="0 0 {1:.0f} {2:.0f}" width="{1:.0f}" height="{2:.0f}" role="img" aria-label="{3}">',
        kind,
        width,
        height,
        label,
    )
    return head + Markup().join(parts) + Markup("</svg>")


def fill(template: str, *values: object) -> Markup:
    """Fill a constant template; values are escaped."""
    return Markup(template).format(*values)  # noqa: S704 - the template is a constant
