from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from ohmnas.datasets.limits import NO_LIMITS, LimitError, RowLimits, guarded


def test_without_limits_nothing_is_checked() -> None:
    with guarded(NO_LIMITS) as check:
        check()


def test_time_that_is_over_is_an_error_at_the_next_check() -> None:
    with guarded(RowLimits(seconds=0.01)) as check:
        check()
        time.sleep(0.02)
        with pytest.raises(LimitError, match=r"stopped after 0\.01 s"):
            check()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")
def test_a_peak_beyond_the_limit_is_an_error_at_the_next_check() -> None:
    with guarded(RowLimits(gib=0.2)) as check:
        np.ones(1 << 26, np.uint8)
        check()
        np.ones(1 << 28, np.uint8)  # and freed at once
        with pytest.raises(LimitError, match=r"needs more than 0\.2 GiB"):
            check()
    with guarded(RowLimits(gib=0.2)) as check:
        check()  # the peak of what was before does not count
        np.ones(1 << 26, np.uint8)
        check()
