from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from ohmnas.datasets.tasks.loaders.audio import centred, log_mel, read_wav
from ohmnas.errors import BrokenFileError

from .conftest import tone, write_wav


def test_a_recording_comes_back(tmp_path: Path) -> None:
    samples = tone(440, 0.1, 8000)
    write_wav(tmp_path / "a.wav", samples, 8000)
    assert np.abs(read_wav(tmp_path / "a.wav", 8000) - samples).max() < 1e-4


def test_invalid_recordings_are_named(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", tone(440, 0.1, 8000), 8000)
    with pytest.raises(BrokenFileError, match="16-bit audio at 8000 Hz; expected 1-channel, 16-bit audio at 16000 Hz"):
        read_wav(tmp_path / "a.wav", 16_000)
    (tmp_path / "b.wav").write_bytes(b"RIFFxxxx")
    with pytest.raises(BrokenFileError, match=r"b\.wav is not a WAV file"):
        read_wav(tmp_path / "b.wav", 8000)


def test_recordings_are_centred() -> None:
    assert centred(np.arange(5, dtype=np.float32), 3).tolist() == [1, 2, 3]
    assert centred(np.ones(2, np.float32), 5).tolist() == [0, 1, 1, 0, 0]


def test_a_tone_lights_up_its_band_while_it_lasts() -> None:
    rate = 8000
    silence = np.zeros(rate // 2)
    samples = np.stack([np.concatenate([tone(hertz, 0.5, rate), silence]) for hertz in (300, 3000)])
    spectrum = log_mel(samples.astype(np.float32), rate, bands=16, frames=32, window=512)
    assert spectrum.shape == (2, 1, 16, 32)
    assert spectrum.dtype == np.float16
    low, high = spectrum[:, 0, :, 8].argmax(axis=1)
    assert low > high  # the highest band stands on top
    assert (spectrum[:, 0, :, 24] < -13).all()  # nothing but the floor in the silence
    assert (spectrum[[0, 1], 0, [low, high], 8] > 0).all()


@pytest.mark.parametrize(("rate", "bands", "window"), [(8000, 16, 512), (16_000, 40, 640)])
def test_every_band_hears_something(rate: int, bands: int, window: int) -> None:
    noise = np.random.default_rng(0).standard_normal((1, rate)).astype(np.float32)
    assert (log_mel(noise, rate, bands, 10, window) > -10).all()


def _wav(path: Path, *parts: tuple[bytes, bytes], begin: bytes = b"RIFF....WAVE") -> Path:
    path.write_bytes(begin + b"".join(name + struct.pack("<I", len(content)) + content for name, content in parts))
    return path


def _form(kind: int = 1, channels: int = 1, rate: int = 8000, block: int = 2, bits: int = 16) -> tuple[bytes, bytes]:
    return b"fmt ", struct.pack("<HHIIHH", kind, channels, rate, rate * block, block, bits)


DATA = (b"data", np.arange(-3, 4, dtype="<i2").tobytes())
EXTENSIBLE = struct.pack("<HHIHH", 22, 16, 4, 1, 0) + bytes.fromhex("00001000800000aa00389b71")


def test_other_parts_and_the_extensible_format_are_understood(tmp_path: Path) -> None:
    name, form = _form(0xFFFE)
    for parts in (
        [_form(), DATA],
        [(b"LIST", b"even"), _form(), (b"fact", b"1234"), DATA],
        [(name, form + EXTENSIBLE), DATA],
        [_form(), DATA, (b"LIST", b"after")],
    ):
        samples = read_wav(_wav(tmp_path / "a.wav", *parts), 8000)
        assert (samples * 32768).tolist() == list(range(-3, 4))


def test_parts_of_odd_length_are_padded(tmp_path: Path) -> None:
    path = _wav(tmp_path / "a.wav", (b"LIST", b"odd"))
    path.write_bytes(path.read_bytes() + b"\0" + _wav(tmp_path / "b.wav", _form(), DATA, begin=b"").read_bytes())
    assert len(read_wav(path, 8000)) == 7


@pytest.mark.parametrize("lost", [1, 2, 13])
def test_a_truncated_recording_is_refused(lost: int, tmp_path: Path) -> None:
    path = _wav(tmp_path / "a.wav", _form(), DATA)
    path.write_bytes(path.read_bytes()[:-lost])
    with pytest.raises(BrokenFileError, match=rf"is truncated: its chunk 'data' has {14 - lost} of 14 bytes"):
        read_wav(path, 8000)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([], "it has no data chunk"),
        ([_form()], "it has no data chunk"),
        ([DATA], "its data chunk precedes its format chunk"),
        ([(b"fmt ", b"short"), DATA], "its format chunk has 5 bytes, but needs 16"),
        ([_form(3), DATA], r"samples of format 0x0003; expected whole numbers \(PCM, 0x0001\)"),
        ([_form(0xFFFE), DATA], "samples of format 0xfffe"),
        (
            [(b"fmt ", _form(0xFFFE)[1] + EXTENSIBLE[:8] + bytes([3]) + EXTENSIBLE[9:]), DATA],
            "samples of format 0xfffe",
        ),
        ([_form(channels=2, block=4), DATA], "is 2-channel, 16-bit audio at 8000 Hz; expected 1-channel, 16-bit audio"),
        ([_form(bits=8, block=1), DATA], "is 1-channel, 8-bit audio"),
        ([_form(block=3), DATA], "a block size of 3 bytes does not fit 1 x 16 bits"),
        ([_form(), (b"data", b"")], "0 bytes of samples"),
        ([_form(), (b"data", b"odd")], "3 bytes of samples"),
    ],
)
def test_other_forms_of_recordings_are_refused(parts: list[tuple[bytes, bytes]], message: str, tmp_path: Path) -> None:
    with pytest.raises(BrokenFileError, match=message):
        read_wav(_wav(tmp_path / "a.wav", *parts), 8000)


def test_a_part_that_claims_a_gigabyte_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"RIFF....WAVEfmt " + struct.pack("<I", 1 << 30) + bytes(100))
    tracemalloc.start()
    with pytest.raises(BrokenFileError, match="its chunk 'fmt ' has 100 of 1,073,741,824 bytes"):
        read_wav(path, 8000)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
