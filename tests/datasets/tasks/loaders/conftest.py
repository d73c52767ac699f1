"""Small files in the official formats, made for tests, and the real ones where they are."""

from __future__ import annotations

import json
import os
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ohmnas.datasets.tasks import task
from ohmnas.datasets.tasks.loaders import cifar, speech_commands, spoken_digits, wake_words

CACHED = (
    cifar.load_cifar10,
    cifar.load_people,
    spoken_digits.load_spoken_digits,
    spoken_digits.load_new_speakers,
    speech_commands.load_speech_commands,
    wake_words.load_wake_words,
)
REAL = Path(os.environ.get("OHMNAS_DATA", "data"))
"""Where commands look too; tests of real files are skipped without them."""


@pytest.fixture(autouse=True)
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing that an earlier test decoded."""
    monkeypatch.setenv("OHMNAS_CACHE", str(tmp_path / "cache"))
    for load in CACHED:
        load.cache_clear()
    yield
    for load in CACHED:
        load.cache_clear()


@pytest.fixture(params=["cifar10", "people", "spoken-digits", "spoken-digits-new-speakers"])
def real_task(request: pytest.FixtureRequest) -> task.Task:
    one = task.task(request.param, REAL)
    folder = {"c": "cifar-10-batches-bin", "p": "cifar-100-binary", "s": "free-spoken-digit-dataset"}[one.name[0]]
    if not (REAL / folder).is_dir():
        pytest.skip(f"the real files of {one.name} are not here")
    return one


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def write_cifar10(data_dir: Path, batches: int = 2, records: int = 3000) -> Path:
    folder = data_dir / "cifar-10-batches-bin"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in [f"data_batch_{i + 1}" for i in range(batches)] + ["test_batch"]:
        raw = rng.integers(256, size=(records, 3073), dtype=np.uint8)
        raw[:, 0] = np.arange(records) % 10
        raw[:, 1] = raw[:, 0]  # the first pixel tells the label
        raw.tofile(folder / f"{name}.bin")
    return folder


def write_cifar100(data_dir: Path, people: int = 600, others: int = 1400) -> Path:
    folder = data_dir / "cifar-100-binary"
    folder.mkdir()
    rng = np.random.default_rng(1)
    for name in ("train", "test"):
        raw = rng.integers(256, size=(people + others, 3074), dtype=np.uint8)
        raw[:, 0] = 14
        raw[people:, 0] = rng.permutation(np.arange(others) % 14)
        raw[:, 1] = rng.integers(100, size=len(raw))
        raw[:, 2] = raw[:, 0]
        rng.permutation(raw).tofile(folder / f"{name}.bin")
    return folder


def write_wav(path: Path, samples: np.ndarray, rate: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def tone(hertz: float, seconds: float, rate: int) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


def write_spoken_digits(data_dir: Path, speakers: tuple[str, ...] = ("anna", "bert", "cleo"), each: int = 11) -> Path:
    folder = data_dir / "free-spoken-digit-dataset" / "recordings"
    for digit in range(10):
        for speaker in speakers:
            for index in range(each):
                samples = tone(200 + 200 * digit, 0.3 + 0.1 * (index % 9), 8000)
                write_wav(folder / f"{digit}_{speaker}_{index}.wav", samples, 8000)
    return folder


def write_speech_commands(data_dir: Path, each: int = 12) -> Path:
    folder = data_dir / "speech_commands_v0.02"
    words = (*speech_commands.WORDS, "cat", "dog")
    lists: dict[str, list[str]] = {"validation": [], "testing": []}
    for place, word in enumerate(words):
        for index in range(each):
            name = f"{word}/speaker{index}_nohash_0.wav"
            write_wav(folder / name, tone(300 + 500 * place, 1.0 if index else 0.6, 16_000), 16_000)
            if index % 4 < 2:
                lists["validation" if index % 4 else "testing"].append(name)
    rng = np.random.default_rng(2)
    write_wav(folder / "_background_noise_" / "white.wav", 0.1 * rng.standard_normal(48_000), 16_000)
    for part, names in lists.items():
        (folder / f"{part}_list.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
    return folder


def write_coco(data_dir: Path, count: int = 40) -> Path:
    from PIL import Image

    folder = data_dir / "coco"
    (folder / "annotations").mkdir(parents=True)
    rng = np.random.default_rng(3)
    for part in ("train", "val"):
        (folder / f"{part}2017").mkdir()
        images, annotations = [], []
        for index in range(count):
            name = f"{index:012d}.jpg"
            pixels = rng.integers(256, size=(100, 200, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{part}2017" / name)
            images.append({"id": index, "file_name": name, "width": 200, "height": 100})
            if index % 4 == 0:  # a large person
                annotations.append({"image_id": index, "category_id": 1, "bbox": [0, 0, 50, 50], "area": 900.5})
            if index % 4 == 1:  # one that is too small: less than 0.5 % of the image, in a large box
                annotations.append({"image_id": index, "category_id": 1, "bbox": [0, 0, 80, 80], "area": 99.9})
            if index % 4 == 2:  # a large dog
                annotations.append({"image_id": index, "category_id": 18, "bbox": [0, 0, 90, 90], "area": 8000})
        categories = [{"id": 1, "name": "person"}, {"id": 18, "name": "dog"}]
        content = {"images": images, "annotations": annotations, "categories": categories}
        (folder / "annotations" / f"instances_{part}2017.json").write_text(json.dumps(content), encoding="utf-8")
    return folder
