from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from ohmnas.analog.groups import MOST_JOINED, join, joined_by, part


@pytest.mark.parametrize(("groups", "inputs", "expected"), [(12, 2, 6), (9, 5, 3), (7, 3, 1), (10, 7, 2), (4, 20, 1)])
def test_so_many_groups_are_joined_as_fit(groups: int, inputs: int, expected: int) -> None:
    weight = torch.zeros(groups * 3, inputs, 3, 3)
    assert joined_by(groups, weight) == 1
    assert joined_by(groups, weight.bfloat16()) == expected
    assert expected == 1 or expected * inputs <= MOST_JOINED


@pytest.mark.parametrize(("groups", "several"), [(6, 6), (6, 3), (6, 2), (6, 1)])
@pytest.mark.parametrize("kernel", [1, 3])
def test_joined_groups_are_the_same_convolution_with_the_same_gradient(groups: int, several: int, kernel: int) -> None:
    weight = torch.randn(groups * 2, 4, kernel, kernel, dtype=torch.float64)
    weight = weight.contiguous(memory_format=torch.channels_last).requires_grad_()
    x = torch.randn(3, groups * 4, 5, 6, dtype=torch.float64)
    whole = join(weight.detach(), groups, several).requires_grad_()
    apart = functional.conv2d(x, weight, None, 1, kernel // 2, 1, groups)
    together = functional.conv2d(x, whole, None, 1, kernel // 2, 1, groups // several)
    torch.testing.assert_close(together, apart)
    apart.square().sum().backward()  # type: ignore[no-untyped-call]
    together.square().sum().backward()  # type: ignore[no-untyped-call]
    assert whole.grad is not None
    torch.testing.assert_close(part(whole.grad, groups, several), weight.grad)
    torch.testing.assert_close(part(whole, groups, several), weight)
