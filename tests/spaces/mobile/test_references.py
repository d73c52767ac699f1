from __future__ import annotations

import pytest

from ohmnas.spaces.mobile import REFERENCES, MobileSpace


@pytest.mark.parametrize(
    ("name", "shape", "classes", "params", "macs"),
    [
        # the parameters of torch's implementations; Howard et al., 2017, table 4: 569 million MACs
        ("mobilenet", (3, 224, 224), 1000, 4_231_976, 568_740_352),
        # torchvision's MobileNetV2; Sandler et al., 2018, table 4: 300 million MACs
        ("mobilenetv2", (3, 224, 224), 1000, 3_504_872, 300_774_272),
        # MLPerf Tiny's network has 216,322: a bias in each convolution besides, for 2,736 channels
        ("mobilenet-w025", (3, 96, 96), 2, 216_322 - 2_736, 7_489_664),
    ],
)
def test_known_networks_have_their_known_costs(
    name: str, shape: tuple[int, int, int], classes: int, params: int, macs: int
) -> None:
    space = MobileSpace(shape, classes)
    population = space.encode([REFERENCES[name]])
    assert (space.params(population)[0], space.macs(population)[0]) == (params, macs)
