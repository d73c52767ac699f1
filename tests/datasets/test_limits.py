from __future__ import annotations

import resource
import time
from pathlib import Path

import numpy as np
import pytest

from ohmnas.datasets.limits import NO_LIMITS, LimitError, RowLimits, guarded


def test_without_limits_nothing_is_checked() -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    with guarded(NO_LIMITS) as check:
        check("any", "arguments")
        assert resource.getrlimit(resource.RLIMIT_AS) == before


def test_time_that_is_over_is_an_error_at_the_next_check() -> None:
    with guarded(RowLimits(seconds=0.01)) as check:
        check()
        time.sleep(0.02)
        with pytest.raises(LimitError, match=r"stopped after 0\.01 s"):
            check()


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
def test_memory_beyond_the_limit_is_an_error_and_the_limit_ends_with_the_block() -> None:
    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(LimitError, match=r"needs more than 0\.1 GiB"), guarded(RowLimits(gib=0.1)):
        np.empty(1 << 30, np.uint8)
    assert resource.getrlimit(resource.RLIMIT_AS) == before
    with guarded(RowLimits(gib=0.5)):
        np.empty(1 << 27, np.uint8)


def test_other_errors_pass() -> None:
    with pytest.raises(RuntimeError, match="something else"), guarded(RowLimits(gib=1)):
        raise RuntimeError("something else")
