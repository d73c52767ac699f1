"""Convert recordings to small images: log-mel spectrograms (height: frequency, width: time)."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ohmnas.errors import BrokenFileError
from ohmnas.files import read_bytes

Samples = npt.NDArray[np.float32]

LOWEST_HZ = 20.0
QUIET = 1e-6
"""Added to band energies before the logarithm, so silence has a finite value. The noise of rounding to 16 bits
has less than a thousandth of this energy."""
LARGEST_WAV = 64 << 20
"""Largest size of a recording in bytes: about half an hour of 16-bit mono at 16 kHz."""
PCM, EXTENSIBLE = 1, 0xFFFE
"""Format numbers of WAV files: plain PCM, and an extensible header that may describe PCM."""
_PCM_GUID = struct.pack("<H", PCM) + bytes.fromhex("000000001000800000aa00389b71")


def read_wav(path: str | Path, rate: int) -> Samples:
    """``(n,)``: the samples of a mono 16-bit WAV file, in [-1, 1).

    Python's `wave` module is not used. It accepts different formats in different Python versions
    (WAVE_FORMAT_EXTENSIBLE since 3.12), and it reads a truncated file as a shorter recording.

    Raises:
        BrokenFileError: the file cannot be read, is not a WAV file, is truncated, or has another format or sampling
            rate.
    """
    path = Path(path)
    content = read_bytes(path, LARGEST_WAV)
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise BrokenFileError(f"{path} is not a WAV file: it does not begin with RIFF and WAVE")
    form: tuple[int, int, int] | None = None
    at = 12
    while at + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, at)
        at += 8
        if size > len(content) - at:
            raise BrokenFileError(
                f"{path} is truncated: its chunk {name.decode('ascii', 'replace')!r} has {len(content) - at:,} of "
                f"{size:,} bytes"
            )
        if name == b"fmt ":
            form = _form(path, content[at : at + size])
            if form != (1, 16, rate):
                raise BrokenFileError(
                    f"{path} is {form[0]}-channel, {form[1]}-bit audio at {form[2]} Hz; expected 1-channel, 16-bit "
                    f"audio at {rate} Hz"
                )
        elif name == b"data":
            if form is None:
                raise BrokenFileError(f"{path} is not a WAV file: its data chunk precedes its format chunk")
            if size == 0 or size % 2:
                raise BrokenFileError(f"{path} has {size:,} bytes of samples; expected a multiple of 2 above 0")
            return np.frombuffer(content, "<i2", size // 2, at).astype(np.float32) / 32768.0
        at += size + size % 2
    raise BrokenFileError(f"{path} is not a WAV file: it has no data chunk")


def _form(path: Path, chunk: bytes) -> tuple[int, int, int]:
    """Channels, bits per sample and samples per second.

    Raises:
        BrokenFileError: the samples are not PCM, or the chunk is too short or inconsistent.
    """
    if len(chunk) < 16:
        raise BrokenFileError(f"{path} is not a WAV file: its format chunk has {len(chunk)} bytes, but needs 16")
    kind, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", chunk)
    if kind != PCM and not (kind == EXTENSIBLE and chunk[24:40] == _PCM_GUID):
        raise BrokenFileError(f"{path} has samples of format {kind:#06x}; expected whole numbers (PCM, {PCM:#06x})")
    if block != channels * -(-bits // 8):
        raise BrokenFileError(
            f"{path} is not a WAV file: a block size of {block} bytes does not fit {channels} x {bits} bits"
        )
    return channels, bits, rate


def centred(samples: Samples, length: int) -> Samples:
    """``(length,)``: cut a longer recording to its middle, or pad a shorter one with silence on both sides."""
    start = max((len(samples) - length) // 2, 0)
    cut = samples[start : start + length]
    before = (length - len(cut)) // 2
    return np.pad(cut, (before, length - len(cut) - before))


def log_mel(samples: Samples, rate: int, bands: int, frames: int, window: int) -> npt.NDArray[np.float16]:
    """Log energies in mel bands (O'Shaughnessy's mel scale, triangular bands, Hann window).

    Args:
        samples: ``(m, n)``: recordings of the same length.
        rate: samples per second.
        bands: number of mel bands from 20 Hz to half the rate.
        frames: number of windows, spread evenly over the recording.
        window: number of samples in a window.

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
    # a narrow band may contain no frequency; its filter must not be empty
    filters[np.arange(bands), nearest] = np.maximum(filters[np.arange(bands), nearest], 1e-3)
    return np.asarray(filters, dtype=np.float64)


def _mel(hertz: float) -> float:
    return float(1127 * np.log1p(hertz / 700))
