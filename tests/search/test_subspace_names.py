from __future__ import annotations

from dataclasses import fields

from ohmnas.search.subspace_names import CRITERIA
from ohmnas.search.subspaces import Subspace


def test_criteria_are_fields_of_a_sub_space() -> None:
    assert set(CRITERIA) <= {field.name for field in fields(Subspace)}
