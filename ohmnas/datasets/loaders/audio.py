"""Recordings to log-mel spectrograms, as small images: bands from top to bottom, time from left to right."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ohmnas.errors import BrokenFileError

Samples = npt.NDArray[np.float32]

LOWEST_HZ = 20.0
QUIET = 1e-6
"""Added to band energies before the logarithm: about the noise of 16-bit recordings."""


def read_wav(path: Path, rate: int) -> Samples:
    """``(n,)``: the samples of a mono 16-bit WAV file, in [-1, 1).

    Raises:
        BrokenFileError: it is not such a file, or has another sampling rate.
    """
    try:
        with wave.open(str(path), "rb") as file:
            shape = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            raw = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise BrokenFileError(f"{path} is not a WAV file: {error}") from error
    if shape != (1, 2, rate):
        raise BrokenFileError(
            f"{path} has {shape[0]} channels of {8 * shape[1]} bits at {shape[2]} Hz, not 1 of 16 at {rate}"
        )
    return np.frombuffer(raw[: len(raw) // 2 * 2], dtype="<i2").astype(np.float32) / 32768.0


def centred(samples: Samples, length: int) -> Samples:
    """``(length,)``: the middle of a longer recording, or a shorter one with silence on both sides."""
    start = max((len(samples) - length) // 2, 0)
    cut = samples[start : start + length]
    before = (length - len(cut)) // 2
    return np.pad(cut, (before, length - len(cut) - before))


def log_mel(samples: Samples, rate: int, bands: int, frames: int, window: int) -> npt.NDArray[np.float16]:
    """Log energies in mel bands (O'Shaughnessy's mel scale, triangular bands, Hann window).

    Args:
        samples: ``(m, n)``: recordings of one length.
        rate: samples a second.
        bands: mel bands from 20 Hz to half the rate.
        frames: windows, spread evenly over the recording.
        window: samples in a window.

    Returns:
        ``(m, 1, bands, frames)``, natural logarithms of energies, highest band first.
    """
    count, length = samples.shape
    padded = np.pad(samples, ((0, 0), (window // 2, window // 2)))
    starts = np.round(np.linspace(0, length, frames, endpoint=False) + length / frames / 2).astype(int)
    filters = _mel_filters(rate, bands, window)
    result = np.empty((count, 1, bands, frames), np.float16)
    shape = np.hanning(window + 1)[:-1].astype(np.float32)
    for column, start in enumerate(starts):
        spectrum = np.fft.rfft(padded[:, start : start + window] * shape, axis=1)
        energy = (spectrum.real**2 + spectrum.imag**2) / window
        result[:, 0, :, column] = np.log(energy @ filters.T + QUIET)[:, ::-1]
    return result


def _mel_filters(rate: int, bands: int, window: int) -> npt.NDArray[np.float64]:
    """``(bands, window // 2 + 1)``: triangles of height 1 whose corners are evenly spaced in mel."""
    edges = 700 * np.expm1(np.linspace(_mel(LOWEST_HZ), _mel(rate / 2), bands + 2) / 1127)
    hertz = np.fft.rfftfreq(window, 1 / rate)
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    filters = np.clip(np.minimum((hertz - low) / (middle - low), (high - hertz) / (high - middle)), 0, None)
    nearest = np.abs(hertz - middle).argmin(axis=1)
    filters[np.arange(bands), nearest] = np.maximum(filters[np.arange(bands), nearest], 1e-3)  # none is empty
    return np.asarray(filters, dtype=np.float64)


def _mel(hertz: float) -> float:
    return float(1127 * np.log1p(hertz / 700))
