"""Readers of foreign files: of any damage they make a value or an error for people, within limits of memory.

Time is limited by the limit of each test.
"""

from __future__ import annotations

import io
import json
import struct
import warnings
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ohmnas.datasets.campaign.checkpoint import MEASURED, Checkpoint, Trained
from ohmnas.datasets.tasks.data import TaskData
from ohmnas.datasets.tasks.loaders.arrays import load_npz
from ohmnas.datasets.tasks.loaders.audio import read_wav
from ohmnas.datasets.tasks.loaders.cifar import read_records
from ohmnas.datasets.tasks.loaders.files import Arrays, decoded
from ohmnas.datasets.tasks.loaders.speech_commands import read_list
from ohmnas.datasets.tasks.loaders.wake_words import _image as read_image
from ohmnas.datasets.tasks.loaders.wake_words import read_labels
from ohmnas.hardware import Hardware, hardware
from ohmnas.search.candidate import Candidate
from ohmnas.spaces.cells.cell import REFERENCES, Cell
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.spaces.resnet.architecture import Architecture, MainBlock
from ohmnas.targets import DEFAULT_NAMES

from .mutate import COUNT, damaged, damaged_texts, survive


def _images() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    images = rng.integers(256, size=(60, 4, 5)).astype(np.uint8)
    return {"x_train": images[:45], "y_train": labels[:45], "x_test": images[45:], "y_test": labels[45:]}


def _saved(save: Callable[..., None], arrays: dict[str, np.ndarray]) -> bytes:
    content = io.BytesIO()
    save(content, **arrays)
    return content.getvalue()


def _check_task(path: Path) -> None:
    data: TaskData = load_npz(path)
    assert np.isfinite(data.mean).all()
    assert (data.std > 0).all()
    assert set(data.train.labels) == set(range(int(data.train.labels.max()) + 1))


def test_archives_of_arrays(tmp_path: Path) -> None:
    files = [_saved(save, _images()) for save in (np.savez, np.savez_compressed)]
    tokens = [b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"x_train.npy"]
    _, refused = survive(tmp_path / "a.npz", damaged(files, COUNT, 1, tokens), _check_task)
    assert refused > COUNT // 3


def test_arrays_in_whole_archives(tmp_path: Path) -> None:
    arrays = _images()
    tokens = [b"'|O'", b"'<f8'", b"(999999999999,)", b"(" * 200, b"{", b"'descr'", b"True", b"-1", b"\x93NUMPY\x02\x00"]

    def archives() -> Iterable[bytes]:
        for place, name in enumerate(arrays):
            member = io.BytesIO()
            np.save(member, arrays[name])
            header, content = member.getvalue()[:128], member.getvalue()[128:]
            for changed in damaged([header, member.getvalue()], COUNT // 4 + 1, 2 + place, tokens):
                whole = io.BytesIO()
                with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
                    for other, array in arrays.items():
                        if other != name:
                            plain = io.BytesIO()
                            np.save(plain, array)
                            archive.writestr(f"{other}.npy", plain.getvalue())
                    archive.writestr(f"{name}.npy", changed + (content if len(changed) < 200 else b""))
                yield whole.getvalue()

    survive(tmp_path / "a.npz", archives(), _check_task)


CHIP = b"""\xef\xbb\xbf# a chip
name = "mine"
base = "reram"  # of ours
g_max = 50.0
tile_rows = 128
tile_columns = 0x80
dac_bits = 8
adc_bound = 1.2e1
output_noise = 0.04
drift_compensation = true
batch_norm = 'adaptive'
"""
TOML = [
    b"9" * 5000, b"[" * 300, b"a." * 300, b"{a=", b"nan", b"inf", b"-1", b"1e999", b"0x" + b"f" * 3000, b'"""', b"\x00",
    b"[x]\n", b"[[x]]\n", b"= 1979-05-27", b'"\\U0010ffff"', b"\xff", b"1_0", b"'" * 3, b"#" * 70_000, b"varied-pcm",
]  # fmt: skip
"""Pieces of chips, and of what is none."""


def test_chips(tmp_path: Path) -> None:
    def check(path: Path) -> None:
        chip = hardware(str(path))
        assert Hardware.of_settings(chip.technology, chip.settings(), chip.name) == chip
        assert all(np.isfinite(np.float32(value)) for value in chip.settings().values())

    read, _ = survive(tmp_path / "a.toml", damaged([CHIP], COUNT, 6, TOML), check)
    assert read > 10


def test_recordings(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).integers(-(2**15), 2**15, size=400).astype("<i2").tobytes()
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16_000, 2, 16)
    parts = form + struct.pack("<4sI", b"LIST", 4) + b"text" + struct.pack("<4sI", b"data", len(samples)) + samples
    whole = struct.pack("<4sI4s", b"RIFF", len(parts) + 4, b"WAVE") + parts
    tokens = [b"RIFF", b"WAVE", b"fmt ", b"data", b"\xfe\xff", b"\xff\xff\xff\xff", b"LIST\x00\x00\x00\x00"]

    def check(path: Path) -> None:
        read = read_wav(path, 8000)
        assert len(read) > 0
        assert np.abs(read).max() <= 1

    read, refused = survive(tmp_path / "a.wav", damaged([whole, whole[:120]], COUNT, 7, tokens), check)
    assert min(read, refused) > 20


@pytest.mark.parametrize("classes", [(10,), (20, 100)])
def test_binary_images(classes: tuple[int, ...], tmp_path: Path) -> None:
    raw = np.random.default_rng(0).integers(256, size=(3, len(classes) + 3072), dtype=np.uint8)
    raw[:, : len(classes)] = 7

    def check(path: Path) -> None:
        labels, images = read_records(path, classes)
        assert images.shape == (len(labels), 3, 32, 32)
        assert (labels < np.array(classes)).all()

    read, refused = survive(tmp_path / "a.bin", damaged([raw.tobytes()], COUNT, 8), check)
    assert min(read, refused) > 20


def test_lists_of_recordings(tmp_path: Path) -> None:
    files = [
        Path("speech") / word / f"{speaker:04x}_nohash_0.wav" for word in ("yes", "no", "cat") for speaker in range(9)
    ]
    names = {f"{file.parent.name}/{file.name}" for file in files}
    whole = "\n".join(sorted(names)).encode()
    tokens = [b"\xef\xbb\xbf", b"\xff\xfe", b"\\", b"\r\n", b"./", b"../", b"\x00", b"\xc2\x85", b"yes/", b"x" * 9000]

    def check(path: Path) -> None:
        assert read_list(path, files) <= names

    read, _ = survive(tmp_path / "list.txt", damaged([whole], COUNT, 9, tokens), check)
    assert read > 0


COCO: dict[str, Any] = {
    "info": {"year": 2017},
    "images": [{"id": i, "file_name": f"{i}.jpg", "width": 200, "height": 100} for i in range(8)],
    "annotations": [
        {"id": i, "image_id": i % 6, "category_id": 1 + i % 2, "bbox": [0, 0, 9, 9], "area": 90.5 + i, "iscrowd": 0}
        for i in range(16)
    ],
    "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "dog"}],
}


def _check_labels(path: Path) -> None:
    labels = read_labels(path)
    assert set(labels.values()) <= {0, 1}
    assert len(labels) > 1


def test_annotations_as_bytes(tmp_path: Path) -> None:
    tokens = [b"[" * 5000, b"{" * 5000, b"9" * 5000, b"NaN", b"1e999", b"-1", b"null", b'"', b"\\ud800", b"\xff", b"}]"]
    contents = damaged([json.dumps(COCO).encode()], COUNT, 10, tokens)
    survive(tmp_path / "a.json", contents, _check_labels)


def test_annotations_with_odd_values(tmp_path: Path) -> None:
    read, refused = survive(tmp_path / "a.json", damaged_texts(COCO, COUNT, 11), _check_labels)
    assert min(read, refused) > 20


@pytest.mark.parametrize("name", ["arrays.json", "x.npy"])
def test_decoded_copies(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged copy is never an error."""
    monkeypatch.setenv("OHMNAS_CACHE", str(tmp_path / "cache"))
    arrays: Arrays = {"x": np.arange(60.0).reshape(3, 20), "y": np.arange(4)}
    decoded("t", 1, [], lambda: arrays)
    (entry,) = (tmp_path / "cache").iterdir()
    whole = (entry / name).read_bytes()
    for content in damaged([whole, whole[:100]], COUNT // 2, 12):
        (entry / name).unlink()  # and not over the copy that is mapped
        (entry / name).write_bytes(content)
        again = decoded("t", 1, [], lambda: arrays)
        assert {key: (array.dtype, array.shape) for key, array in again.items()} == {
            key: (array.dtype, array.shape) for key, array in arrays.items()
        }


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_photographs(kind: str, tmp_path: Path) -> None:
    images = pytest.importorskip("PIL.Image")
    content = io.BytesIO()
    pixels = np.random.default_rng(0).integers(256, size=(20, 30, 3), dtype=np.uint8)
    images.fromarray(pixels).save(content, kind)
    tokens = [b"\xff\xd9", b"\xff\xda", b"\xff\xc0", b"IHDR", b"IDAT", b"IEND", b"\xff\xff\xff\xff", b"zTXt", b"iCCP"]

    def check(path: Path) -> None:
        assert read_image(path).shape == (96, 96, 3)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Pillow, on metadata
        _, refused = survive(tmp_path / "a.jpg", damaged([content.getvalue()], COUNT, 13, tokens), check)
    assert refused > 20


def test_cells_as_text(tmp_path: Path) -> None:
    whole = [str(cell).encode() for cell in REFERENCES.values()]
    tokens = [b"|", b"+", b"~", b"none~0", b"nor_conv_3x3", b"~9", b"~0|", b"\n", b"\xc2\xb2", b"x" * 300]

    def check(path: Path) -> None:
        cell = Cell.from_str(path.read_bytes().decode("utf-8", "replace"))
        assert Cell.from_str(str(cell)) == cell

    read, refused = survive(tmp_path / "a.txt", damaged(whole, 2 * COUNT, 14, tokens), check)
    assert min(read, refused) > 0


def test_architectures(tmp_path: Path) -> None:
    architecture = ResNetSpace((1, 8, 8), 10).references["resnet20"]

    def check(path: Path) -> None:
        read = Architecture.from_json(path.read_bytes().decode("utf-8", "replace"))
        assert Architecture.from_json(read.to_json()) == read

    contents = [
        *damaged_texts(architecture.to_dict(), COUNT, 15),
        *damaged([architecture.to_json().encode()], COUNT, 16, [b"[" * 5000, b"9" * 5000, b"NaN", b"1e999", b"-1"]),
    ]
    read, refused = survive(tmp_path / "a.json", contents, check)
    assert min(read, refused) > 0


def test_trainings_of_a_verification(tmp_path: Path) -> None:
    """A damaged checkpoint is as good as none, and its values are numbers."""
    path = tmp_path / "parts.json"
    architecture = Architecture(8, 3, (MainBlock(1, 1, "A", 1, True),))
    candidate = Candidate(architecture, (8, 3, 1), 10, 10, dict.fromkeys(DEFAULT_NAMES, 0.5))
    Checkpoint(path, "digits").note(candidate, 7, Trained(dict.fromkeys(MEASURED, 0.25)))
    whole = path.read_bytes()

    def check(path: Path) -> None:
        parts = Checkpoint(path, "digits")
        if (candidate, 7) in parts:
            assert all(value is None or np.isfinite(value) for value in map(parts[candidate, 7].__getitem__, MEASURED))

    tokens = [b"[" * 5000, b"9" * 5000, b"NaN", b"1e999", b"null"]
    contents = [*damaged_texts(json.loads(whole), COUNT, 17), *damaged([whole], COUNT, 18, tokens)]
    read, _ = survive(path, contents, check)
    assert read == len(contents)
