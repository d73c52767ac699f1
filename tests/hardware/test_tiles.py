from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ohmnas.hardware.tiles import split_sizes


@given(size=st.integers(1, 3000), largest=st.integers(1, 600))
def test_pieces_add_up_and_fit(size: int, largest: int) -> None:
    pieces = split_sizes(size, largest)
    assert sum(pieces) == size
    assert max(pieces) <= largest
    assert max(pieces) - min(pieces) <= 1
    assert (len(pieces) - 1) * largest < size
