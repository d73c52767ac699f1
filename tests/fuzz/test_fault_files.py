"""Files and scripts that once broke something, from the folder in OHMNAS_FAULTS; skipped without it.

Each file stands for a kind of fault. The tests of the parts make the same kinds themselves; these run the originals.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from shutil import copyfile

import numpy as np
import pytest

from ohmnas.datasets.campaign.fidelity import fidelity
from ohmnas.datasets.campaign.measure import measure
from ohmnas.datasets.campaign.merge import merge
from ohmnas.datasets.campaign.plan import plan
from ohmnas.datasets.campaign.protocol import Protocol
from ohmnas.datasets.campaign.store import Store
from ohmnas.datasets.tasks.loaders.audio import read_wav
from ohmnas.datasets.tasks.task import task
from ohmnas.errors import OhmnasError
from ohmnas.hardware import hardware
from ohmnas.search.result import read_result
from ohmnas.surrogate import load_surrogate

FAULTS = Path(os.environ.get("OHMNAS_FAULTS", "faults"))
pytestmark = [
    pytest.mark.skipif(not (FAULTS / "README.md").is_file(), reason="needs the faulty files in OHMNAS_FAULTS"),
    pytest.mark.timeout(300),
]

_MOVED = {
    "ohmnas.spaces.hardware": "ohmnas.hardware",
    "ohmnas.datasets.loaders": "ohmnas.datasets.tasks.loaders",
    "ohmnas.datasets.task ": "ohmnas.datasets.tasks.task ",
}
"""Modules of the scripts that have another place since."""


def _merged(name: str, tmp_path: Path, salvage: bool = False) -> int:
    """Merge a store into a new one; the number of its rows that were read."""
    store = tmp_path / "all.sqlite"
    store.unlink(missing_ok=True)
    (done,) = merge(store, [FAULTS / name], salvage)
    return done.rows


def _read_store(name: str, tmp_path: Path) -> None:
    with Store(copyfile(FAULTS / name, tmp_path / name), read_only=True) as store:
        store.choices()
        store.frame()


def _images(name: str, _: Path) -> None:
    task(FAULTS / name).load()


def _samples(name: str, _: Path) -> None:
    read_wav(FAULTS / name, 8_000)


REFUSED: dict[str, tuple[Callable[[str, Path], object], str]] = {
    "bad-chunk.wav": (_samples, "is truncated|is not a WAV file"),
    "wav/trunc.wav": (_samples, "is truncated: its chunk 'data' has"),
    "claims-477GiB.npz": (_images, "x_train has a shape of .* but .* bytes of content"),
    "junk-member.npz": (_images, "x_train does not begin like an array"),
    "plain-npy-renamed.npz": (_images, "is a single array"),
    "uint8-train-float-test.npz": (_images, "both must use the same scale"),
    "dotted80kB.toml": (lambda name, _: hardware(FAULTS / name), "has 80,006 bytes"),
    "int5000.toml": (lambda name, _: hardware(FAULTS / name), "has 5,008 characters"),
    "nested.toml": (lambda name, _: hardware(FAULTS / name), "nested too deeply"),
    "reram-gmin.toml": (lambda name, _: hardware(FAULTS / name), "g_max must be 0.001 to"),
    "result-chip-text.json": (lambda name, _: read_result(FAULTS / name), "chip is 'x', not an object"),
    "result-evaluations-minus1.json": (lambda name, _: read_result(FAULTS / name), "evaluations is -1"),
    "surrogate-xgboost-versions": (lambda name, _: load_surrogate(FAULTS / name), "folder from an older version"),
    "store-choices-json.sqlite": (_read_store, "choice 0 of 'digits' on 'pcm' is not a genome"),
    "store-escape-in-chip-name.sqlite": (_read_store, r"damaged in row 1: hardware is '\\x1b"),
    "store-seconds-text.sqlite": (_read_store, "damaged in row 3: train_seconds is 'x'"),
    "store-seed-null.sqlite": (_read_store, "damaged in row 3: seed is empty"),
}
"""File -> how it is read, and the sentence of the refusal."""

SALVAGED = {"store-truncated-by-1-page.sqlite": 29, "store-truncated-in-last-page.sqlite": 29}
"""Store -> its readable rows, of 40."""

SCRIPTS = {
    "coco.py": ["are ([20, 0],", "mean is still [0.0, 0.0, 0.0]", "lacks: ([19, 0],"],
    "convert.py": [
        "InvalidValueError: no analog layers for 3 (Conv2d, shared with 6)",
        "Conv1d: InvalidValueError: no analog layers for 2 (Conv1d)",
        "padding='same': trained; on tiles 2, left digital []",
        "BatchNorm2d(affine=False): trained; on tiles 2, left digital []",
        "Conv2d with its default bias: trained; on tiles 2, left digital []",
    ],
    "other_chip.py": ["are not calibrated", "the network was converted for a chip other than 'low': dac_bits is 8"],
    "rpu.py": [
        "inp_res = 254.0 -> 8 bits",
        "inp_res = 2**8 - 2 -> 8 bits",
        "mapping.max_output_size = 0 -> 8 bits",
        "(same values) -> 8 bits",
        "StandardHWATrainingPreset() -> InvalidValueError not modelled: clip.fixed_value",
        "(1 lines)",
    ],
    "speech_commands.py": [
        "testing_list.txt: {'train': [7, 4], 'validation': [4, 4], 'test': [1, 4]}",
        "cache emptied: {'train': [7, 4], 'validation': [4, 4], 'test': [1, 4]}",
    ],
}
"""Script -> parts of its output."""

OTHERS = {"README.md", "matplotlib.sh", "rare-class-in-validation.npz", "rgba-opaque.npz", "wav"}


def test_each_file_has_its_check() -> None:
    checked = {name for name in REFUSED if "/" not in name} | set(SALVAGED) | set(SCRIPTS) | OTHERS
    assert {path.name for path in FAULTS.iterdir()} == checked


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_one_sentence(name: str, tmp_path: Path) -> None:
    read, message = REFUSED[name]
    with pytest.raises(OhmnasError, match=message) as caught:
        read(name, tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "rows"), SALVAGED.items())
def test_all_readable_rows_of_a_truncated_store_are_salvaged(name: str, rows: int, tmp_path: Path) -> None:
    with pytest.raises(OhmnasError, match="is truncated"):
        _merged(name, tmp_path)
    assert _merged(name, tmp_path, salvage=True) == rows


def test_the_extensible_format_is_read() -> None:
    assert len(read_wav(FAULTS / "wav" / "extensible16.wav", 8_000)) == 4_000


def test_a_class_of_one_image_stays_in_training() -> None:
    data = task(FAULTS / "rare-class-in-validation.npz").load()
    splits = data.train, data.validation, data.test
    counts = [np.bincount(split.labels, minlength=3).tolist() for split in splits]
    assert counts == [[119, 120, 1], [30, 30, 0], [20, 20, 20]]


@pytest.mark.train
def test_a_constant_channel_is_measured() -> None:
    chosen = task(FAULTS / "rgba-opaque.npz")
    protocol = Protocol(chosen, fidelity("smoke", chosen.name))
    (row,) = measure(protocol, plan(chosen, 1)[0], [hardware("pcm")], seed=0)
    assert row["status"] == "ok"
    assert np.isfinite(float(str(row["accuracy_1d"])))


@pytest.mark.train
@pytest.mark.parametrize("name", SCRIPTS)
def test_the_output_of_a_script_is_right(name: str, tmp_path: Path) -> None:
    code = (FAULTS / name).read_text(encoding="utf-8")
    for old, new in _MOVED.items():
        code = code.replace(old, new)
    script = tmp_path / name
    script.write_text(code, encoding="utf-8")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    for part in SCRIPTS[name]:
        assert part in done.stdout + done.stderr


def test_pictures_do_not_depend_on_the_environments_backend(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    script = [line for line in (FAULTS / "matplotlib.sh").read_text(encoding="utf-8").splitlines() if line]
    done = subprocess.run(
        ["sh", "-ec", "\n".join(script)],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(picture.name for picture in (tmp_path / "x").glob("*.png")) == ["architecture.png", "convergence.png"]
