"""The allocator setting, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SCRIPT = """
import resource, sys
import torch
from ohmnas.analog.memory import keep_freed
torch.set_num_threads(1)
if sys.argv[1] == "keep":
    assert keep_freed()
x = torch.ones(3_000_000)
def step():
    kept = [x + i for i in range(4)]
for _ in range(6):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a setting of glibc")
def test_a_process_that_keeps_its_memory_faults_no_pages_again() -> None:
    """Beside one whose large blocks go back at once; by itself glibc decides that from block to block."""
    environment = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "131072"}
    faults = []
    for mode in ("keep", "return"):
        command = [sys.executable, "-c", SCRIPT, mode]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        faults.append(int(done.stdout))
    assert 2 * faults[0] < faults[1]
