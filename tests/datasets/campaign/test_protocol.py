from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from ohmnas.datasets.campaign.fidelity import Fidelity, fidelity
from ohmnas.datasets.campaign.protocol import (
    VERIFICATION_SEEDS,
    Protocol,
    require_training,
    seeds_of,
    training_settings,
    verification_seed,
)
from ohmnas.datasets.tables import schema
from ohmnas.datasets.tasks.task import task
from ohmnas.errors import InvalidValueError, MissingDependencyError
from ohmnas.hardware import HERMES, RERAM, Hardware

DIGITS = task("digits")


def test_settings_are_what_every_row_has_and_data_is_cut_to_them() -> None:
    effort = Fidelity(
        "tiny", epochs=3, batch=32, chips=2, train_images=130, validation_images=90, test_images=70, resolution=4
    )
    protocol = Protocol(DIGITS, effort)
    settings = protocol.settings(RERAM)
    assert tuple(settings) == schema.SETTING_COLUMNS
    assert (settings["technology"], settings["resolution"], settings["train_images"]) == ("reram", 4, 130)
    data = protocol.data()
    assert data.train.images.shape == (130, 1, 4, 4)
    assert data.validation.images.shape == (90, 1, 4, 4)
    assert data.test.images.shape == (70, 1, 4, 4)
    assert np.array_equal(data.train.labels, DIGITS.load().train.labels[:130])


def test_a_key_differs_where_a_training_would() -> None:
    smoke = fidelity("smoke", "digits")
    protocol = Protocol(DIGITS, smoke)
    others = [
        replace(protocol, task=replace(DIGITS, flip=not DIGITS.flip)),
        replace(protocol, task=replace(DIGITS, shift=(3, 3))),
        replace(protocol, task=replace(DIGITS, label_smoothing=0.3)),
        replace(protocol, task=DIGITS.in_space("cells")),
        replace(protocol, fidelity=replace(smoke, train_images=200)),
        replace(protocol, engine="aihwkit"),
    ]
    keys = [protocol.key(Hardware()), protocol.key(RERAM), *(other.key(Hardware()) for other in others)]
    assert len(set(keys)) == len(keys)
    assert Protocol(DIGITS.within(50_000), smoke).key(Hardware()) == keys[0]


def test_only_our_own_layers_compute_in_other_formats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ohmnas.analog.precision.has_tf32", lambda _: True)
    smoke = fidelity("smoke", "digits")
    assert Protocol(DIGITS, smoke, device="cuda").precision(Hardware()) == "tf32"
    assert Protocol(DIGITS, smoke, device="cuda").precision(Hardware(dac_bits=0)) == "float32"
    assert Protocol(DIGITS, smoke, "aihwkit", "cuda").precision(Hardware()) == "float32"


def test_a_training_knows_the_tiles_but_not_the_devices() -> None:
    assert training_settings(Hardware()) == training_settings(RERAM)
    assert training_settings(Hardware()) != training_settings(HERMES)


def test_seeds_follow_from_genome_and_seed_but_not_from_the_chip() -> None:
    assert seeds_of(DIGITS, [1, 2], 0) == seeds_of(DIGITS, [1, 2], 0)
    others = [seeds_of(DIGITS, [1, 2], 1), seeds_of(DIGITS, [2, 1], 0)]
    assert seeds_of(DIGITS, [1, 2], 0) not in others
    assert len(set(seeds_of(DIGITS, [1, 2], 0))) == 2


def test_the_packages_for_measuring_are_installed() -> None:
    require_training()


@pytest.mark.parametrize("name", ["torch", "aihwkit", "numba"])
def test_a_missing_package_is_named_with_the_command_that_installs_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    expected = rf"^training and measuring need {name} \(.*\); install it with: pip install 'ohmnas\[train\]'$"
    with pytest.raises(MissingDependencyError, match=expected):
        require_training()


def test_no_verification_has_the_seed_of_a_campaign() -> None:
    assert verification_seed(3) == VERIFICATION_SEEDS + 3
    with pytest.raises(InvalidValueError, match="must be at least 0, not -1"):
        verification_seed(-1)
