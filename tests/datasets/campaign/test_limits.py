from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from ohmnas.datasets.campaign.limits import NO_LIMITS, LimitError, RowLimits, Watch


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Its last number is the time."""
    times = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: times[-1])
    return times


def test_without_limits_nothing_is_checked() -> None:
    watch = Watch(NO_LIMITS)
    watch.next_reading()
    watch()


def test_time_that_is_over_is_an_error_at_the_next_check(clock: list[float]) -> None:
    watch = Watch(RowLimits(seconds=10.0))
    clock.append(110.0)
    watch()
    clock.append(110.1)
    with pytest.raises(LimitError, match=r"stopped after 10 s"):
        watch()


def test_a_row_has_the_time_of_the_training_and_of_its_own_reading(clock: list[float]) -> None:
    watch = Watch(RowLimits(seconds=10.0))
    clock.append(106.0)  # the training took 6
    for began in (106.0, 109.5, 113.0):
        watch.next_reading()
        clock.append(began + 3.5)
        watch()
    watch.next_reading()
    clock.append(121.0)  # this reading takes 4.5
    with pytest.raises(LimitError, match=r"stopped after 10 s"):
        watch()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")
def test_a_peak_beyond_the_limit_is_an_error_at_the_next_check() -> None:
    watch = Watch(RowLimits(gib=0.2))
    np.ones(1 << 26, np.uint8)
    watch()
    watch.next_reading()
    np.ones(1 << 28, np.uint8)  # and freed at once
    with pytest.raises(LimitError, match=r"needs more than 0\.2 GiB"):
        watch()
    watch.next_reading()
    watch()  # the peak of another row does not count
    watch = Watch(RowLimits(gib=0.2))
    watch()
    np.ones(1 << 26, np.uint8)
    watch()
