"""Architectures that `ohmnas campaign --choose` takes by what is measured already, instead of a plan alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ohmnas.datasets.campaign import Campaign
from ohmnas.datasets.choices import Key
from ohmnas.datasets.plan import mutants
from ohmnas.datasets.store import Store
from ohmnas.datasets.table import MeasuredTable
from ohmnas.errors import InvalidValueError
from ohmnas.spaces.genes import GENES, Population
from ohmnas.surrogate import LearningSet, Surrogate
from ohmnas.surrogate.active import candidates_near, promising

FIRST = 40
"""Architectures of the plan before a surrogate is asked."""
BATCH = 24
"""Architectures that are chosen at once: a sixth where the surrogate hopes most, a sixth mutants of the best measured
networks, the others from the plan."""


PARENTS = 20
"""The best measured networks, whose mutants are measured."""
MUTANTS = 200
"""That are drawn, so that some are new and within bounds."""


def planned(n: int, there: int) -> int:
    """Architectures to plan, so that a plan outlasts n that are to be measured and those that are there already."""
    return max(n, FIRST) + BATCH + there


@dataclass(frozen=True, slots=True)
class Chooser:
    """Chooses for a campaign on its first chip; what it chose stands in the store before it is measured."""

    campaign: Campaign
    """Says how many are measured in all; its population does not matter."""
    plan: Population
    """What is taken while nothing is known, and half of each batch: `planned` many."""
    store: Store

    @property
    def _key(self) -> Key:
        protocol = self.campaign.protocol
        return protocol.task.name, self.campaign.chips[0].name, protocol.fidelity.name, self.campaign.seed

    def chosen(self) -> Population:
        """``(n, g)``: what has been chosen, at most as many as the campaign measures.

        At first these are the rows of the table that the store began with, or else the plan's beginning.
        """
        return self._noted()[: len(self.campaign.population)]

    def _noted(self) -> Population:
        """All that was chosen: batches are whole, so that a campaign that grows chooses as one that began as large."""
        noted = self.store.chosen(self._key)
        if not len(noted):
            there = self._stored()  # of a table that the store began with
            self.store.choose(self._key, there if len(there) else self.plan[:FIRST], after=0)
            noted = self.store.chosen(self._key)
        return noted

    def choose(self) -> None:
        """Choose the next batch by all that is measured; `BATCH` says of what."""
        noted, data = self._noted(), self._measured()
        known = np.concatenate([noted, self._stored()])
        hopeful = noted[:0]
        if data is not None:
            surrogate, task = Surrogate.learn(data), self.campaign.protocol.task
            bounds = (task.max_params, task.max_macs, task.min_params)
            candidates = candidates_near(surrogate, data.population, known, *bounds, self.campaign.seed)
            hopeful = candidates[promising(surrogate, candidates, data.population, BATCH // 6)]
            rng = np.random.default_rng([self.campaign.seed, len(known)])
            drawn = mutants(task, _best(data), MUTANTS, rng)
            hopeful = np.concatenate([hopeful, _fresh(drawn, np.concatenate([known, hopeful]))[: BATCH // 6]])
        there = {genome.tobytes() for genome in np.concatenate([known, hopeful])}
        planned = [genome for genome in self.plan if genome.tobytes() not in there]
        rest = np.array(planned[: BATCH - len(hopeful)], dtype=np.int16).reshape(-1, GENES)
        self.store.choose(self._key, np.concatenate([hopeful, rest]), after=len(noted))

    def _stored(self) -> Population:
        """``(n, g)``: what the store holds of this key, failures included."""
        found = sorted(row[len(self._key) :] for row in self.store.identities() if row[: len(self._key)] == self._key)
        return np.array(found, dtype=np.int16).reshape(-1, GENES)

    def _measured(self) -> LearningSet | None:
        """The rows to learn from; None if they are too few."""
        task, hardware, fidelity, _ = self._key
        chosen = self.campaign.protocol.task
        frame = self.store.frame()
        card = {"sha256": "", "task": task, "input_shape": list(chosen.input_shape), "classes": chosen.classes}
        table = MeasuredTable(frame[frame["task"] == task], card, str(self.store.path))
        try:
            return LearningSet.of(table, hardware, fidelity)
        except InvalidValueError:
            return None


def _best(data: LearningSet) -> Population:
    """``(k, g)``: the measured networks whose accuracy is nearest to the best at no more parameters."""
    order = np.argsort(data.space.params(data.population), kind="stable")
    accuracy = data.labels["accuracy_1d"][order]
    gap = np.maximum.accumulate(accuracy) - accuracy
    return data.population[order[np.argsort(gap, kind="stable")[:PARENTS]]]


def _fresh(population: Population, known: Population) -> Population:
    """The rows that are not known, each once."""
    old = {genome.tobytes() for genome in known}
    fresh = {key: genome for genome in population if (key := genome.tobytes()) not in old}
    return np.array(list(fresh.values()), dtype=np.int16).reshape(-1, GENES)
