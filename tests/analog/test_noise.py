from __future__ import annotations

import torch
from scipy import stats

from ohmnas.analog.noise import PIECE, FreshNoise, NoisePool, noise_source


def test_noise_is_standard_normal_and_scaled() -> None:
    """Kolmogorov-Smirnov and variance on 100,000 draws; seed fixed, level 0.001."""
    x = torch.zeros(100_000)
    NoisePool(3).add_(x, 0.5)
    assert stats.kstest((x / 0.5).numpy(), "norm").pvalue > 0.001


def test_two_calls_differ_and_a_seed_repeats_them() -> None:
    first, second, again = torch.zeros(50), torch.zeros(50), torch.zeros(50)
    pool = NoisePool(5)
    pool.add_(first, 1.0)
    pool.add_(second, 1.0)
    NoisePool(5).add_(again, 1.0)
    assert not torch.equal(first, second)
    assert torch.equal(first, again)


def test_channels_last_tensors_are_filled_in_place() -> None:
    x = torch.zeros(2, 5, 4, 3).contiguous(memory_format=torch.channels_last)
    NoisePool(0).add_(x, 1.0)
    assert (x != 0).all()


def test_tensors_larger_than_the_pool_are_filled() -> None:
    x = torch.zeros(3 * PIECE + 7)
    NoisePool(0).add_(x, 1.0)
    assert abs(float(x.std()) - 1.0) < 0.01
    assert (x != 0).float().mean() > 0.999


def test_fresh_noise_is_drawn_for_each_read_and_has_its_strength() -> None:
    torch.manual_seed(0)
    x = torch.zeros(4, 50, 25, 20).contiguous(memory_format=torch.channels_last)
    FreshNoise().add_(x, 0.5)
    assert stats.kstest((x / 0.5).flatten().numpy(), "norm").pvalue > 0.001
    assert not torch.equal(FreshNoise().take(x), FreshNoise().take(x))
    ((piece, drawn),) = FreshNoise().pieces(x.reshape(-1).bfloat16())
    assert piece.shape == drawn.shape
    assert drawn.dtype == torch.float32


def test_a_cpu_takes_noise_from_a_pool() -> None:
    assert isinstance(noise_source(0, torch.device("cpu")), NoisePool)
    assert isinstance(noise_source(0, torch.device("cuda")), FreshNoise)
