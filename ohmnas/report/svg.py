"""`Chart`: a chart with two axes as SVG. Colours are CSS classes, which the page's style sheet defines.

A chart fills the width of its place on the page. Horizontal positions are percentages of this width. Text and marks
therefore keep their size in pixels on a phone. SVG paths and polygons cannot use percentages: lines and areas are drawn
on a width of `_SPAN` units, which the browser stretches.

All text is escaped. There are no style attributes, because the page's content security policy forbids them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from markupsafe import Markup

from ohmnas.report.axes import Axis

HEIGHT: Final = 300
_NARROWEST: Final = 224.0
"""Width in pixels of the area within the axes on a small phone. Labels that do not touch there never touch."""
_NARROWEST_NAMED: Final = 192.0
"""The same for charts whose vertical ticks are names."""
_SPAN: Final = 1000
"""Width of the area within the axes in the units of lines and areas."""
_TOP: Final = 10
_TITLE: Final = 20
"""Room in pixels for the title of the vertical axis, above the axis."""
_BOTTOM: Final = 44
_LETTER: Final = 6.6
"""Estimated mean width of a letter in pixels."""
_CAP: Final = 3.0
"""Half the width in pixels of the caps of an interval."""
_LEFT: Final = 58
"""Room in pixels for the ticks of the vertical axis; the same as in the style sheet."""
_LARGE: Final = 3.0
"""Smallest radius in pixels of marks that names avoid if possible."""
_GAP: Final = 3.0
"""Smallest distance in pixels between two labels."""
_FAR: Final = 18.0
"""Distance in pixels beyond which a line leads from a point to its name."""
_PLACES: Final = tuple((dx, dy) for dy in (4.0, 18.0, -10.0, 32.0, -24.0, 46.0, 60.0, 74.0) for dx in (9.0, -9.0))
"""Places of a name relative to its point in pixels, best first."""
_CLEAR: Final = 7.0
"""Distance in pixels of a leader from the centre of its mark."""
_EDGE: Final = 12.0
"""Room in pixels to the right of the axes."""

Point = tuple[float, float]


class Chart:
    """A chart to draw on. Coordinates are values of the axes."""

    def __init__(self, x: Axis, y: Axis, label: str, height: int = HEIGHT, has_names: bool = False):
        """Draw the axes.

        Args:
            x: horizontal axis.
            y: vertical axis.
            label: what the chart shows, for screen readers.
            height: height in pixels.
            has_names: True if the ticks of the vertical axis are names, which need more room.
        """
        self._x, self._y, self._label = x, y, label
        self._height, self._has_names = height, has_names
        self._narrowest = _NARROWEST_NAMED if has_names else _NARROWEST
        self._top = _TOP + (_TITLE if y.label else 0)
        self._plot = height - self._top - _BOTTOM
        self._parts: list[Markup] = []
        self._taken: list[tuple[float, float, float, float]] = []
        self._names: list[tuple[float, float, float, float]] = []
        self._draw_axes()

    def _py(self, value: float) -> float:
        return self._top + self._plot * (1.0 - self._y.share(value))

    def _draw_axes(self) -> None:
        bottom = self._height - _BOTTOM
        add = self._parts.append
        free = -_EDGE
        for value, text in self._x.ticks:
            share = self._x.share(value)
            add(
                fill(
                    '<line class="grid" x1="{0:.2f}%" x2="{0:.2f}%" y1="{1}" y2="{2}"/>', 100 * share, self._top, bottom
                )
            )
            at, half = self._narrowest * share, _LETTER * len(text) / 2
            is_last = at + half > self._narrowest + _EDGE
            left = at - 2 * half if is_last else at - half
            if left >= free:  # labels must not touch
                anchor = "end" if is_last else "middle"
                add(
                    fill(
                        '<text class="tick {3}" x="{0:.2f}%" y="{1}">{2}</text>', 100 * share, bottom + 16, text, anchor
                    )
                )
                free = left + 2 * half + _GAP
        for value, text in self._y.ticks:
            y = self._py(value)
            add(fill('<line class="grid" x1="0%" x2="100%" y1="{0:.1f}" y2="{0:.1f}"/>', y))
            add(fill('<text class="tick end" x="-6" y="{0:.1f}">{1}</text>', y + 4, text))
        add(fill('<text class="label middle" x="50%" y="{0}">{1}</text>', self._height - 8, self._x.label))
        if self._y.label:
            add(fill('<text class="label" x="{0}" y="{1}">{2}</text>', -_LEFT, _TOP + 2, self._y.label))
        add(fill('<line class="axis" x1="0%" x2="0%" y1="{0}" y2="{1}"/>', self._top, bottom))
        add(fill('<line class="axis" x1="0%" x2="100%" y1="{0}" y2="{0}"/>', bottom))

    def line(self, points: Iterable[Point], kind: str, step: bool = False) -> None:
        """Draw a line; with `step`, each value is kept until the next point."""
        places = [self._stretched(*point) for point in points]
        if not places:
            return
        path = [f"M{places[0][0]:.1f} {places[0][1]:.1f}"]
        path += [f"H{x:.1f}V{y:.1f}" if step else f"L{x:.1f} {y:.1f}" for x, y in places[1:]]
        self._stretch(fill('<path class="line {0}" d="{1}"/>', kind, "".join(path)))

    def band(self, lower: Sequence[Point], upper: Sequence[Point], kind: str) -> None:
        """Fill the area between two lines."""
        around = [self._stretched(*point) for point in (*lower, *reversed(upper))]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in around)
        self._stretch(fill('<polygon class="band {0}" points="{1}"/>', kind, points))

    def _stretched(self, x: float, y: float) -> Point:
        return _SPAN * self._x.share(x), self._py(y)

    def _stretch(self, part: Markup) -> None:
        head = fill(
            '<svg class="stretched" viewBox="0 0 {0} {1}" width="100%" height="{1}" preserveAspectRatio="none">',
            _SPAN,
            self._height,
        )
        self._parts.append(head + part + Markup("</svg>"))

    def bar(self, start: Point, end: Point, kind: str) -> None:
        """Draw a straight line from one point to another, such as an interval."""
        (x1, y1), (x2, y2) = ((100 * self._x.share(x), self._py(y)) for x, y in (start, end))
        self._parts.append(
            fill('<line class="bar {0}" x1="{1:.2f}%" y1="{2:.1f}" x2="{3:.2f}%" y2="{4:.1f}"/>', kind, x1, y1, x2, y2)
        )

    def interval(self, low: Point, high: Point, kind: str) -> None:
        """Draw a vertical line with caps from `low` up to `high`, which has the same x."""
        share, below, above = self._x.share(low[0]), self._py(low[1]), self._py(high[1])
        across = f"h{2 * _CAP:g}"
        self._parts.append(
            fill(
                '<svg x="{0:.2f}%"><path class="bar {1}" '
                'd="M0 {2:.1f}V{3:.1f}M{4:g} {2:.1f}{5}M{4:g} {3:.1f}{5}"/></svg>',
                100 * share,
                kind,
                below,
                above,
                -_CAP,
                across,
            )
        )

    def dot(self, at: Point, kind: str, radius: float = 4.0, network: str = "") -> None:
        """Draw a round mark; `network` is the id of the network that it shows, or empty."""
        if radius >= _LARGE:
            x, y = self._narrowest * self._x.share(at[0]), self._py(at[1])
            self._taken.append((x - radius, y - radius, x + radius, y + radius))
        named = fill(' data-net="{0}"', network) if network else Markup()
        self._parts.append(
            fill(
                '<circle class="dot {0}" cx="{1:.2f}%" cy="{2:.1f}" r="{3:g}"{4}/>',
                kind,
                100 * self._x.share(at[0]),
                self._py(at[1]),
                radius,
                named,
            )
        )

    def name(self, at: Point, text: str, kind: str) -> None:
        """Write a name beside a point inside the chart, preferably where it covers no large mark.

        A name never covers another name: if there is no room, it is left out.
        """
        share, y = self._x.share(at[0]), self._py(at[1])
        x, wide = self._narrowest * share, _LETTER * len(text)
        for avoided in ([*self._taken, *self._names], self._names):
            for dx, dy in _PLACES:
                left = x + dx if dx > 0 else x + dx - wide
                box = (left, y + dy - 11, left + wide, y + dy + 3)
                ends = _leader((x, y), (x + dx, y + dy - 4))
                crosses = abs(dy) > _FAR and any(_crosses(*ends, other) for other in avoided)
                if self._contains(box) and not crosses and not any(_overlap(box, other) for other in avoided):
                    self._names.append(box)
                    self._write(text, kind, (share, y), (dx, dy), ends)
                    return

    def _contains(self, box: tuple[float, float, float, float]) -> bool:
        right, bottom = self._narrowest + _EDGE, self._height - _BOTTOM
        return box[0] >= 0.0 and box[2] <= right and box[1] >= self._top and box[3] <= bottom

    def _write(self, text: str, kind: str, at: Point, shift: Point, ends: tuple[Point, Point]) -> None:
        """Write a name beside a point; a line leads to it if it is far away.

        Args:
            text: the name.
            kind: its CSS class.
            at: the point: share of the width, and y in pixels.
            shift: distance of the name from the point in pixels.
            ends: ends of the line.
        """
        (share, y), (dx, dy) = at, shift
        if abs(dy) > _FAR:
            leader = '<svg x="{0:.2f}%"><path class="leader" d="M{1:.1f} {2:.1f}L{3:.1f} {4:.1f}"/></svg>'
            x, ((x1, y1), (x2, y2)) = self._narrowest * share, ends
            self._parts.append(fill(leader, 100 * share, x1 - x, y1, x2 - x, y2))
        template = '<text class="note {0}{1}" x="{2:.2f}%" dx="{3:g}" y="{4:.1f}">{5}</text>'
        self._parts.append(fill(template, kind, "" if dx > 0 else " end", 100 * share, dx, y + dy, text))

    def markup(self) -> Markup:
        """Return the SVG element."""
        kind = "chart named" if self._has_names else "chart"
        head = fill('<svg class="{0}" height="{1}" role="img" aria-label="{2}">', kind, self._height, self._label)
        return head + Markup().join(self._parts) + Markup("</svg>")


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _leader(start: Point, end: Point) -> tuple[Point, Point]:
    """Return both ends of a line from a mark to a name, outside the mark."""
    (x1, y1), (x2, y2) = start, end
    length = max(((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5, 1.0)
    share = _CLEAR / length
    return (x1 + share * (x2 - x1), y1 + share * (y2 - y1)), (x2 - (2.0 if x2 > x1 else -2.0), y2)


def _crosses(start: Point, end: Point, box: tuple[float, float, float, float]) -> bool:
    """Return True if the line crosses the box. Only points at tenths of its length are checked."""
    return any(
        box[0] < start[0] + share * (end[0] - start[0]) < box[2]
        and box[1] < start[1] + share * (end[1] - start[1]) < box[3]
        for share in (step / 10 for step in range(1, 10))
    )


def element(width: float, height: float, label: str, parts: Iterable[Markup], kind: str) -> Markup:
    """Return an SVG element of a fixed size.

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
    """Fill a constant template with escaped values."""
    return Markup(template).format(*values)  # noqa: S704 - the template is a constant
