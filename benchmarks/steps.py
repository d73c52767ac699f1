"""Milliseconds per training step, before and after: this tree compared with another commit.

python benchmarks/steps.py --before COMMIT [--rounds 5] [--json]

Both run the same steps of the same networks, alternately, in separate processes on one core; the best round of each
counts. The other commit is checked out temporarily in a worktree.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
CASES = (
    ("digits", "resnet8-w8", 32),
    ("digits", "resnet14-w8", 32),
    ("cifar10", "resnet8", 64),
    ("cifar10", "resnet20", 64),
)
"""Task, network and batch size, as in the tables."""
STEP = """
import json, sys, time, torch
from ohmnas.analog.convert import analog_layers, set_noise, set_precision, to_analog
from ohmnas.analog.memory import keep_freed
from ohmnas.analog.noise import noise_source
from ohmnas.analog.precision import fastest
from ohmnas.analog.recipe import Recipe
from ohmnas.analog.step import Step
from ohmnas.analog.train import NativeHooks
from ohmnas.datasets.tasks.task import task
from ohmnas.hardware import Hardware
from ohmnas.spaces.resnet.network import build
from ohmnas.spaces.resnet.references import REFERENCES
torch.set_num_threads(1)
keep_freed()
steps = {}
for line in sys.stdin:
    name, network, batch = line.split()
    chosen, batch = task(name), int(batch)
    pixels = chosen.input_shape[1] * chosen.input_shape[2]
    if line not in steps:
        torch.manual_seed(0)
        analog = to_analog(build(REFERENCES[network], chosen.input_shape, chosen.classes), Hardware()).train()
        set_precision(analog, getattr(torch, fastest("cpu", pixels, Hardware())))
        set_noise(analog, noise_source(0, torch.device("cpu")))
        step = Step(analog, Recipe(batch=batch), NativeHooks(list(analog_layers(analog))))
        images = torch.randn(batch, *chosen.input_shape).contiguous(memory_format=torch.channels_last)
        steps[line] = step, images, torch.randint(chosen.classes, (batch,))
        for _ in range(10):
            step(*steps[line][1:], 0.7)
    step, images, labels = steps[line]
    count = max(2000 // (batch * pixels // 64), 10)
    start = time.process_time()
    for _ in range(count):
        step(images, labels, 0.7)
    print(1000 * (time.process_time() - start) / count, flush=True)
"""


def _start(tree: Path) -> subprocess.Popen[str]:
    threads = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "MKL", "OPENBLAS", "NUMBA")}
    environment = {**os.environ, **threads, "PYTHONPATH": str(tree)}
    command = [sys.executable, "-W", "ignore", "-c", STEP]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tree, env=environment
    )


def _ask(process: subprocess.Popen[str], case: tuple[str, str, int]) -> float:
    assert process.stdin is not None
    assert process.stdout is not None
    print(*case, file=process.stdin, flush=True)
    return float(process.stdout.readline())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", required=True, help="commit to compare with")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "-q", "--detach", f"{folder}/tree", arguments.before], check=True)
        try:
            processes = {"before": _start(Path(folder) / "tree"), "after": _start(ROOT)}
            for case in CASES:
                times: dict[str, list[float]] = {name: [] for name in processes}
                for _ in range(arguments.rounds):
                    for name, process in processes.items():
                        times[name].append(_ask(process, case))
                best = {name: min(each) for name, each in times.items()}
                found[f"{case[0]}, {case[1]}, batches of {case[2]}"] = best | {"ratio": best["before"] / best["after"]}
        finally:
            subprocess.run([*git, "remove", "--force", f"{folder}/tree"], check=True)
    if arguments.json:
        print(json.dumps(found))
        return
    print(f"{'milliseconds per training step':42}{'before':>9}{'after':>9}{'ratio':>8}")
    for name, values in found.items():
        print(f"{name:42}{values['before']:9.2f}{values['after']:9.2f}{values['ratio']:8.2f}")


if __name__ == "__main__":
    main()
