from __future__ import annotations

import pytest
import torch

from ohmnas.oneshot.gradient.gates import Logits
from ohmnas.oneshot.gradient.settings import METHODS

from .conftest import settings

SIZES = (5, 3, 1)


def logits(method: str, **others: object) -> Logits:
    torch.manual_seed(0)
    return Logits(SIZES, settings(method=method, **others), steps=10)


@pytest.mark.parametrize("method", METHODS)
def test_gates_use_existing_options_and_their_gradients_stay_in_their_choice(method: str) -> None:
    made = logits(method)
    for gates in (made.for_weights(0.5), made.for_logits(0.5)):
        for size, gate in zip(SIZES, gates, strict=True):
            assert max(gate.active) < size
    gates = made.for_logits(0.5)
    target = gates[0].weights[gates[0].active[0]]
    if target.requires_grad:
        (slope,) = torch.autograd.grad(target, [made.values])
        assert not slope[1:].any()
        assert abs(float(slope.sum())) < 1e-6  # a softmax does not change if all logits move alike


@pytest.mark.parametrize("method", ["gdas", "proxyless"])
def test_a_sampling_method_trains_the_weights_of_one_option(method: str) -> None:
    for gate in logits(method).for_weights(0.5):
        assert len(gate.active) == 1
        assert float(gate.weights[gate.active[0]]) == pytest.approx(1.0)


def test_darts_mixes_all_options_with_weights_that_add_up_to_1() -> None:
    for size, gate in zip(SIZES, logits("darts").for_logits(0.5), strict=True):
        assert gate.active == tuple(range(size))
        assert float(gate.weights.detach().sum()) == pytest.approx(1.0)


def test_proxyless_compares_two_options_and_keeps_their_joint_probability() -> None:
    made = logits("proxyless")
    with torch.no_grad():
        made.values.add_(torch.randn_like(made.values))
    before = made.probabilities().detach()
    gates = made.for_logits(0.5)
    pair = list(gates[0].active)
    assert len(pair) == 2
    made.values.grad = torch.randn_like(made.values)
    made.step()
    after = made.probabilities().detach()
    others = [option for option in range(5) if option not in pair]
    torch.testing.assert_close(after[0, others], before[0, others])
    torch.testing.assert_close(after[0, pair].sum(), before[0, pair].sum())
    assert not torch.allclose(after[0, pair], before[0, pair])


def test_perturbed_probabilities_differ_between_steps_and_only_for_the_weights() -> None:
    made = logits("darts", remedy="perturb")
    first, second = (made.for_weights(1.0)[0].weights for _ in range(2))
    assert not torch.equal(first, second)
    torch.testing.assert_close(made.for_logits(1.0)[0].weights, made.probabilities()[0])


def test_a_logit_moves_by_at_most_its_reach() -> None:
    made = logits("darts", reach=2.0, decay=0.0)
    start = made.values.detach().clone()
    for _ in range(10):
        made.values.grad = torch.ones_like(made.values)
        made.step()
    moved = float((made.values.detach() - start).abs().max())
    assert 1.5 < moved <= 2.0 + 1e-4
