"""Page about one or several search results."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from shlex import quote
from typing import Final

from ohmnas.datasets.campaign.picks import FOUND
from ohmnas.report import charts
from ohmnas.report.columns import always_shown
from ohmnas.report.network import small_network
from ohmnas.report.page import Group, render
from ohmnas.report.sections.drawing import network_section
from ohmnas.report.sections.drift import drift_section
from ohmnas.report.sections.layers import layers_section
from ohmnas.report.sections.limits import limits_section
from ohmnas.report.sections.neighbours import neighbours_section
from ohmnas.report.sections.predicted import predicted_section
from ohmnas.report.sections.provenance import provenance_section, repeat_section
from ohmnas.report.sections.search import convergence_section, front_section
from ohmnas.report.sections.side_by_side import side_by_side_section
from ohmnas.report.subject import Subject
from ohmnas.search.candidate import Candidate
from ohmnas.search.quantity_words import WORDS, listed
from ohmnas.version import version


def results_page(subjects: Sequence[Subject]) -> str:
    """Return the page about these results, side by side if there are several.

    Args:
        subjects: at least one result.
    """
    several = len(subjects) > 1
    ids, groups = _networks(subjects)
    sections = [
        *([side_by_side_section(subjects)] if several else []),
        *(limits_section(one, several) for one in subjects),
        network_section(subjects),
        drift_section(subjects),
        *(predicted_section(one, several, place) for place, one in enumerate(subjects)),
        front_section(subjects, ids),
        convergence_section(subjects),
        *(neighbours_section(one, groups, several, place) for place, one in enumerate(subjects)),
        *(layers_section(one, several, place) for place, one in enumerate(subjects)),
        *(provenance_section(one, several) for one in subjects),
        repeat_section(subjects),
    ]
    first = subjects[0]
    title = (
        f"{len(subjects)} results side by side: {', '.join(one.name for one in subjects)}"
        if several
        else f"A network of {first.result.best.params:,} parameters for {first.task}"
    )
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    folder = "" if several else f"{first.name}: "
    subtitle = f"{folder}{_where(subjects)}. Report of ohmnas {version()}, {today}."
    facts = [] if several else _facts(first)
    return render(title, subtitle, facts, _lead(subjects), [one for one in sections if one is not None], groups)


def _where(subjects: Sequence[Subject]) -> str:
    return "; ".join(dict.fromkeys(f"{one.task} on {one.chip_name}" for one in subjects))


def _facts(one: Subject) -> list[tuple[str, str, str]]:
    best = one.result.best
    found = []
    for target in one.targets:
        words = WORDS[target.name]
        measured = None if one.measured_best is None else one.measured_best.mean(target.name)
        predicted = best.predicted[target.name]
        interval = best.interval.get(target.name)
        ends = "" if interval is None else f"{words.number(interval[0])} to {words.number(interval[1])}"
        between = f"; 90 % interval {ends}" if ends else ""
        if measured is None and target.name in best.measured:
            of = "1 training" if best.trainings == 1 else f"{best.trainings} trainings"
            note = f"expected; measured {words.text(best.measured[target.name])} ({of})"
            found.append((words.title, words.text(predicted), note))
        elif measured is None:
            found.append((words.title, words.text(predicted), f"predicted{between}"))
        else:
            found.append((words.title, words.text(measured), f"measured; predicted {words.text(predicted)}"))
    found.append(("parameters", f"{best.params:,}", ""))
    found.append(("MACs per image", f"{best.macs:,}", ""))
    if "tiles" in best.costs:
        found.append(("crossbar tiles", f"{best.costs['tiles']:,.0f}", ""))
    if "energy" in best.costs:
        found.append(("energy", WORDS["energy"].text(best.costs["energy"]), "per image (proxy)"))
    return found


def _lead(subjects: Sequence[Subject]) -> list[str]:
    if len(subjects) > 1:
        lead = [
            f"{one.name}: {one.result.best.architecture}"
            + (f" on {one.result.best.chip}" if one.result.best.chip else "")
            for one in subjects
        ]
        if len({(one.task, one.chip_name) for one in subjects}) > 1:
            lead.append("These results are for different tasks or chips: their numbers are not comparable.")
        if len({json.dumps(one.result.constraints, sort_keys=True) for one in subjects}) > 1:
            lead.append("The results have different limits.")
        if any(one.measured_best is None for one in subjects):
            lead.append(
                "Predicted values of found networks are optimistic: train and measure a network before you quote a "
                "number."
            )
        return [*lead, _definitions(subjects[0])]
    one = subjects[0]
    result, best = one.result, one.result.best
    lead = [f"Chip: {best.chip}."] if best.chip else []
    if result.references and result.references[0].genome != best.genome:
        lead.append(_against(one, result.references[0]))
    network = one.measured_best
    if network is not None and one.measurement is not None:
        error = network.error("accuracy_1d")
        text = WORDS["accuracy_1d"].text(network.mean("accuracy_1d") or 0.0)
        plus = "" if error is None else f" (standard error {100 * error:.2f} points)"
        lead.append(
            f"Measured: {text} after a day{plus}, over {one.measurement.trainings} trainings with "
            f"{one.measurement.chips} chips each, on {one.measurement.test_images:,} test images."
        )
    elif one.is_refined:
        lead.append(
            "These values combine measurements on validation images, which were used to choose the network, with "
            "predictions of surrogates that were not trained on it. Before you quote a number, measure the network on "
            "the test images."
        )
        if one.is_trial:
            lead.append(
                f"The networks had short trial trainings (fidelity {one.fidelity}). A full training gives other "
                "accuracies, and may change their order."
            )
    else:
        lead.append(
            "The found network has not been measured. The best of many predictions is optimistic: train and measure "
            "the network before you quote a number."
        )
    return [*lead, _definitions(one)]


def _definitions(one: Subject) -> str:
    """Define the targets."""
    variation = one.targets[2]
    return (
        f"{variation.title}: {_VARIATION_WORDS[variation.name]}, so a positive value is a loss. std: standard "
        "deviation over simulated chips. Measurements are simulations of chips, too."
    )


_VARIATION_WORDS: Final = {
    "avm": "accuracy one second after programming minus accuracy a month later",
    "avm_60s": "accuracy one minute after programming minus accuracy a month later",
}


def _against(one: Subject, reference: Candidate) -> str:
    """Compare the found network with a reference: by measured values if both have them, else by predictions."""
    best, variation = one.result.best, one.targets[2].name
    networks = one.measurement.networks if one.measurement else {}
    theirs, ours = networks.get(reference.name), one.measured_best
    if theirs is not None and theirs.genome != reference.genome:  # another network of this name
        theirs = None
    values = [{name: each.mean(name) for name in ("accuracy_1d", variation)} for each in (ours, theirs) if each]
    kind = "expected" if one.is_refined else "predicted"
    if len(values) == 2 and all(value is not None for each in values for value in each.values()):
        first, second = ({name: value or 0.0 for name, value in each.items()} for each in values)
        be, lose, doubt = "it was", "lost", ""
    else:
        first, second = best.predicted, reference.predicted
        be, lose = f"it is {kind} to be", "to lose"
        doubt = _only_measured(best, reference) + _doubt(
            best, reference, "more trainings" if one.is_refined else "measurements"
        )
    accuracy, loss = 100 * (first["accuracy_1d"] - second["accuracy_1d"]), 100 * (second[variation] - first[variation])
    than = f"{abs(accuracy):.2f} points {'more' if accuracy >= 0 else 'less'} accurate after a day"
    lost = f"{abs(loss):.2f} points {'less' if loss >= 0 else 'more'} over a month"
    return (
        f"Compared with {reference.name} ({reference.params:,} parameters), the best reference network by {kind} "
        f"accuracy, {be} {than}, and {lose} {lost}.{doubt} "
        f"{_price(best, reference)}"
    )


def _only_measured(best: Candidate, reference: Candidate) -> str:
    """Compare the measurements of a refinement, which also go into the expected values; empty without them."""
    ours, theirs = best.measured.get("accuracy_1d"), reference.measured.get("accuracy_1d")
    if ours is None or theirs is None:
        return ""
    counts = f"{best.trainings} and {reference.trainings} trainings"
    return f" By measurements alone, the difference in accuracy is {100 * (ours - theirs):+.2f} points ({counts})."


def _doubt(best: Candidate, reference: Candidate, remedy: str) -> str:
    """Return a sentence if the 90 % intervals of the two accuracies overlap; else an empty string."""
    ours, theirs = (one.interval.get("accuracy_1d") for one in (best, reference))
    if ours is None or theirs is None or ours[0] > theirs[1] or theirs[0] > ours[1]:
        return ""
    words = WORDS["accuracy_1d"]
    first, second = (f"{words.number(low)} to {words.number(high)}" for low, high in (ours, theirs))
    return f" Their 90 % intervals overlap ({first} and {second}), so only {remedy} can tell the two networks apart."


def _price(best: Candidate, reference: Candidate) -> str:
    """Compare the costs of two networks in one sentence."""
    parts = [f"{_ratio(best.macs / max(reference.macs, 1))} times the MACs"]
    energies = [one.costs.get("energy", 0.0) for one in (best, reference)]
    if min(energies) > 0:
        parts.append(f"{_ratio(energies[0] / energies[1])} times the energy (proxy)")
    if all("tiles" in one.costs for one in (best, reference)):
        parts.append(f"{best.costs['tiles']:,.0f} tiles instead of {reference.costs['tiles']:,.0f}")
    return f"It needs {listed(parts)}."


def _ratio(value: float) -> str:
    return f"{value:.1f}" if value >= 2.0 else f"{value:.2f}"


def _networks(subjects: Sequence[Subject]) -> tuple[dict[int, str], list[Group]]:
    """Return the ids of the candidates of all results, and the networks for the page's script."""
    ids: dict[int, str] = {}
    groups = []
    for place, one in enumerate(subjects):
        group = Group([WORDS[name].title for name in always_shown(one)], {}, _picking(one))
        groups.append(group)
        before = f"{one.name}: " if len(subjects) > 1 else ""
        named = [("b", f"{before}found", FOUND, one.result.best)]
        front = enumerate(one.result.front, 1)
        named += [("f", f"{before}front {number}", f"front:{number}", each) for number, each in front]
        named += [("r", each.name, each.name, each) for each in one.result.references]
        seen: dict[tuple[str, tuple[int, ...]], str] = {}
        for number, (kind, title, word, candidate) in enumerate(named):
            key = ("r" if kind == "r" else "f", candidate.genome)
            if key in seen:  # for example, the found network is on the front
                ids[id(candidate)] = seen[key]
                continue
            name = f"{kind}{place}-{number}"
            ids[id(candidate)] = seen[key] = name
            texts = [WORDS[quantity].text(charts.value(candidate, quantity)) for quantity in always_shown(one)]
            architecture = f"{candidate.architecture}" + (f" on {candidate.chip}" if candidate.chip else "")
            boxes = small_network(one.result.space, candidate)
            group.networks[name] = (title, architecture, texts, boxes, quote(word))  # type: ignore[index]
    return ids, groups


def _picking(one: Subject) -> list[tuple[str, str]]:
    """Return the commands that measure and train a network of a result, as in `Group.commands`."""
    path, how = quote(str(one.path)), one.flags
    return [
        ("Measure it on the test images:", f"ohmnas verify {path} {how} --pick"),
        ("Train it and keep its weights:", f"ohmnas train {path} {how} --out net --pick"),
    ]
