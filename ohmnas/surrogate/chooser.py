"""Active campaigns: a surrogate fitted to the measured rows selects some of the architectures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ohmnas.datasets.campaign.campaign import Campaign
from ohmnas.datasets.campaign.choices import Key
from ohmnas.datasets.campaign.plan import mutants
from ohmnas.datasets.campaign.store import Store
from ohmnas.errors import InvalidValueError
from ohmnas.spaces.genes import Population, unseen
from ohmnas.surrogate.active import candidates_near, promising
from ohmnas.surrogate.surrogate import Surrogate
from ohmnas.surrogate.training_set import TrainingSet

FIRST = 40
"""Number of architectures from the plan before the surrogate is used."""
BATCH = 24
"""Architectures selected per batch: a sixth near the predicted front, a sixth mutants of the best measured networks,
the rest from the plan."""


PARENTS = 20
"""Number of best measured networks that are mutated."""
MUTANTS = 200
"""Number of mutants drawn. More than needed, because known mutants and mutants out of bounds are dropped."""


def planned(n: int, stored: int) -> int:
    """Length of a plan that is long enough to select n architectures when the store already has `stored` rows."""
    return max(n, FIRST) + BATCH + stored


@dataclass(frozen=True, slots=True)
class Chooser:
    """Selects architectures for a campaign on its first chip. Selections are stored before they are measured."""

    campaign: Campaign
    """Campaign to fill. The size of its population is the number of architectures to select; its rows are ignored."""
    plan: Population
    """Plan for the first architectures and for part of each batch; `planned` gives its length."""
    store: Store

    @property
    def _key(self) -> Key:
        protocol = self.campaign.protocol
        return protocol.task.name, self.campaign.chips[0].name, protocol.fidelity.name, self.campaign.seed

    def chosen(self) -> Population:
        """``(n, g)``: selected architectures, at most as many as the campaign measures.

        The first selections are the architectures of the initial table, or else the first architectures of the plan.
        """
        return self._noted()[: len(self.campaign.population)]

    def _noted(self) -> Population:
        """All selections, in whole batches: a campaign that is extended later selects the same architectures."""
        noted = self.store.chosen(self._key)
        if not len(noted):
            initial = self._stored()  # architectures of the initial table
            self.store.choose(self._key, initial if len(initial) else self.plan[:FIRST], after=0)
            noted = self.store.chosen(self._key)
        return noted

    def campaigns(self) -> Iterator[Campaign]:
        """Yield the campaign batch by batch; each batch is selected after the previous one is measured."""
        campaign = self.campaign
        while len(chosen := self.chosen()) < len(campaign.population):
            yield replace(campaign, population=chosen)
            campaign = replace(campaign, retry_failed=False)  # retry only once
            self.choose()
        yield replace(campaign, population=chosen)

    def choose(self) -> None:
        """Select the next batch from all measured rows; see `BATCH`."""
        noted, data = self._noted(), self._measured()
        known = np.concatenate([noted, self._stored()])
        selected = noted[:0]
        if data is not None:
            surrogate, task = Surrogate.learn(data).model_, self.campaign.protocol.task
            bounds = (task.max_params, task.max_macs, task.min_params)
            candidates = candidates_near(surrogate, data.population, known, *bounds, self.campaign.seed)
            selected = candidates[promising(surrogate, candidates, data.population, BATCH // 6)]
            rng = np.random.default_rng([self.campaign.seed, len(known)])
            drawn = mutants(task, _best(data), MUTANTS, rng)
            selected = np.concatenate([selected, unseen(drawn, np.concatenate([known, selected]))[: BATCH // 6]])
        rest = unseen(self.plan, np.concatenate([known, selected]))[: BATCH - len(selected)]
        self.store.choose(self._key, np.concatenate([selected, rest]), after=len(noted))

    def _stored(self) -> Population:
        """``(n, g)``: architectures with this key in the store, including failures."""
        found = sorted(row[len(self._key) :] for row in self.store.identities() if row[: len(self._key)] == self._key)
        return np.array(found, dtype=np.int16).reshape(-1, len(self.campaign.protocol.task.space.genes))

    def _measured(self) -> TrainingSet | None:
        """Return the training rows; None if there are too few."""
        _, hardware, fidelity, _ = self._key
        table = self.store.table(self.campaign.protocol.task)
        try:
            return TrainingSet.of(table, hardware, fidelity)
        except InvalidValueError:
            return None


def _best(data: TrainingSet) -> Population:
    """``(k, g)``: the `PARENTS` networks with accuracies closest to the best among networks that are not larger."""
    order = np.argsort(data.space.params(data.population), kind="stable")
    accuracy = data.labels["accuracy_1d"][order]
    gap = np.maximum.accumulate(accuracy) - accuracy
    return data.population[order[np.argsort(gap, kind="stable")[:PARENTS]]]
