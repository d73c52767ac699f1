from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ohmnas.datasets.campaign.fidelity import SMOKE
from ohmnas.datasets.campaign.outright import SNAPSHOT, network_called, result_at, train_outright
from ohmnas.datasets.campaign.protocol import Protocol
from ohmnas.datasets.tasks.task import task
from ohmnas.errors import BrokenFileError, InvalidValueError, UnknownNameError
from ohmnas.hardware import Hardware

DIGITS = task("digits")
SHAPE = (DIGITS.input_shape, DIGITS.classes)


class KilledError(Exception):
    pass


@pytest.mark.train
def test_a_stopped_training_resumes_and_gives_the_same_network(tmp_path: Path) -> None:
    from dataclasses import replace

    torch = pytest.importorskip("torch")
    protocol = Protocol(DIGITS, replace(SMOKE, epochs=4))
    _, genome, name = network_called("resnet8-w8", *SHAPE)

    def until_2(epoch: int, epochs: int) -> None:
        assert epochs == 4
        if epoch == 2:
            raise KilledError

    whole = train_outright(protocol, genome, Hardware(), 0, tmp_path / "whole", name=name)
    with pytest.raises(KilledError):
        train_outright(protocol, genome, Hardware(), 0, tmp_path / "net", name=name, report=until_2, seconds=0.0)
    assert (tmp_path / "net" / SNAPSHOT).is_file()
    seen: list[int] = []
    again = train_outright(
        protocol, genome, Hardware(), 0, tmp_path / "net", name=name, report=lambda epoch, _: seen.append(epoch)
    )
    assert seen == [1, 2, 3]  # the second epoch was not kept
    assert not (tmp_path / "net" / SNAPSHOT).exists()
    assert again.provenance == whole.provenance
    assert all(torch.equal(again.state[key], whole.state[key]) for key in whole.state)
    files = {path: path.read_bytes() for path in (tmp_path / "net").iterdir()}
    train_outright(protocol, genome, Hardware(), 0, tmp_path / "net", name=name, report=until_2)  # trains nothing
    assert {path: path.read_bytes() for path in (tmp_path / "net").iterdir()} == files
    with pytest.raises(InvalidValueError, match="holds another trained network"):
        train_outright(protocol, genome, Hardware(), 1, tmp_path / "net", name=name)


def test_networks_are_called_by_name_or_genome() -> None:
    space, genome, name = network_called("cells-conv1x1", *SHAPE)
    assert (space.name, name) == ("cells-1", "cells-conv1x1")
    text = ",".join(map(str, genome))
    again, same, name = network_called(text, *SHAPE, "cells")
    assert (again, name) == (space, "network")
    assert np.array_equal(same, genome)
    for wrong in (text, "1", "99999999999,2"):
        with pytest.raises(InvalidValueError):
            network_called(wrong, *SHAPE)
    with pytest.raises(UnknownNameError, match="did you mean resnet8-w8"):
        network_called("resnet8w8", *SHAPE)
    with pytest.raises(UnknownNameError, match="unknown space"):
        network_called("resnet8", *SHAPE, "no")


def test_a_folder_without_a_result_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BrokenFileError, match=r"without a result\.json"):
        result_at(tmp_path)
    with pytest.raises(BrokenFileError, match="cannot read"):
        result_at(tmp_path / "result.json")
    assert result_at(tmp_path / "resnet8") is None
