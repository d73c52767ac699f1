from __future__ import annotations

import numpy as np
import pytest
import torch

from ohmnas.oneshot.gradient import choices, costs
from ohmnas.oneshot.gradient.cells import CellRelaxation
from ohmnas.oneshot.gradient.choices import log_probability
from ohmnas.oneshot.gradient.costs import ExpectedCosts
from ohmnas.search.quantity_names import COSTS

from .conftest import problem, random_probabilities


def test_the_expectation_of_every_cost_is_the_sum_of_probability_times_cost(relaxation: CellRelaxation) -> None:
    asked, probabilities = problem(), random_probabilities(0)
    made = ExpectedCosts(relaxation, asked, dict.fromkeys(COSTS, 1.0), 1.0, np.random.default_rng(0))
    found = made.expected(torch.from_numpy(probabilities).float())
    every = relaxation.every()
    share = np.exp(log_probability(every, probabilities))
    of = asked.quantities(relaxation.genomes(every))
    for name in COSTS:
        assert float(found[name]) == pytest.approx(float(share @ of[name]), rel=1e-4)


def test_sampled_expectations_and_gradients_agree_with_exact_ones(
    relaxation: CellRelaxation, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, logits = problem(), torch.from_numpy(np.log(random_probabilities(1))).float().requires_grad_()
    exact = ExpectedCosts(relaxation, asked, {"energy": 1.0}, 1.0, np.random.default_rng(0))
    monkeypatch.setattr(choices, "ENUMERATED", 10)
    monkeypatch.setattr(costs, "SAMPLES", 20_000)
    sampled = ExpectedCosts(relaxation, asked, {"energy": 1.0}, 1.0, np.random.default_rng(0))
    assert not relaxation.is_enumerable
    values = []
    for made, enumerable in ((exact, 200_000), (sampled, 10)):
        monkeypatch.setattr(choices, "ENUMERATED", enumerable)
        penalty = made.expected(logits.softmax(dim=1))["energy"] / exact.means["energy"]
        values.append((float(penalty.detach()), torch.autograd.grad(penalty, [logits])[0]))
    assert values[0][0] == pytest.approx(values[1][0], rel=0.02)
    torch.testing.assert_close(values[0][1], values[1][1], rtol=0.2, atol=0.01)


def test_a_limit_costs_nothing_below_it_and_its_excess_above(relaxation: CellRelaxation) -> None:
    uniform = torch.full((6, 5), 0.2)
    mean = ExpectedCosts(relaxation, problem(), {"params": 1.0}, 1.0, np.random.default_rng(0)).means["params"]
    for factor, penalty in ((2.0, 0.0), (0.5, 3.0)):
        made = ExpectedCosts(relaxation, problem(max_params=factor * mean), {}, 3.0, np.random.default_rng(0))
        assert float(made.penalty(made.expected(uniform))) == pytest.approx(penalty, abs=1e-3)


def test_without_weights_and_limits_there_is_nothing_to_expect(relaxation: CellRelaxation) -> None:
    made = ExpectedCosts(relaxation, problem(), {}, 1.0, np.random.default_rng(0))
    assert made.expected(torch.full((6, 5), 0.2)) == {}
