from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from ohmnas.analog.gradients import converted, noisy_columns, pass_unclipped, relative_columns, scale_input
from ohmnas.analog.mapping import Mapping
from ohmnas.hardware import Hardware


@given(st.integers(0, 2**31 - 1), st.floats(0.5, 20.0))
def test_no_gradient_passes_where_a_converter_clips(seed: int, limit: float) -> None:
    x = (torch.randn(40, generator=torch.Generator().manual_seed(seed)) * limit).requires_grad_()
    y = pass_unclipped(converted(x * 1.0, limit, rounds=False), limit)
    y.sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    assert torch.equal(x.grad != 0, x.detach().abs() < limit)
    assert torch.equal(x.grad[x.grad != 0], torch.ones(int((x.grad != 0).sum())))


@given(st.integers(0, 2**31 - 1))
def test_the_gradient_of_a_range_is_that_of_finite_differences_without_rounding(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    x, weight = (torch.randn(50, generator=generator, dtype=torch.float64) for _ in range(2))
    x = x[(x.abs() - 1.0).abs() > 1e-3]  # where clipping begins there is no derivative
    weight, step = weight[: len(x)], 1e-6

    def loss(log_range: torch.Tensor) -> torch.Tensor:
        return (scale_input(x, log_range, torch.exp(log_range), 7.0, clips=True, rounds=False) * weight).sum()

    at = torch.zeros((), dtype=torch.float64, requires_grad=True)
    loss(at).backward()  # type: ignore[no-untyped-call]
    with torch.no_grad():
        slope = (loss(at + step) - loss(at - step)) / (2 * step)
    assert at.grad is not None
    torch.testing.assert_close(at.grad, slope, rtol=1e-4, atol=1e-4)


def test_rounding_is_unseen_by_autograd() -> None:
    x = torch.tensor([0.4, 1.6, -2.7], requires_grad=True)
    y = scale_input(x, torch.zeros(()), torch.tensor(1.0), 1.0 * 3, clips=True, rounds=True)
    assert y.tolist() == [1.0, 3.0, -3.0]
    y.sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    assert x.grad.tolist() == [3.0, 0.0, 0.0]


def test_columns_with_noise_are_those_without_gradient() -> None:
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(6, 20, generator=generator, requires_grad=True)
    noise = torch.randn(6, 20, generator=generator)
    mapping = Mapping.of(weight, 1, Hardware(tile_rows=8))
    columns, scale = noisy_columns(weight, noise, mapping, 0.05, 1.0)
    other, same = relative_columns(weight.detach(), noise, mapping, 0.05, 1.0)
    torch.testing.assert_close(columns.detach(), other)
    torch.testing.assert_close(scale, same)
    assert not scale.requires_grad
    columns.sum().backward()  # type: ignore[no-untyped-call]
    assert weight.grad is not None
    torch.testing.assert_close(weight.grad, mapping.expand(1.0 / scale))
