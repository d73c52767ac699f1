"""Train one network outside a campaign: a search result, a reference or any genome. Interrupted training resumes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from ohmnas.datasets.campaign.measure import given_up, measure_accuracies, train_network
from ohmnas.datasets.campaign.protocol import Protocol, require_training, seeds_of, verification_seed
from ohmnas.datasets.campaign.trained import TrainedNetwork, is_trained
from ohmnas.errors import BrokenFileError, InvalidValueError, StorageError, UnknownNameError, shown
from ohmnas.hardware import Hardware
from ohmnas.lookup import suggestion
from ohmnas.search.result import SearchResult, read_result
from ohmnas.spaces.catalogue import SPACES, space
from ohmnas.spaces.space import Space
from ohmnas.version import version

SNAPSHOT: Final = "training.safetensors"
"""File of an unfinished training run, in the folder of its network."""
Report = Callable[[int, int], None]
"""Callback with the number of finished epochs and the total number of epochs."""


def train_outright(
    protocol: Protocol,
    genome: npt.NDArray[np.int16],
    chip: Hardware,
    seed: int,
    folder: Path,
    *,
    name: str = "network",
    report: Report | None = None,
    seconds: float | None = None,
) -> TrainedNetwork:
    """Train a network, measure it on the test images, and save it. Needs torch.

    An interrupted training run resumes from its last snapshot and gives the same network, bit for bit. If the folder
    already holds this network, it is loaded. With the same seed, `verify` trains the same network.

    Args:
        protocol: protocol of the training run.
        genome: ``(g,)``.
        chip: chip to train for.
        seed: seed of the training run, from 0. `VERIFICATION_SEEDS` is added, so campaigns never train with it.
        folder: folder of the trained network.
        name: name of the network.
        report: called at the start, and after each epoch but the last.
        seconds: shortest time in seconds between two snapshots; None is the default.

    Raises:
        MissingDependencyError: torch, aihwkit or Numba is not installed.
        InvalidValueError: the folder holds a different network, or the seed is negative.
        BrokenFileError: the folder holds a damaged network.
        DivergedError: the loss became infinite or NaN.
        StorageError: the disk rejected a write.
    """
    require_training(protocol.device)
    from ohmnas.analog.snapshot import SECONDS, Snapshot

    training = verification_seed(seed)
    key = hashlib.sha256(repr((protocol.key(chip), genome.tolist(), training, version())).encode()).hexdigest()
    if is_trained(folder):
        there = TrainedNetwork.load(folder)
        if there.provenance.get("key") != key:
            raise InvalidValueError(
                f"{folder} holds another trained network ({there.name}, {there.task}, fidelity "
                f"{there.provenance.get('fidelity')}); choose another folder, or delete this one"
            )
        return there
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"cannot create the folder {folder}: {error.strerror}") from error
    snapshot = Snapshot(folder / SNAPSHOT, key, SECONDS if seconds is None else seconds)
    epochs = protocol.fidelity.epochs
    found = snapshot.read()
    if report is not None:
        report(0 if found is None else len(found[1]["losses"]), epochs)

    def after_epoch(epoch: int) -> None:
        if report is not None:
            report(epoch, epochs)

    network, course = train_network(protocol, genome, chip, training, after_epoch=after_epoch, snapshot=snapshot)
    _, chip_seed = seeds_of(protocol.task, genome.tolist(), training)
    measured = measure_accuracies(protocol, network, protocol.data().test, chip, chip_seed)
    reason = given_up(protocol, course)
    trained = TrainedNetwork.of(protocol, genome, chip, training, network, measured, reason, name)
    trained.provenance["key"] = key
    trained.save(folder)
    snapshot.delete()
    return trained


def network_called(
    source: str, input_shape: tuple[int, int, int], classes: int, space_name: str | None = None
) -> tuple[Space, npt.NDArray[np.int16], str]:
    """Return the space, the genome ``(g,)`` and the name of a network, given as a reference or as genes.

    Args:
        source: name of a reference network, or genes separated by commas.
        input_shape: channels, height, width of an image.
        classes: number of classes.
        space_name: registered name of the space. None searches all spaces of ohmnas for the reference, and reads genes
            as genes of resnet.

    Raises:
        UnknownNameError: no space has a reference network with this name, or the space is unknown.
        InvalidValueError: the genes are not a genome of the space.
    """
    if source.replace(",", "").replace(" ", "").isdecimal():
        chosen = space(space_name or SPACES.own[0], input_shape, classes)
        words = [word.strip() for word in source.split(",")]
        if not all(word.isdecimal() and len(word) <= 9 for word in words):
            raise InvalidValueError(
                f"{shown(source)} is not a genome: it needs whole numbers of at most 9 digits, separated by commas"
            )
        genes = [int(word) for word in words]
        return chosen, chosen.check(np.array([genes], dtype=np.int64))[0], "network"
    known: dict[str, Space] = {}
    for word in [space_name] if space_name else SPACES.own:
        one = space(word, input_shape, classes)
        known |= {name: one for name in one.references if name not in known}
    if source not in known:
        raise UnknownNameError(
            f"no network {shown(source)}: give the result.json of a search, genes separated by commas, or one of "
            f"{', '.join(known)}{suggestion(known, source)}"
        )
    chosen = known[source]
    return chosen, chosen.encode([chosen.references[source]])[0], source


def result_at(path: Path) -> SearchResult | None:
    """Read the search result in a file or folder; None if the path does not exist and does not end in ``.json``.

    Raises:
        BrokenFileError: the file is missing or not the result of a search, or the folder has no ``result.json``.
    """
    if path.is_dir():
        if not (path / "result.json").exists():
            raise BrokenFileError(f"{path} is a folder without a result.json")
        return read_result(path / "result.json")
    return read_result(path) if path.exists() or path.suffix == ".json" else None
