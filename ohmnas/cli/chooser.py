"""What `ohmnas campaign --choose active` measures next: the plan's beginning, then batches with a surrogate's help."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ohmnas.datasets.campaign import Campaign
from ohmnas.datasets.store import Key, Store
from ohmnas.datasets.table import MeasuredTable
from ohmnas.errors import InvalidValueError
from ohmnas.spaces.genes import GENES, Population
from ohmnas.surrogate import LearningSet, Surrogate
from ohmnas.surrogate.active import candidates_near, promising

FIRST = 40
"""Architectures of the plan before a surrogate is asked."""
BATCH = 20
"""Architectures that are chosen at once."""


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
        """``(n, g)``: what has been chosen, at most as many as the campaign measures; at first from the plan alone."""
        return self._noted()[: len(self.campaign.population)]

    def _noted(self) -> Population:
        """All that was chosen: batches are whole, so that a campaign that grows chooses as one that began as large."""
        noted = self.store.chosen(self._key)
        if not len(noted):
            self.store.choose(self._key, self.plan[:FIRST], after=0)
            noted = self.store.chosen(self._key)
        return noted

    def choose(self) -> None:
        """Choose the next batch by all that is measured: half promising architectures, the others from the plan."""
        noted, data = self._noted(), self._measured()
        known = np.concatenate([noted, self._stored()])
        hopeful = noted[:0]
        if data is not None:
            surrogate, task = Surrogate.learn(data), self.campaign.protocol.task
            bounds = (task.max_params, task.max_macs, task.min_params)
            candidates = candidates_near(surrogate, data.population, known, *bounds, self.campaign.seed)
            hopeful = candidates[promising(surrogate, candidates, data.population, BATCH // 2)]
        there = {genome.tobytes() for genome in np.concatenate([known, hopeful])}
        planned = [genome for genome in self.plan if genome.tobytes() not in there]
        rest = np.array(planned[: BATCH - len(hopeful)], dtype=np.int16).reshape(-1, GENES)
        self.store.choose(self._key, np.concatenate([hopeful, rest]), after=len(noted))

    def _stored(self) -> Population:
        """``(n, g)``: what the store holds of this key, failures included."""
        found = [row[len(self._key) :] for row in self.store.identities() if row[: len(self._key)] == self._key]
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
