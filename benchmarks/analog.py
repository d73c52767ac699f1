"""Images per second of plain torch, ohmnas and aihwkit layers: training and drift inference of ResNet-20.

python benchmarks/analog.py [--json] [--threads N] [--quick]

ResNet-20 (0.27 M parameters) at 32x32x3 in batches of 128. Training is a whole step with SGD; drift inference reads one
programmed chip at a new time and classifies 256 images with it. All candidates run in each round, and the best round of
each counts, so other load on the machine affects all equally. aihwkit-lightning runs if it is installed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import torch
from aihwkit.nn.conversion import convert_to_analog
from torch import Tensor, nn
from torch.nn import functional

from ohmnas.analog.chip import Chip, ProgrammingTargets
from ohmnas.analog.convert import analog_layers, set_noise, set_precision, to_analog
from ohmnas.analog.memory import keep_freed
from ohmnas.analog.noise import noise_source
from ohmnas.analog.precision import has_bfloat16
from ohmnas.analog.recipe import Recipe
from ohmnas.analog.rpu import rpu_config
from ohmnas.analog.step import GraphedStep
from ohmnas.analog.train import NativeHooks
from ohmnas.hardware import Hardware
from ohmnas.spaces.resnet.network import build
from ohmnas.spaces.resnet.references import REFERENCES

BATCH = 128
READ_IMAGES = 256
DAY = 86400.0
CHIP = Hardware()
Step = Callable[[], int]
"""Processes some images and returns their number."""


def _resnet20() -> nn.Sequential:
    torch.manual_seed(0)
    return build(REFERENCES["resnet20"], (3, 32, 32), 10)


def _trainer(network: nn.Module, images: Tensor, labels: Tensor) -> Step:
    network.train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)

    def step() -> int:
        optimizer.zero_grad(set_to_none=True)
        functional.cross_entropy(network(images), labels).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        return len(images)

    return step


def _reader(network: nn.Module, images: Tensor, drift: Callable[[], None]) -> Step:
    network.eval()
    many = images.repeat(READ_IMAGES // len(images), 1, 1, 1).contiguous(memory_format=torch.channels_last)

    @torch.no_grad()
    def step() -> int:
        drift()
        for batch in torch.split(many, BATCH):
            network(batch)
        return len(many)

    return step


def _nothing() -> None:
    pass


def _contenders(device: torch.device, quick: bool) -> dict[str, tuple[Step, Step]]:
    """Name -> a training step and a reading."""
    images = torch.randn(BATCH, 3, 32, 32, device=device).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(10, (BATCH,), device=device)
    found = {"torch": _torch(images, labels, torch.float32), "torch, bfloat16": _torch(images, labels, torch.bfloat16)}
    formats = {"native": torch.float32} | ({"native, bfloat16": torch.bfloat16} if has_bfloat16() else {})
    for name, precision in formats.items():
        found[name] = _native(images, labels, precision)

    if not quick:
        for name, torch_tile in (("aihwkit", False), ("aihwkit, torch tile", True)):
            theirs = [convert_to_analog(_resnet20(), rpu_config(CHIP, torch_tile)).to(device) for _ in range(2)]
            theirs[1].eval().program_analog_weights()
            drift = _reader(theirs[1], images, lambda network=theirs[1]: network.drift_analog_weights(DAY))  # type: ignore[misc]
            found[name] = (_trainer(theirs[0], images, labels), drift)
        found |= _lightning(images, labels)
    return found


def _torch(images: Tensor, labels: Tensor, precision: torch.dtype) -> tuple[Step, Step]:
    networks = [_Cast(_resnet20(), precision).to(images.device) for _ in range(2)]
    for network in networks:
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return _trainer(networks[0], images, labels), _reader(networks[1], images, _nothing)


class _Cast(nn.Module):
    """A network under torch's automatic mixed precision; float32 leaves it unchanged."""

    def __init__(self, network: nn.Module, precision: torch.dtype) -> None:
        super().__init__()
        self.network, self.precision = network, precision

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, self.precision, enabled=self.precision != torch.float32):
            result: Tensor = self.network(x)
        return result.float()


def _native(images: Tensor, labels: Tensor, precision: torch.dtype) -> tuple[Step, Step]:
    networks = [to_analog(_resnet20(), CHIP).to(images.device) for _ in range(2)]
    for network in networks:
        set_noise(network, noise_source(0, images.device))
        set_precision(network, precision)
    with torch.no_grad():
        networks[1](images)  # calibrates the input ranges
    chip = Chip(ProgrammingTargets.of(networks[1]), CHIP)
    reading = _reader(networks[1], images, lambda: chip.load_into(networks[1], DAY))
    if images.device.type == "cuda":
        step = GraphedStep(networks[0], Recipe(), NativeHooks(list(analog_layers(networks[0]))))
        return lambda: len(step(images, labels, 0.5).expand(len(images))), reading
    return _trainer(networks[0], images, labels), reading


def _lightning(images: Tensor, labels: Tensor) -> dict[str, tuple[Step, Step]]:
    try:
        from aihwkit_lightning.nn.conversion import convert_to_analog as convert  # type: ignore[import-not-found]
        from aihwkit_lightning.simulator.configs import TorchInferenceRPUConfig  # type: ignore[import-not-found]
    except ImportError:
        return {}
    config = TorchInferenceRPUConfig()
    config.forward.inp_res = config.forward.out_res = 1 / 254
    config.forward.out_noise = CHIP.output_noise
    config.modifier.std_dev = CHIP.training_noise
    networks = [convert(_resnet20(), config).to(images.device) for _ in range(2)]
    return {"aihwkit-lightning": (_trainer(networks[0], images, labels), _reader(networks[1], images, _nothing))}


def measure(device: torch.device, rounds: int, quick: bool) -> dict[str, dict[str, float]]:
    """``{"train": {contender: images/s}, "drift": {...}}``."""
    contenders = _contenders(device, quick)
    best: dict[str, dict[str, float]] = {"train": {}, "drift": {}}
    for index in range(rounds + 1):  # the first round warms up
        for name, steps in contenders.items():
            for phase, step in zip(best, steps, strict=True):
                slow = name.startswith("aihwkit")
                if slow and index > max(1, rounds // 4):
                    continue
                repeats = 1 if slow else 5
                _synchronise(device)
                start = time.perf_counter()
                images = sum(step() for _ in range(repeats))
                _synchronise(device)
                rate = images / (time.perf_counter() - start)
                if index > 0:
                    best[phase][name] = max(best[phase].get(name, 0.0), rate)
    return best


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--quick", action="store_true", help="torch and native only")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    keep_freed()
    results = measure(torch.device("cpu"), arguments.rounds, arguments.quick)
    if torch.cuda.is_available():
        for phase, rates in measure(torch.device("cuda"), arguments.rounds, arguments.quick).items():
            results[phase] |= {f"{name} (cuda)": rate for name, rate in rates.items()}
    if arguments.json:
        print(json.dumps(results))
        return
    print(f"ResNet-20, 32x32x3, batch {BATCH}, {arguments.threads} threads; images/s and share of plain torch")
    print(f"{'':26}{'training':>18}{'drift inference':>20}")
    for name in results["train"]:
        base = "torch (cuda)" if name.endswith("(cuda)") else "torch"
        cells = [f"{results[p][name]:9.0f}  {results[p][name] / results[p][base]:5.2f}x" for p in results]
        print(f"{name:26}{cells[0]:>18}{cells[1]:>20}")


if __name__ == "__main__":
    main()
