"""Folders of trained networks: of any damage the reader makes a network, or one sentence."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ohmnas.datasets.campaign.fidelity import fidelity
from ohmnas.datasets.campaign.protocol import Protocol
from ohmnas.datasets.tasks.task import task
from ohmnas.hardware import Hardware

from .mutate import COUNT, damaged, damaged_texts, survive

torch = pytest.importorskip("torch")
pytest.importorskip("aihwkit")
pytest.importorskip("safetensors")

from ohmnas.analog.convert import to_analog  # noqa: E402
from ohmnas.analog.snapshot import Snapshot  # noqa: E402
from ohmnas.datasets.campaign.trained import DESCRIPTION, WEIGHTS, TrainedNetwork  # noqa: E402


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network as it is built, kept."""
    protocol = Protocol(task("digits"), fidelity("smoke", "digits"))
    space = protocol.task.space
    (genome,) = space.encode([space.references["resnet8-w8"]])
    network = to_analog(space.build(space.references["resnet8-w8"]), Hardware())
    folder = tmp_path_factory.mktemp("trained") / "net"
    TrainedNetwork.of(protocol, genome, Hardware(), 3, network).save(folder)
    return folder


def _copied(saved: Path, folder: Path) -> Path:
    for name in (DESCRIPTION, WEIGHTS):
        (folder / name).write_bytes((saved / name).read_bytes())
    return folder


@pytest.mark.timeout(120)
def test_a_damaged_description_is_read_or_refused(saved: Path, tmp_path: Path) -> None:
    path = _copied(saved, tmp_path) / DESCRIPTION
    whole = path.read_bytes()
    contents = [
        *damaged_texts(json.loads(whole), COUNT // 2, 61),
        *damaged([whole], COUNT // 2, 62, [b"NaN", b"9" * 5000]),
    ]
    _, refused = survive(path, contents, lambda path: TrainedNetwork.load(path.parent))
    assert refused > COUNT // 3


@pytest.mark.timeout(120)
def test_damaged_weights_are_read_or_refused(saved: Path, tmp_path: Path) -> None:
    """Every other one with the right checksum."""
    path = _copied(saved, tmp_path) / WEIGHTS
    description: dict[str, Any] = json.loads((saved / DESCRIPTION).read_text("utf-8"))
    tokens = [b"\xff" * 8, b"\x00" * 8, b'"F32"', b'"BF16"', b'"dtype"', b"[0,9999999999999]", b"[" * 5000, b"{}"]
    turn = iter(range(COUNT))

    def read(path: Path) -> None:
        if next(turn) % 2:
            told = description | {"weights_sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
            path.with_name(DESCRIPTION).write_text(json.dumps(told), encoding="utf-8")
        TrainedNetwork.load(path.parent)

    _, refused = survive(path, _heads(path.read_bytes(), tokens), read)
    assert refused > COUNT // 3


def _heads(whole: bytes, tokens: list[bytes]) -> Iterator[bytes]:
    """Damage to whole files, and to their heads alone."""
    size = 8 + int.from_bytes(whole[:8], "little")
    for head in damaged([whole[:size]], COUNT // 2, 63, tokens):
        yield head + whole[size:]
    yield from damaged([whole], COUNT // 2, 64, tokens)


@pytest.mark.timeout(120)
def test_a_damaged_training_starts_again(tmp_path: Path) -> None:
    path = tmp_path / "training.safetensors"
    Snapshot(path, "mine").write({"a": torch.arange(60.0), "b": torch.ones(3, dtype=torch.uint8)}, {"epoch": 3})
    tokens = [b"\xff" * 8, b"\x00" * 8, b'"F32"', b"__metadata__", b"[0,9999999999999]", b"[" * 5000, b"{}", b"mine"]

    def read(path: Path) -> None:
        found = Snapshot(path, "mine").read()
        assert found is None or np.isfinite(found[1].get("epoch", 0))

    survive(path, _heads(path.read_bytes(), tokens), read)
