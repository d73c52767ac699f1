from __future__ import annotations

from ohmnas.datasets.tasks.catalogue import TASKS
from ohmnas.datasets.tasks.loaders.archives import ARCHIVES, BY_HAND


def test_every_task_has_an_archive_or_a_way_to_get_its_files() -> None:
    assert {*ARCHIVES, *BY_HAND} == {*TASKS.own}
