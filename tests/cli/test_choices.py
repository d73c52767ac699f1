from __future__ import annotations

from collections.abc import Iterable

import pytest

from ohmnas.cli import choices
from ohmnas.datasets.backends import BACKENDS
from ohmnas.datasets.fidelity import FIDELITIES
from ohmnas.datasets.loaders.download import ARCHIVES
from ohmnas.datasets.plan import PLANS
from ohmnas.datasets.protocol import DEVICES, ENGINE_NAMES
from ohmnas.datasets.task import TASKS
from ohmnas.search.objective import PLAIN, WEIGHING
from ohmnas.search.quantities import QUANTITIES
from ohmnas.search.strategies import STRATEGIES
from ohmnas.spaces.hardware import PRESETS
from ohmnas.surrogate.study import RESAMPLES
from ohmnas.surrogate.surrogate import MARGINS


@pytest.mark.parametrize(
    ("written", "there"),
    [
        (choices.TASKS, TASKS),
        (choices.DOWNLOADS, ARCHIVES),
        (choices.FIDELITIES, FIDELITIES),
        (choices.CHIPS, PRESETS),
        (choices.ENGINES, ENGINE_NAMES),
        (choices.DEVICES, DEVICES),
        (choices.BACKENDS, BACKENDS),
        (choices.PLANS, PLANS),
        (choices.OBJECTIVES, [*PLAIN, *WEIGHING]),
        (choices.QUANTITIES, QUANTITIES),
        (choices.STRATEGIES, STRATEGIES),
        (choices.MARGINS, MARGINS),
        ([choices.RESAMPLES], [RESAMPLES]),
    ],
    ids=lambda values: " ".join(map(str, values)),
)
def test_what_help_offers_is_what_the_library_has(written: Iterable[object], there: Iterable[object]) -> None:
    assert [*written] == [*there]
