from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ohmnas.datasets.campaign.trained import TrainedNetwork
from ohmnas.errors import InvalidValueError
from ohmnas.export.catalogue import TOLERANCE
from ohmnas.export.plain_torch import compared, export_torch, imported, random_images
from ohmnas.hardware import IDEAL, Hardware

from .conftest import DIGITS, calibrated, small_genomes

NOTHING = Hardware(tile_rows=48)


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("space", "n", "chip"), [("resnet", 40, Hardware()), ("resnet", 5, NOTHING), ("cells", 5, None)]
)
def test_it_predicts_what_ours_predicts(space: str, n: int, chip: Hardware | None, tmp_path: Path) -> None:
    images = DIGITS.load().test.images[:16].astype(np.float32)
    genomes = small_genomes(n, space, seed=n)
    assert len(genomes) == n
    for index, genome in enumerate(genomes):
        trained = calibrated(genome, space, chip, seed=index)
        (folder := tmp_path / str(index)).mkdir()
        done = export_torch(trained, folder)
        assert done.difference is not None
        assert done.difference <= TOLERANCE
        with torch.no_grad():  # in float64: a deep network of random weights amplifies what rounds otherwise
            exact = torch.from_numpy(images).double()
            ours = trained.digital().double()((exact - trained.mean[0]) / trained.std[0])
            theirs = imported(folder / "network.py").load().double()(exact)
        assert torch.equal(ours.argmax(1), theirs.argmax(1))
        assert torch.allclose(ours, theirs, atol=1e-4 * float(ours.abs().max().clamp(min=1.0)))


def test_it_runs_where_ohmnas_is_not(branched: TrainedNetwork, tmp_path: Path) -> None:
    export_torch(branched, tmp_path)
    np.save(tmp_path / "images.npy", random_images(branched).numpy())
    script = (
        "import sys; sys.modules['ohmnas'] = sys.modules['aihwkit'] = None\n"
        "import numpy, torch; from network import load\n"
        "print(load()(torch.from_numpy(numpy.load('images.npy'))).tolist())"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with torch.no_grad():
        ours = branched.digital()(branched.prepare(random_images(branched).numpy()))
    assert torch.allclose(torch.tensor(eval(done.stdout)), ours, atol=1e-3)  # noqa: S307 - our own numbers


def test_its_code_is_plain(branched: TrainedNetwork, cell: TrainedNetwork, tmp_path: Path) -> None:
    for trained in (branched, cell):
        (folder := tmp_path / trained.space.name).mkdir()
        export_torch(trained, folder)
        code = (folder / "network.py").read_text("utf-8")
        assert "import ohmnas" not in code
        assert "from ohmnas" not in code
        assert str(trained.architecture) in code.replace("\n", " ")
        assert max(map(len, code.splitlines())) <= 120
        assert "TiledConv2d" in code or trained is cell


def test_a_chip_that_never_saturates_is_torchs_own_layers(tmp_path: Path) -> None:
    trained = calibrated(small_genomes(1)[0], chip=replace(IDEAL, training_noise=0.06))
    export_torch(trained, tmp_path)
    code = (tmp_path / "network.py").read_text("utf-8")
    assert "Saturating" not in code
    assert "nn.Conv2d" in code


def test_other_outputs_are_refused(branched: TrainedNetwork) -> None:
    ours = branched.digital()

    def other(images: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = ours(branched.prepare(images.numpy()))
        return outputs + 0.01 * outputs.abs().max().clamp(min=1.0)

    with pytest.raises(InvalidValueError, match=r"differ by 0\.01 from those of the trained"):
        compared(branched, other, torch.float32)
