"""Gates from logits: how each method turns probabilities into a forward pass.

Each method has gates for steps that train the weights, and gates with gradients for steps that train the logits. The
symbols are the same as in `choices`.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from ohmnas.oneshot.gradient.network import Gate, fixed_gates
from ohmnas.oneshot.gradient.settings import Settings

TEMPERATURES: Final = (10.0, 0.1)
"""Temperature of the Gumbel softmax at the start and at the end, as in GDAS."""
PERTURBATION: Final = 0.03
"""Largest perturbation of a logit at the end of the search, as in SmoothDARTS. It grows linearly from 0."""


class Logits:
    """The logits of all choices, their optimizer, and the gates of a method."""

    def __init__(self, sizes: tuple[int, ...], settings: Settings, steps: int) -> None:
        """Start with nearly equal probabilities, drawn from torch's global generator.

        Args:
            sizes: ``(c,)``: number of options of each choice.
            settings: method, remedy, and reach and decay of the logits.
            steps: number of steps of the whole search.
        """
        self.settings = settings
        options = max(sizes)
        self.exists = torch.tensor([[option < size for option in range(options)] for size in sizes])
        self.values = (1e-3 * torch.randn(len(sizes), options)).requires_grad_()
        """``(c, m)``; entries without an option are never read."""
        self.optimizer = torch.optim.Adam(
            [self.values], lr=settings.reach / steps, betas=(0.5, 0.999), weight_decay=settings.decay
        )
        self._compared: list[tuple[int, int]] = []
        """The two options of each choice that the last gates compared (proxyless)."""

    def masked(self) -> Tensor:
        """``(c, m)``: the logits, minus infinity where there is no option."""
        return self.values.masked_fill(~self.exists, -torch.inf)

    def probabilities(self) -> Tensor:
        """``(c, m)``: rows add up to 1."""
        return self.masked().softmax(dim=1)

    def for_weights(self, progress: float) -> list[Gate]:
        """Gates of a step that trains the weights.

        Args:
            progress: share of the search that is done, from 0 to 1.
        """
        with torch.no_grad():
            if self.settings.method == "gdas":
                return self._gumbel(progress)
            if self.settings.method == "proxyless":
                chosen = torch.multinomial(self.probabilities(), 1)[:, 0]
                return fixed_gates(chosen.numpy(), self.exists.shape[1])
            logits = self.masked()
            if self.settings.remedy == "perturb":
                logits = logits + PERTURBATION * progress * (2.0 * torch.rand_like(logits) - 1.0)
            return self._mixed(logits.softmax(dim=1))

    def for_logits(self, progress: float) -> list[Gate]:
        """Gates of a step that trains the logits; gradients reach the logits."""
        if self.settings.method == "gdas":
            return self._gumbel(progress)
        if self.settings.method == "proxyless":
            return self._pairs()
        return self._mixed(self.probabilities())

    def step(self) -> None:
        """Take a step of the optimizer with the gradient in `values.grad`.

        ProxylessNAS changes only the two compared options of each choice, and keeps the sum of their probabilities.
        """
        if self.settings.method != "proxyless":
            self.optimizer.step()
            return
        before = self.values.detach().clone()
        self.optimizer.step()
        with torch.no_grad():
            moved = self.values.detach().clone()
            self.values.copy_(before)
            for row, pair in enumerate(self._compared):
                two = moved[row, list(pair)]
                shift = before[row, list(pair)].logsumexp(0) - two.logsumexp(0)
                self.values[row, list(pair)] = two + shift

    def _mixed(self, weights: Tensor) -> list[Gate]:
        """All options, weighted."""
        return [Gate(weights[row], tuple(torch.nonzero(there)[:, 0].tolist())) for row, there in enumerate(self.exists)]

    def _gumbel(self, progress: float) -> list[Gate]:
        """One option, drawn with Gumbel noise; its weight is 1 and passes the gradient of the softmax."""
        start, end = TEMPERATURES
        temperature = start + (end - start) * progress
        noise = -torch.empty_like(self.values).exponential_().log()
        soft = ((functional.log_softmax(self.masked(), dim=1) + noise) / temperature).softmax(dim=1)
        gates = []
        for row, chosen in enumerate(soft.argmax(dim=1).tolist()):
            hard = functional.one_hot(torch.tensor(chosen), soft.shape[1]) - soft[row].detach() + soft[row]
            gates.append(Gate(hard, (chosen,)))
        return gates

    def _pairs(self) -> list[Gate]:
        """Two options, sampled according to their probabilities. One option is used; the gradient compares both."""
        probabilities = self.probabilities().detach()
        several = (probabilities > 0).sum(dim=1) > 1
        gates, self._compared = [], []
        for row, values in enumerate(self.values):
            if not several[row]:
                only = int(probabilities[row].argmax())
                gates.append(Gate(torch.ones_like(values), (only,)))
                self._compared.append((only, only))
                continue
            first, second = torch.multinomial(probabilities[row], 2).tolist()
            both = torch.stack([values[first], values[second]]).softmax(dim=0)
            used = torch.multinomial(both.detach(), 1)[0]
            hard = functional.one_hot(used, 2) - both.detach() + both
            weights = torch.zeros_like(values).index_put((torch.tensor([first, second]),), hard)
            gates.append(Gate(weights, (first, second)))
            self._compared.append((first, second))
        return gates
