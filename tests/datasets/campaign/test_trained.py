from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ohmnas.datasets.campaign.fidelity import fidelity
from ohmnas.datasets.campaign.protocol import Protocol
from ohmnas.datasets.campaign.trained import DESCRIPTION, WEIGHTS, TrainedNetwork, is_trained
from ohmnas.datasets.tasks.task import task
from ohmnas.errors import BrokenFileError, InvalidValueError
from ohmnas.hardware import Hardware

torch = pytest.importorskip("torch")
pytest.importorskip("aihwkit")

DIGITS = task("digits")
SPACES = {"resnet": "resnet8-w8", "cells": "cells-bottleneck"}


def _trained(space: str = "resnet", engine: str = "native") -> tuple[TrainedNetwork, Any, Protocol]:
    """A network that was trained for an epoch, as kept and as trained."""
    from ohmnas.datasets.campaign.measure import train_network

    protocol = Protocol(DIGITS.in_space(space), fidelity("smoke", "digits"), engine)
    networks = protocol.task.space
    (genome,) = networks.encode([networks.references[SPACES[space]]])
    network, _ = train_network(protocol, genome, Hardware(), 3)
    return TrainedNetwork.of(protocol, genome, Hardware(), 3, network, name=SPACES[space]), network, protocol


@pytest.fixture(scope="module")
def resnet() -> tuple[TrainedNetwork, Any, Protocol]:
    return _trained()


@pytest.fixture
def folder(resnet: tuple[TrainedNetwork, Any, Protocol], tmp_path: Path) -> Path:
    resnet[0].save(tmp_path / "net")
    return tmp_path / "net"


@pytest.mark.parametrize("space", SPACES)
def test_a_saved_network_is_the_trained_one_to_the_bit(space: str, tmp_path: Path) -> None:
    from ohmnas.analog.drift import digital_accuracy, read_over_time
    from ohmnas.analog.images import ImageSet

    kept, network, protocol = _trained(space)
    kept.save(tmp_path / "net")
    again = TrainedNetwork.load(tmp_path / "net")
    data = protocol.data()
    train = ImageSet(data.train.images, data.mean, data.std)
    images, labels = again.prepare(data.test.images), torch.from_numpy(data.test.labels)
    assert torch.equal(images, ImageSet(data.test.images, data.mean, data.std)[slice(None)])
    before, after = (read_over_time(one, Hardware(), images, labels, 2, 5) for one in (network, again.on_chip()))
    assert np.array_equal(before.correct, after.correct)
    assert np.array_equal(before.again, after.again)
    measured = digital_accuracy(network, images, labels, train)
    with torch.no_grad():
        exact = float((again.digital()(images).argmax(1) == labels).double().mean())
    assert exact == measured
    assert (again.genome, again.chip, again.task, again.provenance) == (
        kept.genome,
        kept.chip,
        "digits",
        kept.provenance,
    )


def test_a_network_trained_on_aihwkit_is_kept_with_its_weights_and_ranges(tmp_path: Path) -> None:
    from aihwkit.nn.conversion import convert_to_digital

    kept, network, protocol = _trained(engine="aihwkit")
    kept.save(tmp_path / "net")
    data = protocol.data()
    again = TrainedNetwork.load(tmp_path / "net")
    images = again.prepare(data.test.images[:100])
    with torch.no_grad():
        difference = (again.on_chip().eval()(images) - network.eval()(images)).abs().max()
        assert difference < 1.0  # both round to 8 bits, and aihwkit's tiles add output noise
        again_digital = convert_to_digital(network).eval()(images)
        assert (again_digital.argmax(1) == again.digital()(images).argmax(1)).double().mean() > 0.8


def test_saving_twice_changes_nothing_and_another_network_is_refused(
    resnet: tuple[TrainedNetwork, Any, Protocol], folder: Path
) -> None:
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {*files} == {DESCRIPTION, WEIGHTS}
    resnet[0].save(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files
    with pytest.raises(InvalidValueError, match="another trained network"):
        replace(resnet[0], name="other").save(folder)


def test_a_folder_without_a_description_is_refused(folder: Path) -> None:
    assert is_trained(folder)
    (folder / DESCRIPTION).unlink()
    assert not is_trained(folder)
    with pytest.raises(BrokenFileError, match="no file with this name"):
        TrainedNetwork.load(folder)


Change = Callable[[dict[str, Any]], Any]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda values: values.update(format="x"), "its format is 'x'"),
        (lambda values: values.pop("mean"), "it lacks 'mean'"),
        (lambda values: values.update(mean=[1.0, 2.0]), "its mean has 2 numbers"),
        (lambda values: values.update(std=[0.0]), "std must be above 0"),
        (lambda values: values.update(std=[float("nan")]), "not a finite number"),
        (lambda values: values["genome"].__setitem__(0, 4), "OC0"),
        (lambda values: values["genome"].__setitem__(0, 9), "genome and architecture do not match"),
        (lambda values: values["space"].update(classes=11), "float32"),
        (lambda values: values["space"].update(name="none"), "unknown space 'none'"),
        (lambda values: values["space"].update(input_shape=[1, 8]), "not enough values"),
        (lambda values: values["chip"].update(technology="tape"), "unknown technology 'tape'"),
        (lambda values: values["chip"].update(hw_dac_bits=99), "dac_bits must be"),
        (lambda values: values["chip"].pop("hw_g_max"), "lacks hw_g_max"),
        (lambda values: values.update(image_shape=[3, 8, 8]), "3 channels"),
        (lambda values: values["provenance"].pop("precision"), "precision"),
        (lambda values: values["provenance"].update(engine="x"), "its engine is 'x', which is unknown"),
        (lambda values: values["provenance"].update(epochs="12"), "its epochs is '12'"),
        (lambda values: values["provenance"].update(fidelity="a\nb"), "printable characters"),
        (lambda values: values["provenance"]["versions"].update(ohmnas='1"""'), "its package version 'ohmnas' '1"),
        (lambda values: values["provenance"]["versions"].update({"a b": "1"}), "version 'a b' '1' is invalid"),
        (lambda values: values["provenance"].update(measured={}), "it lacks 'chips'"),
        (lambda values: values["provenance"].update(measured={"avm": "x"}, chips=2), "its avm is 'x'"),
        (lambda values: values.update(weights_sha256="0"), "checksum"),
        (lambda values: values.update(task="../x"), "not contain slashes"),
    ],
)
def test_a_broken_description_is_one_sentence(folder: Path, change: Change, sentence: str) -> None:
    values = json.loads((folder / DESCRIPTION).read_text("utf-8"))
    change(values)
    (folder / DESCRIPTION).write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(BrokenFileError, match=sentence) as caught:
        TrainedNetwork.load(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{", '"x"', "[" * 100_000])
def test_an_invalid_description_is_one_sentence(folder: Path, text: str) -> None:
    (folder / DESCRIPTION).write_text(text, encoding="utf-8")
    with pytest.raises(BrokenFileError, match="is not a trained network"):
        TrainedNetwork.load(folder)


def test_broken_weights_are_one_sentence(folder: Path) -> None:
    weights = folder / WEIGHTS
    content = weights.read_bytes()
    for broken, sentence in ((content[:-1], "checksum"), (b"", "too few"), (content + bytes(10_000_000), "limit is")):
        weights.write_bytes(broken)
        with pytest.raises(BrokenFileError, match=sentence):
            TrainedNetwork.load(folder)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda state: state.pop("network.0.weight"), "lacks the tensor network.0.weight"),
        (lambda state: state.update(x=torch.ones(1)), "'x' does not belong"),
        (lambda state: state.update({"network.0.weight": state["network.0.weight"][:1].clone()}), "float32"),
        (lambda state: state.update({"network.0.weight": state["network.0.weight"].double()}), "float64"),
        (lambda state: state["network.0.weight"].fill_(float("nan")), "not finite"),
        (lambda state: state["range.0.input_range"].fill_(-1.0), "above 0"),
    ],
)
def test_tensors_that_do_not_fit_are_one_sentence(
    resnet: tuple[TrainedNetwork, Any, Protocol], tmp_path: Path, change: Change, sentence: str
) -> None:
    state = {name: tensor.clone() for name, tensor in resnet[0].state.items()}
    change(state)
    replace(resnet[0], state=state).save(tmp_path / "net")
    with pytest.raises(BrokenFileError, match=sentence):
        TrainedNetwork.load(tmp_path / "net")


def test_a_huge_network_is_refused_before_it_is_built(folder: Path) -> None:
    values = json.loads((folder / DESCRIPTION).read_text("utf-8"))
    space = DIGITS.space
    (architecture,) = space.decode(space.repair(np.full((1, len(space.genes)), 2**15)))
    values.update(genome=space.encode([architecture])[0].tolist(), architecture=architecture.to_dict())
    (folder / DESCRIPTION).write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(BrokenFileError, match="parameters, more than"):
        TrainedNetwork.load(folder)
