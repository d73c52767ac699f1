from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ohmnas.report.lead import lead
from ohmnas.report.subject import Subject, read_subject, read_subjects


def _refined(one: Subject) -> Subject:
    """The same result as if a refinement had measured its best network and the first reference."""
    best, first, *others = (one.result.best, *one.result.references)
    held_out = {**best.predicted, "accuracy_1d": 0.9, "accuracy_1d_std": 0.01}
    measured = replace(best, trainings=2, measured=best.predicted, held_out=held_out)
    known = replace(first, trainings=1, measured=first.predicted)
    return replace(one, result=replace(one.result, best=measured, references=[known, *others]))


def test_the_found_network_is_the_subject_of_its_costs(found: Path) -> None:
    text = lead([read_subject(found)])[0]
    assert "The found network needs" in text
    assert "It needs" not in text
    assert "so only measurements can tell the two networks apart" in text
    assert "Its accuracy/std, which was maximised, is" in text


def test_a_refinement_has_no_interval_of_predictions(found: Path) -> None:
    texts = " ".join(lead([_refined(read_subject(found))]))
    assert "intervals overlap" not in texts
    assert "2 and 1 training runs, too few for an interval" in texts
    assert "(90 predicted without its measurements)" in texts


def test_differences_are_those_of_the_printed_values(found: Path) -> None:
    one = read_subject(found)
    first = one.result.references[0]
    best = replace(one.result.best, predicted={**one.result.best.predicted, "accuracy_1d": 0.79996, "avm": 0.01})
    known = replace(first, predicted={**first.predicted, "accuracy_1d": 0.79284, "avm": 0.01})
    text = lead([replace(one, result=replace(one.result, best=best, references=[known]))])[0]
    assert "0.72 points more accurate" in text  # 80.00 - 79.28


def test_a_better_measured_network_of_the_table_is_named(found: Path) -> None:
    one = read_subject(found)
    assert one.neighbours is not None
    best = one.result.best
    poor = replace(best, predicted={**best.predicted, "accuracy_1d_std": 0.1})
    texts = lead([replace(one, result=replace(one.result, best=poor))])
    assert any("a measured network within the limits with a larger accuracy/std" in text for text in texts)
    good = replace(best, predicted={**best.predicted, "accuracy_1d_std": 1e-4})
    assert not any(
        "larger accuracy/std" in text for text in lead([replace(one, result=replace(one.result, best=good))])
    )


def test_several_results_are_compared_by_their_values_and_limits(found: Path, front: Path) -> None:
    one, other = read_subjects([found, front])
    other = replace(other, measurement=None)
    limits = {**other.result.constraints, "max_params": 60_000}
    other = replace(other, result=replace(other.result, constraints=limits))
    texts = lead([one, other])
    assert texts[0].startswith("found: predicted 1-day accuracy ")
    assert texts[1].startswith("front: predicted 1-day accuracy ")
    assert any("different limits on parameters" in text for text in texts)
    assert any("(fidelity paper)" in text for text in texts)


def test_the_number_of_chips_is_named_if_it_is_known(found: Path, front: Path) -> None:
    assert "standard deviation over simulated chips" in lead([read_subject(found)])[-1]  # of an earlier version
    assert "standard deviation over 25 simulated chips" in lead([read_subject(front)])[-1]  # of the measurement
