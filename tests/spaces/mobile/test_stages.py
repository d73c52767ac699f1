from __future__ import annotations

from ohmnas.spaces.mobile import MobileArchitecture, MobileStage
from ohmnas.spaces.mobile.stages import stages


def test_stages_have_their_resolution_and_layers() -> None:
    network = MobileArchitecture(6, 16, 3, 2, 2, (MobileStage(2, 4, 5, 24, 2), MobileStage(1, 0, 3, 32, 1)))
    found = stages(network, (3, 16, 16), 10)
    assert [stage.title for stage in found] == ["stem", "stage 1", "stage 2", "head", "linear"]
    assert [stage.side for stage in found] == [(6, 6), (3, 3), (3, 3), (3, 3), None]
    assert [[bar.channels for bar in block] for block in found[1].blocks] == [[64, 64, 24], [96, 96, 24]]
    assert [stage.skip for stage in found] == [False, True, False, False, False]
    assert found[0].lines[-1] == "6/8 of the resolution"
