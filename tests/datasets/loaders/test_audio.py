from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ohmnas.datasets.loaders.audio import centred, log_mel, read_wav
from ohmnas.errors import BrokenFileError

from .conftest import tone, write_wav


def test_a_recording_comes_back(tmp_path: Path) -> None:
    samples = tone(440, 0.1, 8000)
    write_wav(tmp_path / "a.wav", samples, 8000)
    assert np.abs(read_wav(tmp_path / "a.wav", 8000) - samples).max() < 1e-4


def test_what_is_no_such_file_is_named(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", tone(440, 0.1, 8000), 8000)
    with pytest.raises(BrokenFileError, match="at 8000 Hz, not 1 of 16 at 16000"):
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
