from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from ohmnas.report.columns import shared_columns
from ohmnas.report.measured import MeasuredNetwork
from ohmnas.report.results import results_page
from ohmnas.report.subject import as_json, read_subject, read_subjects

LARGEST = 2_000_000


def sections(page: str) -> list[str]:
    return re.findall(r"<h2>(.*?)</h2>", page)


def test_a_search_has_all_sections(found: Path, front: Path) -> None:
    page = results_page([read_subject(found)])
    assert sections(page) == [
        "Limits and values", "The network", "Drift", "Predictions", "Convergence", "Neighbours", "Layers and tiles",
        "Provenance", "Repeat",
    ]  # fmt: skip
    assert len(page.encode()) < LARGEST
    measured = results_page([read_subject(front)])
    assert {"Front", "Predicted and measured"} <= {*sections(measured)}
    assert len(measured.encode()) < LARGEST


def test_several_results_are_shown_side_by_side(found: Path, front: Path) -> None:
    page = results_page(read_subjects([found, front, found]))
    assert "Results" in sections(page)
    assert "Predicted and measured: front" in sections(page)
    assert "Limits and values: front" in sections(page)
    anchors = re.findall(r'<section id="(.*?)"', page)
    assert len(anchors) == len(set(anchors))
    assert len(page.encode()) < LARGEST


def test_a_result_without_surrogate_table_chip_history_and_references_is_a_page(found: Path) -> None:
    one = read_subject(found)
    bare = replace(
        one.result, provenance={}, history=[], references=[], constraints={}, best=replace(one.result.best, interval={})
    )
    page = results_page([replace(one, result=bare, drift={}, neighbours=None)])
    assert "no surrogate was found" in page


def test_text_from_the_file_is_escaped(found: Path) -> None:
    one = read_subject(found)
    evil = "<script>alert(1)</script>"
    result = replace(
        one.result,
        strategy=evil,
        objective=evil,
        parameters={evil: evil},
        command=("search", evil, "; rm -rf ~"),
        provenance={**one.result.provenance, "fidelity": evil, "versions": {evil: evil}, "chip": {evil: evil}},
        references=[replace(one.result.references[0], name=evil)],
        excluded=(evil,),
    )
    page = results_page([replace(one, result=result, name=evil, path=Path(evil))])
    assert page.count("<script") == 2
    page = page.replace("<span>", "").replace("</span>", "")
    assert "ohmnas search &#39;&lt;script&gt;alert(1)&lt;/script&gt;&#39; &#39;; rm -rf ~&#39;" in page


def test_known_facts_as_json(found: Path, front: Path) -> None:
    values = as_json(read_subject(front))
    assert {"drift", "measured", "layers"} == {*values}
    json.dumps(values, allow_nan=False)
    assert shared_columns(read_subjects([found, front]))[:3] == ["accuracy_1d", "accuracy_1d_std", "avm"]


def test_a_refinement_shows_what_it_measured(found: Path) -> None:
    one = read_subject(found)
    values = one.result.best.predicted
    measured = replace(one.result.best, measured=values, held_out=values, trainings=2, weights=("0a-quick-0",))
    history = [{"iteration": 0, "evaluations": 12, "objective": 0.0, "accuracy_1d": 0.0, "feasible": 0}]
    refined = replace(one.result, best=measured, strategy="refine", history=[*history, *one.result.history])
    page = results_page([replace(one, result=refined, drift={}, neighbours=None)])
    assert "Expected and measured" in sections(page)
    assert "(2 training runs)" in page
    assert ">held out<" in page
    assert "networks/0a-quick-0" in page
    assert "The refinement maximised" in page
    assert "The found network is expected to be" in page
    assert "Drift" not in sections(page)
    assert "trained only briefly" not in page
    trial = replace(refined, provenance={**refined.provenance, "fidelity": "quick"})
    page = results_page([replace(one, result=trial, drift={}, neighbours=None)])
    assert "trained only briefly (fidelity quick: 10 epochs, at most 5,000 images, 8 chips)" in page
    assert "--fidelity table" in page
    assert "Expected values of the best network after each round of training runs" in page
    assert "Nothing here is measured yet" not in page


def test_the_lead_compares_measured_values_if_there_are_any(found: Path, front: Path) -> None:
    predicted = results_page([read_subject(found)])
    assert "The found network is predicted to be" in predicted
    assert "times the MACs" in predicted
    one = read_subject(front)
    assert one.measurement is not None
    reference = one.result.references[0]
    values = {"accuracy_1d": (0.75,), "avm": (0.0,)}
    networks = {**one.measurement.networks, reference.name: MeasuredNetwork(reference.genome, values)}
    ours = MeasuredNetwork(one.result.best.genome, {"accuracy_1d": (0.5,), "avm": (0.25,)})
    page = results_page([replace(one, measurement=replace(one.measurement, networks={**networks, "found": ours}))])
    assert "The found network was 25.00 points less accurate after a day than" in page
    assert "highest predicted accuracy, and lost 25.00 points more over a month. The found network needs" in page
    networks[reference.name] = MeasuredNetwork(one.result.best.genome, values)  # another network of this name
    page = results_page([replace(one, measurement=replace(one.measurement, networks={**networks, "found": ours}))])
    assert "The found network was" not in page


def test_the_lead_names_a_reference_that_was_found_and_the_labels_of_the_table(found: Path) -> None:
    one = read_subject(found)
    known = one.result.references[0]
    assert f"In the surrogate&#39;s table, {known.name} was measured:" in results_page([one])
    bounds = {**one.result.constraints, "reference": known.name}
    same = replace(one.result, best=replace(known, name=""), constraints=bounds)
    page = results_page([replace(one, result=same)])
    assert f"<h1>{known.name} of {known.params:,} parameters for digits</h1>" in page
    assert f"The found network is the reference network {known.name}. The search found no other network" in page
    plain = replace(one, result=replace(same, constraints={**bounds, "reference": "another"}))
    assert f"The found network is the reference network {known.name}.</p>" in results_page([plain])


def test_a_fidelity_that_no_longer_exists_is_named_in_the_lead(found: Path) -> None:
    one = read_subject(found)
    assert "learned from training runs with an earlier recipe (fidelity paper)" in results_page([one])
    now = replace(one, result=replace(one.result, provenance={**one.result.provenance, "fidelity": "table"}))
    assert "with an earlier recipe" not in results_page([now])


def test_picked_networks_that_were_measured_are_shown(front: Path) -> None:
    one = read_subject(front)
    assert one.measurement is not None
    other = one.result.front[1]
    networks = {**one.measurement.networks, "front:2": MeasuredNetwork(other.genome, {"accuracy_1d": (0.9,)})}
    shown = replace(one, measurement=replace(one.measurement, networks=networks))
    assert shown.networks["front:2"].genome == other.genome
    assert ">front:2<" in results_page([shown])
    wrong = {**networks, "front:2": MeasuredNetwork(one.result.best.genome, {})}
    assert "front:2" not in replace(one, measurement=replace(one.measurement, networks=wrong)).networks
