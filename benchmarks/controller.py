"""A recurrent controller compared with independent genes: policy gradients at equal numbers of evaluations.

The controller is a gated recurrent network (Cho et al., 2014) that chooses gene after gene, as in NAS (Zoph and Le,
ICLR 2017) and ENAS (Pham et al., ICML 2018). The strategy `reinforce` has one distribution per gene instead. Both
maximise accuracy over spread with surrogates of the tables, within the limits of `strategies.py`, or the accuracy
measured with a supernet. Both start from the frequencies of choices in a sample of affordable architectures.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
from strategies import best_after, problem_of

from ohmnas.datasets.tables.table import read_table, shipped_tables
from ohmnas.search import Budget, Limits, Problem, search
from ohmnas.search.evaluation import Evaluation
from ohmnas.search.objective import Accuracy
from ohmnas.search.strategies.alphabet import MOST, Alphabet, Letters, Reward
from ohmnas.search.strategies.reinforce import Reinforce
from ohmnas.spaces.genes import Population
from ohmnas.surrogate.training_set import learnable_chips

Values = npt.NDArray[np.float32]
SAMPLE: Final = 500
"""Number of affordable architectures that initialise the policy, as in `reinforce`."""
FORGET: Final = 0.9
"""Decay of the baseline per generation, as in `reinforce`."""
MEAN, SQUARE = 0.9, 0.99
"""Decays of Adam's moments."""
FEWEST: Final = 100
"""Smallest number of rows of a chip for a search, as in `strategies.py`."""


@dataclass(slots=True, eq=False)
class Controller:
    """Chooses gene after gene with a gated recurrent network."""

    problem: Problem
    learning_rate: float = 0.01
    """Step size of Adam for the recurrent network."""
    base_rate: float = 20.0
    """Step along the gradient of the independent part of the logits, as in `reinforce`."""
    entropy: float = 0.003
    """Weight of the entropy of each choice."""
    hidden: int = 16
    """Size of the recurrent network's state."""
    _alphabet: Alphabet = field(init=False)
    _weights: dict[str, Values] = field(default_factory=dict)
    """E: embedding of the previous choice; W, b: gates; V: state to logits; c: logits without the state."""
    _moments: dict[str, tuple[Values, Values]] = field(default_factory=dict)
    _reward: Reward = field(default_factory=Reward)
    _baseline: float = 0.0
    _steps: int = 0
    allows_oversampling: ClassVar[bool] = True

    def __post_init__(self) -> None:
        """Read the choices."""
        self._alphabet = Alphabet.of(self.problem)

    def _begin(self, rng: np.random.Generator) -> None:
        genes, h = self.problem.genes, self.hidden
        letters = self._alphabet.read(self.problem.sample(SAMPLE, rng))
        logits = np.full((genes, MOST), -1e9)
        for gene, size in enumerate(self._alphabet.sizes):
            column = letters[:, gene]
            logits[gene, :size] = np.log(np.bincount(column[column >= 0], minlength=size) + 0.5)
        scale = 1.0 / np.sqrt(h)
        weights = {
            "E": rng.normal(0.0, 1.0, (genes, MOST + 1, h)),
            "W": rng.normal(0.0, scale, (2 * h, 3 * h)),
            "b": np.zeros(3 * h),
            "V": np.zeros((genes, h, MOST)),
            "c": logits,
        }
        self._weights = {name: one.astype(np.float32) for name, one in weights.items()}
        self._moments = {name: (np.zeros_like(one), np.zeros_like(one)) for name, one in self._weights.items()}

    def _cell(self, x: Values, state: Values) -> tuple[Values, tuple[Values, ...]]:
        """New state of the recurrent network, and the values that its gradient needs."""
        h, W, b = self.hidden, self._weights["W"], self._weights["b"]
        both = np.concatenate([x, state], axis=1)
        gates = _sigmoid(both @ W[:, : 2 * h] + b[: 2 * h])
        update, reset = gates[:, :h], gates[:, h:]
        kept = np.concatenate([x, reset * state], axis=1)
        candidate = np.tanh(kept @ W[:, 2 * h :] + b[2 * h :])
        new = (1.0 - update) * state + update * candidate
        return new, (both, update, reset, kept, candidate, state)

    def _shares(self, gene: int, state: Values) -> Values:
        """Probability of each choice of a gene."""
        logits = self._weights["c"][gene] + state @ self._weights["V"][gene]
        logits[:, self._alphabet.sizes[gene] :] = -np.inf
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: Values = weights / weights.sum(axis=1, keepdims=True)
        return shares

    def ask(self, n: int, rng: np.random.Generator) -> Population:
        """Sample from the policy."""
        if not self._weights:
            self._begin(rng)
        state = np.zeros((n, self.hidden), dtype=np.float32)
        before = np.full(n, MOST)
        letters = np.zeros((n, self.problem.genes), dtype=np.intp)
        drawn = rng.random((n, self.problem.genes))
        for gene in range(self.problem.genes):
            state, _ = self._cell(self._weights["E"][gene, before], state)
            ends = np.cumsum(self._shares(gene, state), axis=1)
            before = letters[:, gene] = (drawn[:, gene, None] > ends[:, :-1]).sum(axis=1)
        return self.problem.repair(self._alphabet.write(letters, rng))

    def tell(self, population: Population, evaluation: Evaluation) -> None:
        """Take one gradient step."""
        if not self._weights:
            return
        reward = self._reward(evaluation.objective, evaluation.feasible)
        advantage = ((reward - self._baseline) / len(population)).astype(np.float32)
        self._baseline = FORGET * self._baseline + (1.0 - FORGET) * float(reward.mean())
        self._climb(self.gradient(self._alphabet.read(population), advantage))

    def gradient(self, letters: Letters, advantage: Values) -> dict[str, Values]:
        """Gradient of the mean reward: backpropagation through the genes."""
        rows, weights, h = np.arange(len(letters)), self._weights, self.hidden
        state = np.zeros((len(letters), h), dtype=np.float32)
        before = np.full(len(letters), MOST)
        past: list[tuple[tuple[Values, ...], Letters, Values, Values]] = []
        for gene in range(self.problem.genes):
            state, cache = self._cell(weights["E"][gene, before], state)
            shares, chosen = self._shares(gene, state), letters[:, gene]
            logs = np.log(shares + 1e-12)
            flow = -shares * advantage[:, None]
            flow[rows, np.maximum(chosen, 0)] += advantage
            flow -= self.entropy / len(letters) * shares * (logs - (shares * logs).sum(axis=1, keepdims=True))
            flow[chosen < 0] = 0.0
            past.append((cache, before, state, flow))
            before = np.where(chosen >= 0, chosen, MOST)
        found = {name: np.zeros_like(one) for name, one in weights.items()}
        back = np.zeros_like(state)
        for gene in reversed(range(self.problem.genes)):
            cache, before, state, flow = past[gene]
            found["c"][gene], found["V"][gene] = flow.sum(axis=0), state.T @ flow
            back, x = self._cell_backward(cache, back + flow @ weights["V"][gene].T, found)
            np.add.at(found["E"][gene], before, x)
        return found

    def _cell_backward(
        self, cache: tuple[Values, ...], back: Values, found: dict[str, Values]
    ) -> tuple[Values, Values]:
        """Gradients of the earlier state and of the input; gradients of the gates are added to `found`."""
        both, update, reset, kept, candidate, state = cache
        h, W = self.hidden, self._weights["W"]
        of_candidate = back * update * (1.0 - candidate**2)
        of_kept = of_candidate @ W[:, 2 * h :].T
        of_update = back * (candidate - state) * update * (1.0 - update)
        of_reset = of_kept[:, h:] * state * reset * (1.0 - reset)
        of_gates = np.concatenate([of_update, of_reset], axis=1)
        of_both = of_gates @ W[:, : 2 * h].T
        found["W"][:, : 2 * h] += both.T @ of_gates
        found["W"][:, 2 * h :] += kept.T @ of_candidate
        found["b"][: 2 * h] += of_gates.sum(axis=0)
        found["b"][2 * h :] += of_candidate.sum(axis=0)
        earlier = back * (1.0 - update) + of_kept[:, h:] * reset + of_both[:, h:]
        return earlier, of_kept[:, :h] + of_both[:, :h]

    def _climb(self, gradient: dict[str, Values]) -> None:
        """Adam for the recurrent network, a plain step for the independent logits."""
        self._steps += 1
        for name, grad in gradient.items():
            if name == "c":
                self._weights[name] += self.base_rate * grad
                continue
            mean, square = self._moments[name]
            mean += (1.0 - MEAN) * (grad - mean)
            square += (1.0 - SQUARE) * (grad**2 - square)
            right = mean / (1.0 - MEAN**self._steps), square / (1.0 - SQUARE**self._steps)
            self._weights[name] += self.learning_rate * right[0] / (np.sqrt(right[1]) + 1e-8)


def _sigmoid(x: Values) -> Values:
    result: Values = 0.5 * (np.tanh(0.5 * x) + 1.0)
    return result


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evaluations", type=int, default=5_000)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--tables", default=",".join(shipped_tables()))
    parser.add_argument("--supernet", type=Path, help="folder of ohmnas supernet train, instead of the tables")
    arguments = parser.parse_args()
    budget = Budget(iterations=arguments.evaluations // 20, evaluations=arguments.evaluations)
    for title, problem in _problems(arguments):
        print(f"{title}, {arguments.seeds} seeds: objective (mean ± standard error)")
        early = arguments.evaluations // 10
        print(f"{'':12}{f'{early:,} evals':>18}{f'{arguments.evaluations:,} evals':>18}{'seconds':>9}")
        for name, make in (("reinforce", Reinforce), ("controller", Controller)):
            start = time.process_time()
            runs = [search(problem, make, seed, budget) for seed in range(arguments.seeds)]
            seconds = (time.process_time() - start) / arguments.seeds
            columns = [[best_after(run, asked) for run in runs] for asked in (early, arguments.evaluations)]
            print(f"{name:12}{_spread(columns[0]):>18}{_spread(columns[1]):>18}{seconds:9.2f}")
        print()


def _problems(arguments: argparse.Namespace) -> list[tuple[str, Problem]]:
    if arguments.supernet is not None:
        from ohmnas.oneshot import Supernet, SupernetEstimator

        supernet = Supernet.load(arguments.supernet)
        plan = supernet.plan
        limits = Limits(plan.max_params / 2.0, plan.max_macs)
        one = Problem(plan.space, SupernetEstimator(supernet), limits, Accuracy(), plan.within)
        return [(str(arguments.supernet), one)]
    tables = [(table, read_table(table)) for table in arguments.tables.split(",")]
    return [
        (f"{name} on {chip}", problem_of(name, chip))
        for name, table in tables
        for chip in learnable_chips(table)
        if len(table.select(chip)) >= FEWEST
    ]


def _spread(values: list[float]) -> str:
    error: Any = np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return f"{np.mean(values):.4g} ± {error:.2g}"


if __name__ == "__main__":
    main()
