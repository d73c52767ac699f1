"""Scale drawings of a network: from left to right for wide windows, from top to bottom for narrow ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from markupsafe import Markup

from ohmnas.report.svg import element, fill
from ohmnas.search.candidate import Candidate
from ohmnas.spaces.space import Space
from ohmnas.spaces.stages import Box, Scale, Sketch, Stage, sketch, small_sketch

_WIDTHS: Final = (560, 700, 840, 980, 1130)
"""Widths in pixels of wide drawings. For each, the style sheet sets the narrowest window that shows the drawing."""
_BAR_WIDTH: Final = 100.0
"""Width in pixels of the widest layer in the upright drawing."""
_BAR_HEIGHT: Final = (2.0, 9.0)
"""Smallest and largest height of a layer in pixels."""
_BARS_HEIGHT: Final = 300.0
"""Total height of all layers in pixels, unless `_BAR_HEIGHT` limits the height of a layer."""
_BLOCK_GAP: Final = 5.0
_ARC: Final = 12.0
_SIDE: Final = 28.0
"""Side in pixels of the square that shows the largest resolution."""
_SHARE: Final = (60.0, 9.0)
"""Width and height in pixels of the bar that shows the share of the parameters."""

SMALL_WIDTH: Final = 180
SMALL_HEIGHT: Final = 40


def network_drawing(space: Space, candidate: Candidate, scale: Scale | None = None) -> Markup:
    """Return both drawings of a network; the style sheet shows the one that fits the window.

    The page does not scale the drawings, so their text has the same size as the text of charts.

    Args:
        space: space of the candidate.
        candidate: the network.
        scale: scale of channels and pixels; None fits the network.
    """
    layers = space.networks.layers(candidate.network[None])
    each = layers.count[0] * (layers.inputs[0] * layers.outputs[0] + layers.digital[0])
    stages, params = space.stages(candidate.architecture), dict(enumerate(each.tolist()))
    scale = scale or Scale.of(stages)
    drawn = sketch(stages, params, scale)
    wide = next((f"from{width}" for width in _WIDTHS if drawn.width <= width), "from-any")
    label = f"The network {candidate.architecture}, to scale"
    return (
        fill('<div class="network {0}">', wide)
        + element(drawn.width, drawn.height, label, _parts(drawn), "across")
        + _upright(stages, params, scale)
        + Markup("</div>")
    )


def _upright(stages: Sequence[Stage], params: Mapping[int, int], scale: Scale) -> Markup:
    """Return a list of stages, each with its layers as horizontal bars and its text beside them."""
    bars = [bar for stage in stages for block in stage.blocks for bar in block]
    high = min(max(_BARS_HEIGHT / max(len(bars), 1), _BAR_HEIGHT[0]), _BAR_HEIGHT[1])
    total = max(sum(params.values()), 1)
    parts = []
    for stage in stages:
        own = sum(params[kind] for kind in stage.kinds)
        words = [fill("<b>{0}</b>", stage.title), *(fill("<span>{0}</span>", line) for line in stage.lines)]
        if stage.side:
            tall, wide = (_SIDE * side / scale.pixels for side in stage.side)
            pixels = f"{stage.side[0]}x{stage.side[1]} pixels"
            words.append(_with_text(Box(0.0, 0.0, wide, tall, "pixels"), text=pixels))
        words.append(_share(own, own / total))
        parts += [Markup("<li>"), _bars(stage, scale.channels, high), Markup("<div>"), *words, Markup("</div></li>")]
    return Markup('<ol class="upright">') + Markup().join(parts) + Markup("</ol>")


def _bars(stage: Stage, widest: int, high: float) -> Markup:
    """Draw the layers of a stage from top to bottom; branches are side by side, and skips are arcs on the right."""
    parts, y = [], 0.0
    for block in stage.blocks:
        begin, longest = y, 0.0
        for bar in block:
            each = _BAR_WIDTH * bar.channels / widest
            gap = 0.0 if bar.branches == 1 else min(1.0, each / 4)
            left = (_BAR_WIDTH - each * bar.branches) / 2
            longest = max(longest, each * bar.branches)
            parts += [
                _rectangle(Box(left + branch * each, y, max(each - gap, 0.4), high - min(1.0, high / 5), bar.kind))
                for branch in range(bar.branches)
            ]
            y += high
        if stage.skip:
            arc = '<path class="arc" d="M{0:.1f} {1:.1f}q{2:.1f} {3:.1f} 0 {4:.1f}"/>'
            right, tall = (_BAR_WIDTH + longest) / 2 + 2.0, y - begin
            parts.append(fill(arc, right, begin, 2 * min(_ARC, tall), tall / 2, tall))
        y += _BLOCK_GAP
    layers = sum(len(block) for block in stage.blocks)
    label = f"{stage.title}: {layers} layer{'' if layers == 1 else 's'}"
    return element(_BAR_WIDTH + _ARC + 4.0, max(y - _BLOCK_GAP, high), label, parts, "bars")


def _share(params: int, share: float) -> Markup:
    """Return a bar for the share of the parameters, with its number."""
    wide, high = _SHARE
    boxes = Box(0.0, 0.0, wide, high, "track"), Box(0.0, 0.0, wide * share, high, "share")
    return _with_text(*boxes, text=f"{params:,} ({100 * share:.0f} %)")


def _with_text(*boxes: Box, text: str) -> Markup:
    """Return rectangles with text beside them."""
    width, height = max(box.x + box.width for box in boxes), max(box.y + box.height for box in boxes)
    drawn = Markup().join(_rectangle(box) for box in boxes)
    head = fill('<span class="measure"><svg width="{0:.1f}" height="{1:.1f}" aria-hidden="true">', width, height)
    return head + drawn + fill("</svg>{0}</span>", text)


def _parts(drawn: Sketch) -> list[Markup]:
    parts = [_rectangle(box) for box in drawn.boxes]
    parts += [
        fill(
            '<path class="arc" d="M{0:.1f} {1:.1f}Q{2:.1f} {3:.1f} {4:.1f} {1:.1f}"/>',
            arc.left,
            arc.y,
            (arc.left + arc.right) / 2,
            arc.y - 2 * arc.height,
            arc.right,
        )
        for arc in drawn.arcs
    ]
    parts += [
        fill(
            '<text class="middle {0}" x="{1:.1f}" y="{2:.1f}">{3}</text>',
            "strong" if label.strong else "tick",
            label.x,
            label.y,
            label.text,
        )
        for label in drawn.labels
    ]
    return parts


def _rectangle(box: Box) -> Markup:
    return fill(
        '<rect class="k-{0}" x="{1:.1f}" y="{2:.1f}" width="{3:.1f}" height="{4:.2f}"/>',
        box.kind,
        box.x,
        box.y,
        box.width,
        box.height,
    )


def small_network(space: Space, candidate: Candidate) -> list[tuple[int, int, int, int, int]]:
    """Return x, y, width, height and kind of each box of a small drawing, for the page's script."""
    return small_sketch(space.stages(candidate.architecture), SMALL_WIDTH, SMALL_HEIGHT)
