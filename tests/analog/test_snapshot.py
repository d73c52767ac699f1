from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from ohmnas.analog.convert import to_analog
from ohmnas.analog.recipe import Recipe
from ohmnas.analog.snapshot import Snapshot
from ohmnas.analog.train import Training, train
from ohmnas.hardware import Hardware

RECIPE = Recipe(epochs=5, batch=50, flip=True, shift=(1, 1))


class StoppedError(Exception):
    pass


def _train(
    network: nn.Module, blobs: tuple[Tensor, Tensor], chip: Hardware, snapshot: Snapshot | None, until: int = 99
) -> tuple[nn.Module, Training]:
    def after_epoch(epoch: int) -> None:
        if epoch > until:
            raise StoppedError

    analog = to_analog(copy.deepcopy(network), chip)
    return analog, train(analog, *blobs, RECIPE, 3, after_epoch, snapshot)


def test_a_stopped_training_resumes_to_the_same_network(
    small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor], chip: Hardware, tmp_path: Path
) -> None:
    whole, course = _train(small_network, two_blobs, chip, None)
    path = tmp_path / "training.safetensors"
    for until in (1, 3):
        with pytest.raises(StoppedError):
            _train(small_network, two_blobs, chip, Snapshot(path, "a", 0.0), until)
        before = Snapshot(path, "a").read()
        assert before is not None
        assert len(before[1]["losses"]) == until
    again, resumed = _train(small_network, two_blobs, chip, Snapshot(path, "a", 0.0))
    assert resumed == course
    states = whole.state_dict(), again.state_dict()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_the_snapshot_of_another_training_or_a_broken_one_is_ignored(
    small_network: nn.Sequential, two_blobs: tuple[Tensor, Tensor], chip: Hardware, tmp_path: Path
) -> None:
    path = tmp_path / "training.safetensors"
    with pytest.raises(StoppedError):
        _train(small_network, two_blobs, chip, Snapshot(path, "a", 0.0), 2)
    assert Snapshot(path, "b").read() is None
    whole = path.read_bytes()
    for broken in (whole[:-5], whole[:4], b"", b"\xff" * 100, whole[:8] + b"{}" + whole[10:]):
        path.write_bytes(broken)
        assert Snapshot(path, "a").read() is None
    _, course = _train(small_network, two_blobs, chip, Snapshot(path, "a", 0.0))
    assert course.epochs == RECIPE.epochs


def test_it_is_written_from_time_to_time_and_removed_in_the_end(tmp_path: Path) -> None:
    snapshot = Snapshot(tmp_path / "x", "a", 1000.0)
    assert not snapshot.due()
    snapshot.seconds = 0.0
    assert snapshot.due()
    snapshot.write({"x": torch.ones(2)}, {})
    assert snapshot.read() is not None
    snapshot.delete()
    snapshot.delete()
    assert snapshot.read() is None
