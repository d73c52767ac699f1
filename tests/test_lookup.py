from __future__ import annotations

import pytest

from ohmnas.errors import UnknownNameError
from ohmnas.lookup import look_up


def test_a_known_name_is_found_and_an_unknown_one_lists_the_known() -> None:
    assert look_up("pet", {"cat": 1, "dog": 2}, "dog") == 2
    with pytest.raises(UnknownNameError, match=r"^no pet 'bat'; there are cat, dog$"):
        look_up("pet", {"cat": 1, "dog": 2}, "bat")
    with pytest.raises(UnknownNameError, match=r"^no pet ''; there is cat$"):
        look_up("pet", {"cat": 1}, "")
