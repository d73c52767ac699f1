"""First paragraphs of a page about results: what was found, how certain that is, and what the words mean."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any, Final

from ohmnas.datasets.campaign.fidelity import FIDELITIES, Fidelity, fidelity
from ohmnas.errors import counted
from ohmnas.report.columns import LIMITS, RATIO, ratio_of
from ohmnas.report.sections.neighbours import measured_within
from ohmnas.report.subject import Subject
from ohmnas.search.candidate import Candidate
from ohmnas.search.quantity_words import WORDS, listed

_VARIATION_WORDS: Final = {
    "avm": "accuracy one second after programming minus accuracy a month later",
    "avm_60s": "accuracy one minute after programming minus accuracy a month later",
}
_GROUPS: Final = {
    "least": "predictions (--at-least)",
    "most": "predictions (--at-most)",
    "soft": "soft limits",
    "genes": "genes",
    "confidence": "confidence",
    "conversion": "assumptions about conversions",
    "schedule": "the microcontroller's schedule",
    "penalty": "the weight of soft limits",
}
"""Group of limits in `SearchResult.constraints` -> words."""


def lead(subjects: Sequence[Subject]) -> list[str]:
    """Return the paragraphs for one or several results."""
    texts = _of_several(subjects) if len(subjects) > 1 else _of_one(subjects[0])
    return [*texts, *_old_fidelities(subjects), _definitions(subjects)]


def _of_several(subjects: Sequence[Subject]) -> list[str]:
    texts = [f"{one.name}: {_values(one)}." for one in subjects]
    if len({(one.task, one.chip_name) for one in subjects}) > 1:
        texts.append("These results are for different tasks or chips: their numbers are not comparable.")
    elif len(subjects) == 2 and not any(one.is_refined or one.measured_best for one in subjects):
        texts += [text] if (text := _overlap(*(one.result.best for one in subjects))) else []
    for one in subjects:
        if text := _better_in_table(one):
            texts.append(f"{one.name}: {text}")
    if different := _different_limits(subjects):
        texts.append(f"The results have different limits on {listed(different)}.")
    if any(one.measured_best is None for one in subjects):
        texts.append(
            "Predicted values of found networks are optimistic: train and measure a network before you quote a number."
        )
    return texts


def _values(one: Subject) -> str:
    """Describe the found network of a result by its values."""
    best = one.result.best
    network = one.measured_best
    of = {target.name: None if network is None else network.mean(target.name) for target in one.targets}
    how = "measured" if network is not None else "expected" if one.is_refined else "predicted"
    parts = []
    for target in one.targets:
        mean = of[target.name]
        words = WORDS[target.name]
        parts.append(f"{words.title} {words.text(best.predicted[target.name] if mean is None else mean)}")
    chip = f", on {best.chip}" if best.chip else ""
    return f"{how} {', '.join(parts)}; {best.params:,} parameters{chip}"


def _different_limits(subjects: Sequence[Subject]) -> list[str]:
    """Return the quantities and groups of limits in which the results differ."""
    names = list(dict.fromkeys(name for one in subjects for name in one.result.constraints))
    different = []
    for name in names:
        values: list[Any] = [one.result.constraints.get(name) for one in subjects]
        if any(value != values[0] for value in values) and name != "reference":
            quantity = LIMITS.get(name, ("",))[0]
            different.append(WORDS[quantity].title if quantity else _GROUPS.get(name, name))
    return list(dict.fromkeys(different))


def _of_one(one: Subject) -> list[str]:
    result, best = one.result, one.result.best
    texts = [f"Chip: {best.chip}."] if best.chip else []
    if one.reference_found:
        texts.append(_no_better(one))
    elif result.references:
        texts.append(_against(one, result.references[0]))
        texts += [text] if (text := _label(one, result.references[0])) else []
    texts += [text] if (text := _better_in_table(one)) else []
    network = one.measured_best
    if network is not None and one.measurement is not None:
        error = network.error("accuracy_1d")
        text = WORDS["accuracy_1d"].text(network.mean("accuracy_1d") or 0.0)
        plus = "" if error is None else f" (standard error {100 * error:.2f} points)"
        count, chips = one.measurement.trainings, f"with {one.measurement.chips} chips"
        runs = f"one training run {chips}" if count == 1 else f"{count} training runs {chips} each"
        return [
            *texts,
            f"Measured: {text} after a day{plus}, over {runs}, on {one.measurement.test_images:,} test images.",
        ]
    if not one.is_refined:
        return [
            *texts,
            "The found network has not been measured. The best of many predictions is optimistic: train and measure "
            "the network before you quote a number.",
        ]
    texts.append(
        "These values combine measurements on validation images, which were used to choose the network, with "
        "predictions of surrogates that were not trained on it. Before you quote a number, measure the network on the "
        "test images."
    )
    if one.is_trial:
        texts.append(
            f"These networks were trained only briefly (fidelity {_effort(one)}). Full training gives different "
            "accuracies and may change the ranking."
        )
    return texts


def _effort(one: Subject) -> str:
    """Return the name of the fidelity, with its epochs, images and chips if they are known."""
    effort = _fidelity(one)
    if effort is None:
        return one.fidelity
    epochs = counted(effort.epochs, "epoch")
    images = "" if effort.train_images is None else f", at most {effort.train_images:,} images"
    return f"{one.fidelity}: {epochs}{images}, {effort.chips} chips"


def _fidelity(one: Subject) -> Fidelity | None:
    """Return the fidelity that a result is based on; None if this version does not know it."""
    return fidelity(one.fidelity, one.task) if one.fidelity in FIDELITIES else None


def _old_fidelities(subjects: Sequence[Subject]) -> list[str]:
    """Warn about surrogates of earlier versions."""
    old = [one for one in subjects if one.fidelity not in (*FIDELITIES, "unknown")]
    if not old:
        return []
    names = listed(list(dict.fromkeys(one.fidelity for one in old)))
    whose = "The surrogate" if len(subjects) == 1 else f"The surrogate of {listed([one.name for one in old])}"
    return [
        f"{whose} learned from training runs with an earlier recipe (fidelity {names}). Its predictions are comparable "
        "with each other; new measurements are comparable with other new measurements."
    ]


def _definitions(subjects: Sequence[Subject]) -> str:
    """Define the targets."""
    variation = subjects[0].targets[2]
    counts = {
        one.measurement.chips if one.measurement else effort.chips if (effort := _fidelity(one)) else 0
        for one in subjects
    }
    chips = f"{next(iter(counts))} simulated chips" if len(counts) == 1 and 0 not in counts else "simulated chips"
    return (
        f"{variation.title}: {_VARIATION_WORDS[variation.name]}, so a positive value is a loss. std: standard "
        f"deviation over {chips}. Measured values also come from simulated chips."
    )


def _no_better(one: Subject) -> str:
    """Say that the found network is a reference network."""
    name = one.reference_found
    if one.result.constraints.get("reference") != name:
        return f"The found network is the reference network {name}."
    no_other = (
        "No other measured network within the limits is expected"
        if one.is_refined
        else "The search found no other network within the limits that is predicted"
    )
    variation = one.targets[2].title
    return f"The found network is the reference network {name}. {no_other} to match its accuracy and {variation}."


def _against(one: Subject, reference: Candidate) -> str:
    """Compare the found network with a reference: by measured values if both have them, else by predictions."""
    best, variation = one.result.best, one.targets[2].name
    networks = one.measurement.networks if one.measurement else {}
    theirs, ours = networks.get(reference.name), one.measured_best
    if theirs is not None and theirs.genome != reference.genome:  # another network of this name
        theirs = None
    values = [{name: each.mean(name) for name in ("accuracy_1d", variation)} for each in (ours, theirs) if each]
    kind = "expected" if one.is_refined else "predicted"
    ratio = ""
    if len(values) == 2 and all(value is not None for each in values for value in each.values()):
        first, second = ({name: value or 0.0 for name, value in each.items()} for each in values)
        be, lose, doubt = "was", "lost", ""
    else:
        first, second = best.predicted, reference.predicted
        be, lose = f"is {kind} to be", "to lose"
        doubt = _only_measured(best, reference) if one.is_refined else _overlap(best, reference)
        doubt = f" {doubt}" if doubt else ""
        if one.result.objective == RATIO:
            without = ratio_of(best.held_out)
            held_out = f" ({without:.0f} predicted without its measurements)" if isfinite(without) else ""
            ratio = (
                f" Its accuracy/std, which was maximised, is {ratio_of(first):.0f}{held_out} instead of "
                f"{ratio_of(second):.0f}."
            )
    accuracy = _points(first["accuracy_1d"]) - _points(second["accuracy_1d"])
    loss = _points(second[variation]) - _points(first[variation])
    more = f"{abs(accuracy):.2f} points {'more' if accuracy >= 0 else 'less'} accurate after a day"
    lost = f"{abs(loss):.2f} points {'less' if loss >= 0 else 'more'} over a month"
    return (
        f"The found network {be} {more} than {reference.name} ({reference.params:,} parameters), the reference network "
        f"with the highest {kind} accuracy, and {lose} {lost}.{ratio}{doubt} {_price(best, reference)}"
    )


def _points(value: float) -> float:
    """Return a fraction in per cent, rounded as the page prints it."""
    return round(100 * value, 2)


def _only_measured(best: Candidate, reference: Candidate) -> str:
    """Compare the measurements of a refinement, which also go into the expected values; empty without them."""
    ours, theirs = best.measured.get("accuracy_1d"), reference.measured.get("accuracy_1d")
    if ours is None or theirs is None:
        return ""
    counts = f"{best.trainings} and {reference.trainings} training runs"
    difference = _points(ours) - _points(theirs)
    return (
        f"By measurements alone, the difference in accuracy is {difference:+.2f} points ({counts}, too few for an "
        "interval)."
    )


def _overlap(best: Candidate, other: Candidate) -> str:
    """Return a sentence if the 90 % intervals of the two accuracies overlap; else an empty string."""
    ours, theirs = (one.interval.get("accuracy_1d") for one in (best, other))
    if ours is None or theirs is None or ours[0] > theirs[1] or theirs[0] > ours[1]:
        return ""
    words = WORDS["accuracy_1d"]
    first, second = (f"{words.number(low)} to {words.number(high)}" for low, high in (ours, theirs))
    return (
        f"Their 90 % intervals of the 1-day accuracy overlap ({first} and {second}), so only measurements can tell the "
        "two networks apart."
    )


def _label(one: Subject, reference: Candidate) -> str:
    """State the values of a reference network in the surrogate's table; empty if they are unknown."""
    labels, names = one.labels(reference), ("accuracy_1d", one.targets[2].name)
    if not labels.keys() >= {*names}:
        return ""
    values = [WORDS[name].text(labels[name]) for name in names]
    return (
        f"In the surrogate's table, {reference.name} was measured: {values[0]} after a day, {one.targets[2].title} "
        f"{values[1]}."
    )


def _better_in_table(one: Subject) -> str:
    """Say that the table has a measured network within the limits that beats the prediction; else an empty string."""
    rows = None if one.is_refined or one.measured_best is not None else measured_within(one)
    if rows is None or one.result.objective != RATIO:
        return ""
    pairs = rows[["accuracy_1d", "accuracy_1d_std"]].to_numpy(dtype=float).tolist()
    ratios = [ratio_of({"accuracy_1d": accuracy, "accuracy_1d_std": std}) for accuracy, std in pairs]
    best = max((ratio for ratio in ratios if isfinite(ratio)), default=0.0)
    if not best > ratio_of(one.result.best.predicted):
        return ""
    return (
        f"The table has a measured network within the limits with a larger accuracy/std ({best:.0f}): see Neighbours. "
        "The best of many measurements is optimistic, too."
    )


def _price(best: Candidate, reference: Candidate) -> str:
    """Compare the costs of two networks in one sentence."""
    parts = [f"{_ratio(best.macs / max(reference.macs, 1))} times the MACs"]
    energies = [one.costs.get("energy", 0.0) for one in (best, reference)]
    if min(energies) > 0:
        parts.append(f"{_ratio(energies[0] / energies[1])} times the energy (proxy)")
    if all("tiles" in one.costs for one in (best, reference)):
        parts.append(f"{best.costs['tiles']:,.0f} tiles instead of {reference.costs['tiles']:,.0f}")
    return f"The found network needs {listed(parts)}."


def _ratio(value: float) -> str:
    return f"{value:.1f}" if value >= 2.0 else f"{value:.2f}"
