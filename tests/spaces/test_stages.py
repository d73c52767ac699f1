from __future__ import annotations

from ohmnas.spaces.stages import Bar, Stage, side_of, sketch, small_sketch

STAGES = (
    Stage("stem", ("3x3",), ((Bar(8),),), (8, 8), {0: "stem"}),
    Stage("block", ("2 x basic",), ((Bar(8, branches=3), Bar(8, branches=3)),) * 2, (4, 4), {1: "a", 2: "b"}, True),
    Stage("linear", ("10 classes",), ((Bar(10, "linear"),),), None, {3: "linear"}),
)
PARAMS = {0: 100, 1: 200, 2: 200, 3: 500}


def test_heights_are_to_scale_with_channels() -> None:
    drawn = sketch(STAGES, PARAMS)
    heights = [box.height for box in drawn.boxes if box.kind == "linear"]
    stem = next(box for box in drawn.boxes if box.kind == "spatial")
    assert abs(heights[0] / stem.height - 10 / 8) < 0.01
    assert sum(box.kind == "spatial" for box in drawn.boxes) == 1 + 2 * 2 * 3
    assert len(drawn.arcs) == 2


def test_squares_are_to_scale_with_the_resolution_and_bars_with_parameters() -> None:
    drawn = sketch(STAGES, PARAMS)
    squares = [box.width for box in drawn.boxes if box.kind == "pixels"]
    assert squares == [2 * squares[1], squares[1]]
    shares = [box.width for box in drawn.boxes if box.kind == "share"]
    assert [round(share / shares[0]) for share in shares] == [1, 4, 5]


def test_everything_is_inside_the_drawing() -> None:
    for stages in (STAGES, STAGES[:1], ()):
        drawn = sketch(stages, PARAMS)
        for box in drawn.boxes:
            assert box.x >= 0
            assert box.x + box.width <= drawn.width + 1e-6
            assert box.y >= 0
            assert box.y + box.height <= drawn.height


def test_a_small_drawing_joins_equal_layers() -> None:
    boxes = small_sketch(STAGES, 100, 40)
    assert len(boxes) == 3
    assert max(x + width for x, _, width, _, _ in boxes) == 100
    assert max(high for _, _, _, high, _ in boxes) == 40


def test_sides_are_found_from_the_number_of_positions() -> None:
    assert side_of(64, 8, 8) == (8, 8)
    assert side_of(20, 9, 7) == (5, 4)
    assert side_of(1, 9, 7) == (1, 1)
    assert side_of(13, 8, 8) is None
