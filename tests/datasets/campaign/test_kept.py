from __future__ import annotations

from pathlib import Path

import pytest

from ohmnas.datasets.campaign.fidelity import SMOKE
from ohmnas.datasets.campaign.kept import keep, kept, name_of, remove_others
from ohmnas.datasets.campaign.measure import measure, train_network
from ohmnas.datasets.campaign.outright import network_called
from ohmnas.datasets.campaign.protocol import Protocol
from ohmnas.datasets.campaign.trained import TrainedNetwork
from ohmnas.datasets.tasks.task import task
from ohmnas.hardware import HERMES, Hardware

DIGITS = task("digits")
GENOME = network_called("resnet8-w8", DIGITS.input_shape, DIGITS.classes)[1]


def test_a_row_has_one_name() -> None:
    names = {name_of(GENOME, chip, fidelity, seed) for chip in "ab" for fidelity in "cd" for seed in (0, 1)}
    assert len(names) == 8
    assert name_of(GENOME.tolist(), "a", "c", 0) in names


@pytest.mark.train
def test_the_network_of_a_row_is_kept_with_its_accuracies(tmp_path: Path) -> None:
    protocol = Protocol(DIGITS, SMOKE)
    (row,) = measure(protocol, GENOME, [Hardware()], 3, keep=tmp_path)
    (name,) = kept(tmp_path, GENOME, "pcm", "smoke")
    assert name.endswith("-smoke-3")
    trained = TrainedNetwork.load(tmp_path / name)
    assert trained.genome == tuple(GENOME)
    assert trained.split == "validation"
    assert trained.provenance["measured"]["accuracy_1d"] == row["accuracy_1d"]
    description = (tmp_path / name / "network.json").read_bytes()
    network, _ = train_network(protocol, GENOME, Hardware(), 3)
    keep(tmp_path, protocol, GENOME, Hardware(), 3, network, {"accuracy_1d": 0.5}, "")  # of another measurement
    assert (tmp_path / name / "network.json").read_bytes() != description
    assert kept(tmp_path, GENOME, HERMES.name, "smoke") == []


def test_only_kept_networks_are_removed(tmp_path: Path) -> None:
    stays, leaves, others = (name_of(GENOME, "pcm", "smoke", seed) for seed in (0, 1, 2))
    for name in (stays, leaves, others, "found-smoke-0"):
        (tmp_path / name).mkdir()
    (tmp_path / leaves / ".weights.safetensors.killed").touch()  # a kill while it was written
    (tmp_path / others / "mine").touch()
    remove_others(tmp_path, {stays})
    assert {path.name for path in tmp_path.iterdir()} == {stays, others, "found-smoke-0"}
    assert (tmp_path / others / "mine").exists()
    assert kept(tmp_path, GENOME, "pcm", "smoke") == []  # none has a description
