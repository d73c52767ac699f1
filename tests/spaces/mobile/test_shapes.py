from __future__ import annotations

from ohmnas.spaces.mobile import MobileArchitecture, MobileSpace, MobileStage
from ohmnas.spaces.mobile.shapes import stages_of


def test_stages_have_the_channels_and_sides_of_a_network() -> None:
    space = MobileSpace((3, 16, 12), 4)
    network = MobileArchitecture(6, 16, 3, 2, 0, (MobileStage(2, 4, 5, 24, 2), MobileStage(1, 0, 3, 24, 1)))
    first, second, third, *_ = stages_of(space.encode([network]), space.input_shape)
    assert (first.into[0], first.entry[0], first.hidden[0], first.width[0]) == (16, 64, 96, 24)
    assert (first.high[0], first.wide[0], first.high_out[0], first.wide_out[0]) == (6, 5, 3, 3)
    assert (second.into[0], second.entry[0], second.separable[0], second.first_adds[0]) == (24, 24, True, False)
    assert not third.exists[0]
    assert (third.area[0], third.area_out[0], third.into[0]) == (0, 0, 0)
