from __future__ import annotations

import pytest

from ohmnas.search.clock import Clock


def test_time_is_up_after_so_many_seconds_and_never_outside_of_a_search() -> None:
    clock, now = Clock(), [100.0]
    assert not clock.is_up()
    with clock.running(3.0, lambda: now[0]):
        for now[0] in (100.0, 103.0):
            assert not clock.is_up()
        now[0] = 103.1
        assert clock.is_up()
    assert not clock.is_up()


def test_a_search_that_fails_leaves_no_time_set() -> None:
    clock = Clock()

    def run() -> None:
        with clock.running(-1.0, lambda: 0.0):
            assert clock.is_up()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    assert not clock.is_up()
