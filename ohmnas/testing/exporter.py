"""The contract of an exporter. Needs ``ohmnas[train]``."""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ohmnas.errors import InvalidValueError
from ohmnas.export.catalogue import EXPORTERS, TOLERANCE, Exported, Exporter, export
from ohmnas.hardware import Hardware
from ohmnas.spaces.resnet.architecture import Architecture, MainBlock
from ohmnas.testing.formula import SPACE

if TYPE_CHECKING:
    from ohmnas.datasets.campaign.trained import TrainedNetwork

_NAME = "under-test"
_PICKLES = {".pt", ".pth", ".pkl", ".pickle", ".bin"}


class ExporterContract(ABC):
    """Subclass this as ``class TestMine(ExporterContract)`` and implement `make`."""

    compares: ClassVar[bool] = True
    """True if the exporter compares its outputs with the outputs of ohmnas and returns the difference."""

    @abstractmethod
    def make(self) -> Exporter:
        """The exporter."""

    def trained(self) -> TrainedNetwork:
        """A small network with random weights, for images of 8 x 8 pixels."""
        import torch

        from ohmnas.analog.calibration import calibrate
        from ohmnas.analog.convert import to_analog
        from ohmnas.analog.state import state_of
        from ohmnas.datasets.campaign.trained import TrainedNetwork

        architecture = Architecture(8, 3, (MainBlock(1, 2, "A", 1, True), MainBlock(1, 1, "B", 2, False)))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network: Any = to_analog(SPACE.build(architecture), Hardware())
            calibrate(network, torch.randn(64, *SPACE.input_shape), batch_norm=True)
        genome = tuple(int(gene) for gene in SPACE.encode([architecture])[0])
        provenance = {"seed": 0, "fidelity": "none", "epochs": 0, "batch": 1, "train_images": 64, "engine": "native"}
        versions = {"ohmnas": "0", "torch": torch.__version__, "aihwkit": "0", "python": "3"}
        return TrainedNetwork(
            SPACE,
            genome,
            Hardware(),
            "digits",
            (4.9,),
            (6.0,),
            SPACE.input_shape,
            state_of(network),
            {**provenance, "precision": "float32", "versions": versions},
            "small",
        )

    @contextmanager
    def exported(self) -> Iterator[tuple[Path, Exported]]:
        """Run the exporter; yield its folder and its result."""
        with tempfile.TemporaryDirectory() as aside, EXPORTERS.registered(_NAME, self.make()):
            out = Path(aside) / "out"
            yield out, export(self.trained(), _NAME, out)

    def test_it_writes_files_without_pickles(self) -> None:
        """It writes at least one file, and no pickle, because loading a pickle can run arbitrary code."""
        with self.exported() as (out, _):
            files = [path for path in out.rglob("*") if path.is_file()]
            assert files
            assert not [path for path in files if path.suffix in _PICKLES]

    def test_it_reports_the_largest_difference_from_our_outputs(self) -> None:
        """`Exported.difference` is at most `catalogue.TOLERANCE`; it is None if and only if `compares` is False."""
        with self.exported() as (_, done):
            assert (done.difference is not None) == self.compares
            assert done.difference is None or 0 <= done.difference <= TOLERANCE

    def test_its_command_names_the_folder_that_the_files_end_in(self) -> None:
        """`Exported.use` names the final folder, not the temporary one."""
        with self.exported() as (out, done):
            assert not done.use or str(out) in done.use

    def test_it_leaves_the_network_as_it_was(self) -> None:
        """The exporter changes no tensor of the network."""
        trained = self.trained()
        before = {name: tensor.numpy().copy() for name, tensor in trained.state.items()}
        with tempfile.TemporaryDirectory() as aside:
            self.make()(trained, Path(aside))
        for name, values in before.items():
            assert np.array_equal(trained.state[name].numpy(), values), name

    def test_a_folder_with_files_is_not_written_over(self) -> None:
        """`export` raises an error and leaves the files unchanged."""
        with tempfile.TemporaryDirectory() as aside, EXPORTERS.registered(_NAME, self.make()):
            (Path(aside) / "mine").write_text("mine", encoding="utf-8")
            try:
                export(self.trained(), _NAME, aside)
            except InvalidValueError:
                pass
            else:
                raise AssertionError("a folder with files was overwritten")
            assert [path.name for path in Path(aside).iterdir()] == ["mine"]
