from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ohmnas.errors import InvalidValueError
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.spaces.schedule import LAYER_BY_LAYER, Schedule


@pytest.mark.parametrize("values", [{"patches": 0}, {"patches": 17}, {"patches": True}, {"in_place_depthwise": 1}])
def test_values_out_of_range_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidValueError, match="must be"):
        Schedule(**values)


def test_a_schedule_is_written_as_it_is_read() -> None:
    assert Schedule(**Schedule(True, 4).to_dict()) == Schedule(True, 4)


def test_other_spaces_run_layer_by_layer() -> None:
    space = ResNetSpace((1, 8, 8), 10)
    layers = space.layers(space.sample(3, np.random.default_rng(0)))
    assert (layers.scheduled_memory(LAYER_BY_LAYER) == layers.peak_memory()).all()
    with pytest.raises(InvalidValueError, match="supports only the layer-by-layer schedule"):
        layers.scheduled_memory(Schedule(patches=2))
