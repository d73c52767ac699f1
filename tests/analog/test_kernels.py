"""The compiled passes against the same in plain torch."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ohmnas.analog import kernels
from ohmnas.analog.noise import NoisePool

SHAPES = [(3, 5, 4, 3), (128, 16, 8, 8), (1, 200, 1, 1), (37, 3, 9, 9), (64, 40)]


def _image(*shape: int) -> Tensor:
    x = torch.randn(*shape) * 3
    return x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x


def _by_channel(values: Tensor, x: Tensor) -> Tensor:
    return values.view(-1, *([1] * (x.dim() - 2)))


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> int:
    """One thread and two; the fixture of all analog tests puts the number back."""
    torch.set_num_threads(request.param)
    return int(request.param)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("shape", SHAPES)
def test_quantising_rounds_and_clips(shape: tuple[int, ...]) -> None:
    x = _image(*shape)
    found = kernels.quantise(x, 7.5, 20.0)
    assert torch.equal(found, (x * 7.5).round().clamp(-20, 20))
    assert torch.equal(kernels.quantise(x.contiguous(), 7.5, 20.0), found)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("shape", SHAPES)
def test_converting_adds_noise_then_rounds_and_clips(shape: tuple[int, ...]) -> None:
    x = _image(*shape) * 5
    y = x.clone()
    kernels.convert_(y, NoisePool(1), 2.0, 20.0)
    noisy = x.clone()
    NoisePool(1).add_(noisy, 2.0)
    expected = noisy.round().clamp(-20, 20)
    assert float((y != expected).float().mean()) < 1e-3  # a sum in another order may fall beside the edge of a step
    kernels.convert_(x, None, 2.0, 20.0)
    assert torch.equal(x, x.round().clamp(-20, 20))


@pytest.mark.usefixtures("threads")
def test_a_mask_passes_gradients_inside_of_the_limit() -> None:
    x, grad = _image(128, 16, 8, 8), _image(128, 16, 8, 8)
    found = kernels.mask(grad, x, 0.5, 3.0)
    assert torch.equal(found, torch.where(x.abs() < 3.0, grad * 0.5, 0.0))


@pytest.mark.parametrize("starts", [[0, 12], [0, 5, 12]])
def test_columns_are_relative_to_the_largest_of_each_part(starts: list[int]) -> None:
    weight, noise = torch.randn(7, 12), torch.randn(7, 12)
    found, scale = kernels.columns(weight, noise, np.array(starts), 0.1, 3.0)
    for part, (a, b) in enumerate(pairwise(starts)):
        largest = weight[:, a:b].abs().amax(dim=1)
        torch.testing.assert_close(scale[:, part], largest)
        torch.testing.assert_close(found[:, a:b], 3 * weight[:, a:b] / largest[:, None] + 0.1 * noise[:, a:b])


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("behind", ["relu", "nothing", "sum"])
@pytest.mark.parametrize("shape", [s for s in SHAPES if len(s) == 4 and s[0] * s[2] > 1])
def test_normalising_is_torchs_batch_norm_forward_and_backward(shape: tuple[int, ...], behind: str) -> None:
    """Also with the sum of branches behind it, here of all channels or of every fourth."""
    channels = shape[1]
    branches = (channels // 4 if channels > 5 else channels) if behind == "sum" else 1
    floor = 0.0 if behind == "relu" else -math.inf
    x, grad = _image(*shape), _image(shape[0], channels // branches, *shape[2:])
    gain = torch.rand(channels) + 0.1
    mine, theirs = (kernels.TrackedNorm(channels), nn.BatchNorm2d(channels))
    nn.init.uniform_(theirs.weight, -1, 2)
    nn.init.normal_(theirs.bias)
    mine.load_state_dict(theirs.state_dict())
    exact = x.clone().requires_grad_()
    y = theirs(exact * _by_channel(gain, x))
    y = torch.relu(y) if behind == "relu" else torch.unflatten(y, 1, (branches, -1)).sum(dim=1)
    (y * grad).sum().backward()  # type: ignore[no-untyped-call]
    rows = kernels.rows_of(x)
    found, saved = kernels.normalise(rows, gain, mine, floor, branches)
    back, sums = kernels.normalise_backward(
        kernels.rows_of(grad), rows, saved, floor, math.inf, torch.float32, branches
    )
    assert exact.grad is not None
    torch.testing.assert_close(kernels.from_rows(found, x), y.detach(), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(kernels.from_rows(back, x), exact.grad, rtol=1e-3, atol=1e-3)
    for mine_grad, parameter in zip(sums, (theirs.weight, theirs.bias), strict=True):
        torch.testing.assert_close(mine_grad, parameter.grad, rtol=1e-3, atol=2e-2)
    torch.testing.assert_close(mine.running_mean, theirs.running_mean)
    torch.testing.assert_close(mine.running_var, theirs.running_var)


@pytest.mark.usefixtures("threads")
def test_an_affine_pass_scales_shifts_and_floors_by_channel() -> None:
    x = _image(128, 5, 8, 8)
    scale, shift = torch.randn(5), torch.randn(5)
    found = kernels.from_rows(kernels.affine(kernels.rows_of(x), scale, shift, 0.0), x)
    torch.testing.assert_close(found, torch.relu(x * _by_channel(scale, x) + _by_channel(shift, x)))


def test_a_nan_stays_one() -> None:
    x = torch.tensor([[1.0, math.nan, 2.0]])
    assert torch.isnan(kernels.affine(x, torch.ones(3), torch.zeros(3), -math.inf)).tolist() == [[False, True, False]]


def test_root_mean_square() -> None:
    x = _image(3, 5, 4, 3)
    assert kernels.root_mean_square(x) == pytest.approx(float(x.square().mean().sqrt()), rel=1e-5)


@pytest.mark.parametrize("groups", [1, 3])
def test_weights_are_clipped_at_deviations_of_their_group(groups: int) -> None:
    weight = torch.randn(6, 4, 3, 3)
    expected = weight.clone().view(groups, -1)
    limit = 1.5 * expected.std(dim=1, keepdim=True)
    kernels.clip_(weight, groups, 1.5)
    torch.testing.assert_close(weight.view(groups, -1), expected.clamp(-limit, limit))


def test_the_sum_of_a_mask_is_that_of_gradients_times_inputs_inside() -> None:
    x, grad = _image(16, 5, 8, 8), _image(16, 5, 8, 8)
    masked, total = kernels.mask_and_sum(grad, x, 2.0, 4.0)
    inside = (grad * x)[x.abs() < 4.0].double().sum()
    assert total == pytest.approx(float(inside), rel=1e-4)
    assert torch.equal(masked, torch.where(x.abs() < 4.0, 2.0 * grad, 0.0))
