from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ohmnas.analog.convert import to_digital
from ohmnas.analog.state import state_of
from ohmnas.errors import BrokenFileError, InvalidValueError, UnknownNameError
from ohmnas.oneshot.shared import crop
from ohmnas.oneshot.supernet import DESCRIPTION, WEIGHTS, Supernet


def test_a_network_is_an_ordinary_one_with_its_part_of_the_weights(supernet: Supernet) -> None:
    plan = supernet.plan
    for genome in plan.space.sample(3, np.random.default_rng(0), 4_000, within=plan.within):
        network = supernet.network(genome)
        (architecture,) = plan.space.decode(genome[None])
        digital = to_digital(network)
        assert digital.state_dict().keys() == plan.space.build(architecture).state_dict().keys()
        stem = digital.state_dict()["0.weight"]
        assert torch.equal(stem, crop(supernet.weights.tensors["stem.0.weight"], stem.shape))
        assert state_of(network)["range.0.input_range"] > 1.0  # the largest pixel


def test_a_network_is_the_same_each_time_and_its_statistics_depend_on_the_seed(supernet: Supernet) -> None:
    (genome,) = supernet.plan.space.sample(1, np.random.default_rng(0), 4_000, within=supernet.plan.within)
    first, again, other = (supernet.network(genome, seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["0.norm.running_var"], other["0.norm.running_var"])
    assert torch.equal(first["0.weight"], other["0.weight"])


def test_a_reading_leaves_the_weights_as_they_were(supernet: Supernet) -> None:
    before = set(supernet.weights.tensors)
    for genome in supernet.plan.space.sample(6, np.random.default_rng(5), 4_000, within=supernet.plan.within):
        supernet.network(genome)
    assert set(supernet.weights.tensors) == before


def test_a_network_of_other_weights_is_refused(supernet: Supernet) -> None:
    (genome,) = supernet.plan.space.encode([supernet.plan.space.references["resnet20"]])
    with pytest.raises(InvalidValueError, match="the supernet has networks"):
        supernet.network(genome)


def test_a_saved_supernet_is_the_same(trained_folder: Path, supernet: Supernet, tmp_path: Path) -> None:
    assert supernet.save(tmp_path).checksum == supernet.checksum
    for name in (DESCRIPTION, WEIGHTS):
        assert (tmp_path / name).read_bytes() == (trained_folder / name).read_bytes()


@pytest.mark.parametrize("change", [{"format": "x"}, {"epochs": -1}, {"weights_seed": "x"}, {"provenance": 3}])
def test_a_broken_description_is_refused(trained_folder: Path, tmp_path: Path, change: dict[str, Any]) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(trained_folder, folder)
    values = json.loads((folder / DESCRIPTION).read_text())
    (folder / DESCRIPTION).write_text(json.dumps({**values, **change}))
    with pytest.raises(BrokenFileError, match="is not a supernet"):
        Supernet.load(folder)


def test_an_unknown_task_is_not_a_broken_file(trained_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "foreign"
    shutil.copytree(trained_folder, folder)
    values = json.loads((folder / DESCRIPTION).read_text())
    (folder / DESCRIPTION).write_text(json.dumps({**values, "task": "kittens"}))
    with pytest.raises(UnknownNameError, match="kittens"):
        Supernet.load(folder)


def test_broken_weights_and_missing_values_are_refused(trained_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(trained_folder, folder)
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[:-1])
    with pytest.raises(BrokenFileError, match="checksum"):
        Supernet.load(folder)
    values = json.loads((folder / DESCRIPTION).read_text())
    del values["within"]
    (folder / DESCRIPTION).write_text(json.dumps(values))
    with pytest.raises(BrokenFileError, match="it lacks 'within'"):
        Supernet.load(folder)
