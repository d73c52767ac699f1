from __future__ import annotations

import pytest

from .conftest import Ohmnas

HEADS = {"accuracy_1d", "accuracy_1d_std", "avm"}


@pytest.mark.slow
def test_scores_have_the_documented_form_and_stand_below_their_ceilings(ohmnas: Ohmnas) -> None:
    values = ohmnas("score", "--table", "digits", "--rounds", "1", "--json").values
    assert values["table"] == "digits"
    assert values["rows"] >= 300
    assert set(values["heads"]) == HEADS
    for head in values["heads"].values():
        assert 0.2 < head["kendall_tau"]["mean"] < head["ceiling"] < 1
        assert head["kendall_tau"]["std"] > 0
        assert {"spearman", "precision_at_10"} <= set(head)


def test_a_person_sees_tau_beside_its_ceiling(ohmnas: Ohmnas) -> None:
    out = ohmnas("score", "--table", "digits", "--rounds", "1").out
    assert set(out.split()) >= HEADS
    assert "Kendall's tau" in out
    assert "ceiling" in out
