from __future__ import annotations

import pytest

from ohmnas.errors import InvalidValueError
from ohmnas.oneshot.places import sharing_of
from ohmnas.spaces import ResNetSpace
from tests.spaces.test_toy import ChainSpace


def test_a_space_without_shared_weights_is_refused() -> None:
    space = ChainSpace((1, 8, 8), 10)
    with pytest.raises(InvalidValueError, match="cannot share weights"):
        sharing_of(space, space.everything, 1e6, 1e6)


def test_a_space_with_shared_weights_is_accepted() -> None:
    space = ResNetSpace((1, 8, 8), 10)
    assert sharing_of(space, space.everything, 1e5, 1e6).places(space.references["resnet8-w8"])
