"""Page of one or several search results."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from math import isnan
from shlex import join, quote
from typing import Any, Final

from ohmnas.datasets.campaign.picks import FOUND
from ohmnas.datasets.tasks.task import task_word
from ohmnas.hardware import hardware, has_name
from ohmnas.report import charts
from ohmnas.report.drift import SECONDS, TARGETS_OVER_TIME, TIME_NAMES
from ohmnas.report.measured import Measurement
from ohmnas.report.network import network_svg, small_network, tiles_svg
from ohmnas.report.page import Cell, Figure, Grid, Group, Section, number_cell, render, text_cell
from ohmnas.report.subject import Subject
from ohmnas.search.candidate import Candidate
from ohmnas.search.quantity_words import WORDS
from ohmnas.spaces.stages import KIND_NAMES, LEGEND
from ohmnas.targets import ACCURACY, SPREAD, Target, variation_of
from ohmnas.version import version

_LIMITS: Final = {
    "max_params": ("params", "at most"),
    "min_params": ("params", "at least"),
    "max_macs": ("macs", "at most"),
    "max_size": ("size", "at most"),
    "max_memory": ("memory", "at most"),
    "max_tiles": ("tiles", "at most"),
    "max_cells": ("cells", "at most"),
    "max_energy": ("energy", "at most"),
    "max_latency": ("latency", "at most"),
    "max_avm": ("avm", "at most"),
    "max_std": ("accuracy_1d_std", "at most"),
    "min_accuracy": ("accuracy_1d", "at least"),
}
_BY_REFERENCE: Final = ("max_avm", "min_accuracy")


def results_page(subjects: Sequence[Subject]) -> str:
    """Return the page of these results, side by side if there are several.

    Args:
        subjects: at least one result.
    """
    several = len(subjects) > 1
    ids, groups = _networks(subjects)
    sections = [
        *([_side_by_side(subjects)] if several else [_asked(subjects[0])]),
        _drawn(subjects),
        _over_time(subjects),
        *(_predicted(one, several) for one in subjects),
        _front(subjects, ids),
        _convergence(subjects),
        *(_neighbours(one, groups, several, place) for place, one in enumerate(subjects)),
        *(_layers(one, several) for one in subjects),
        *(_provenance(one, several) for one in subjects),
        _repeat(subjects),
    ]
    first = subjects[0]
    title = (
        f"{len(subjects)} results side by side: {', '.join(one.name for one in subjects)}"
        if several
        else f"{first.name}: a network of {first.result.best.params:,} parameters for {_task(first)}"
    )
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    subtitle = f"{_where(subjects)}. Report of ohmnas {version()}, {today}."
    facts = [] if several else _facts(first)
    return render(title, subtitle, facts, _lead(subjects), [one for one in sections if one is not None], groups)


def _task(one: Subject) -> str:
    return str(one.result.provenance.get("task", "an unknown task"))


def _chip(one: Subject) -> str:
    return one.result.best.chip or str(one.result.provenance.get("hardware", "an unknown chip"))


def _where(subjects: Sequence[Subject]) -> str:
    return "; ".join(dict.fromkeys(f"{_task(one)} on {_chip(one)}" for one in subjects))


def _targets(one: Subject) -> tuple[Target, ...]:
    """Accuracy, spread, and the variation that the result's surrogate has learned."""
    return ACCURACY, SPREAD, variation_of(one.result.best.predicted)


def _always(one: Subject) -> tuple[str, ...]:
    """Quantities in every table of networks."""
    return (*(target.name for target in _targets(one)), "params", "macs")


def _facts(one: Subject) -> list[tuple[str, str, str]]:
    best = one.result.best
    found = []
    for target in _targets(one):
        words = WORDS[target.name]
        measured = None if one.measured_best is None else one.measured_best.mean(target.name)
        predicted = best.predicted[target.name]
        interval = best.interval.get(target.name)
        between = "" if interval is None else f"; 90 %: {words.number(interval[0])} to {words.number(interval[1])}"
        if measured is None and target.name in best.measured:
            of = "1 training" if best.trainings == 1 else f"{best.trainings} trainings"
            note = f"expected; measured {words.text(best.measured[target.name])} ({of}, validation images)"
            found.append((words.title, words.text(predicted), note))
        elif measured is None:
            found.append((words.title, words.text(predicted), f"predicted{between}"))
        else:
            found.append((words.title, words.text(measured), f"measured; predicted {words.text(predicted)}"))
    found.append(("parameters", f"{best.params:,}", ""))
    found.append(("MACs per image", f"{best.macs:,}", ""))
    if "tiles" in best.costs:
        found.append(
            (
                "crossbar tiles",
                f"{best.costs['tiles']:,.0f}",
                WORDS["energy"].text(best.costs["energy"]) + " per image (proxy)",
            )
        )
    return found


def _lead(subjects: Sequence[Subject]) -> list[str]:
    if len(subjects) > 1:
        lead = [
            f"{one.name}: {one.result.best.architecture}"
            + (f" on {one.result.best.chip}" if one.result.best.chip else "")
            for one in subjects
        ]
        if len({(_task(one), _chip(one)) for one in subjects}) > 1:
            lead.append("These results are for different tasks or chips: their numbers are not comparable.")
        return lead
    one = subjects[0]
    result, best = one.result, one.result.best
    lead = [f"Chip: {best.chip}."] if best.chip else []
    if result.references and result.references[0].genome != best.genome:
        lead.append(_against(best, result.references[0]))
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
            "Measured on validation images, which chose the network, and shrunk towards predictions that did not see "
            "it. To quote a number, measure it on the test images."
        )
    else:
        lead.append(
            "Nothing here is measured yet. The best of many predictions is optimistic: train the network and measure "
            "it before you quote a number."
        )
    return lead


def _against(best: Candidate, reference: Candidate) -> str:
    """Compare the predictions of the found network and a reference in one sentence."""
    accuracy = 100 * (best.predicted["accuracy_1d"] - reference.predicted["accuracy_1d"])
    variation = variation_of(best.predicted).name
    avm = 100 * (reference.predicted[variation] - best.predicted[variation])
    words = [
        f"{abs(accuracy):.2f} points {'more' if accuracy >= 0 else 'less'} accurate after a day",
        f"loses {abs(avm):.2f} points {'less' if avm >= 0 else 'more'} over a month",
    ]
    return (
        f"Compared with {reference.name} ({reference.params:,} parameters), the best reference network by predicted "
        f"accuracy, it is predicted to be {words[0]}, and it {words[1]}."
    )


def _networks(subjects: Sequence[Subject]) -> tuple[dict[int, str], list[Group]]:
    """Return the ids of the candidates of all results, and the networks for the page's script."""
    ids: dict[int, str] = {}
    groups = []
    for place, one in enumerate(subjects):
        group = Group([WORDS[name].title for name in _always(one)], {}, _picking(one))
        groups.append(group)
        before = f"{one.name}: " if len(subjects) > 1 else ""
        named = [("b", f"{before}found", FOUND, one.result.best)]
        front = enumerate(one.result.front, 1)
        named += [("f", f"{before}front {number}", f"front:{number}", each) for number, each in front]
        named += [("r", each.name, each.name, each) for each in one.result.references]
        seen: dict[tuple[str, tuple[int, ...]], str] = {}
        for number, (kind, title, word, candidate) in enumerate(named):
            key = ("r" if kind == "r" else "f", candidate.genome)
            if key in seen:  # the found network is one of the front
                ids[id(candidate)] = seen[key]
                continue
            name = f"{kind}{place}-{number}"
            ids[id(candidate)] = seen[key] = name
            texts = [WORDS[quantity].text(charts.value(candidate, quantity)) for quantity in _always(one)]
            architecture = f"{candidate.architecture}" + (f" on {candidate.chip}" if candidate.chip else "")
            boxes = small_network(one.result.space, candidate)
            group.networks[name] = (title, architecture, texts, boxes, quote(word))  # type: ignore[index]
    return ids, groups


def _picking(one: Subject) -> list[tuple[str, str]]:
    """Purpose and beginning of the commands that measure and train a network of a result."""
    path, how = quote(str(one.path)), _how_measured(one)
    return [
        ("Measure it on the test images:", f"ohmnas verify {path} {how} --pick"),
        ("Train it and keep its weights:", f"ohmnas train {path} {how} --out net --pick"),
    ]


def _how_measured(one: Subject) -> str:
    """Flags of the task, and of a chip that is not a preset."""
    chip = str(one.result.provenance.get("hardware", ""))
    file = "" if one.result.best.chip or not chip or has_name(chip) else f" --hardware {quote(chip + '.toml')}"
    return f"--task {quote(task_word(_task(one)))}{file}"


def _cells(candidate: Candidate, columns: Sequence[str]) -> list[Cell]:
    cells = []
    for name in columns:
        amount = charts.value(candidate, name)
        cells.append(number_cell("-" if isnan(amount) else WORDS[name].number(amount), amount))
    return cells


def _columns(one: Subject, asked: Sequence[str]) -> list[str]:
    """Return the quantities of a table: the default ones, further predictions, and requested costs."""
    always = _always(one)
    further = [name for name in one.result.best.predicted if name not in always]
    costs = [name for name in asked if name not in always and name in WORDS and name not in further]
    return [*always[:3], *further, *always[3:], *costs]


def shared_columns(subjects: Sequence[Subject]) -> list[str]:
    """Return the quantities of a table that compares results."""
    asked = dict.fromkeys(name for one in subjects for name in _asked_quantities(one))
    return _columns(subjects[0], list(asked))


def as_json(one: Subject) -> dict[str, Any]:
    """Return what surrogate, table and measurements add to a result, as JSON values."""
    values: dict[str, Any] = {}
    if one.drift:
        values["drift"] = {
            name: {
                target: {"predicted": mean, "interval_90": [low, high]}
                for target, mean, low, high in zip(
                    TARGETS_OVER_TIME.values(), drift.values, drift.low, drift.high, strict=True
                )
            }
            for name, drift in one.drift.items()
        }
    if one.measurement is not None:
        values["measured"] = {
            name: {target: {"mean": network.mean(target), "error": network.error(target)} for target in network.values}
            for name, network in one.measurement.networks.items()
        }
    values["layers"] = [
        {
            "layers": each.name,
            "number": each.placement.count,
            "params": each.placement.params,
            "macs": each.placement.macs,
            "tiles": each.placement.tiles,
            "energy": each.placement.energy,
        }
        for each in one.layers
    ]
    return values


def _asked_quantities(one: Subject) -> list[str]:
    limits = [quantity for limit, (quantity, _) in _LIMITS.items() if one.result.constraints.get(limit) is not None]
    soft: Any = one.result.constraints.get("soft", {})
    return list(dict.fromkeys([*one.result.pareto, *limits, *soft]))


def _asked(one: Subject) -> Section:
    result = one.result
    rows = []
    for limit, (quantity, sense) in _LIMITS.items():
        bound = result.constraints.get(limit)
        if bound is None or (limit == "min_params" and not bound):
            continue
        words, found = WORDS[quantity], charts.value(result.best, quantity)
        reference = result.constraints.get("reference")
        origin = f"as {reference}" if reference and limit in _BY_REFERENCE else ""
        if limit in ("max_macs", "max_params") and bound == result.provenance.get("seen", {}).get(limit):
            origin = "largest measured network"
        if limit == "min_params":
            origin = "smallest measured network"
        rows.append(
            [
                text_cell(words.title),
                text_cell(f"{sense} {words.text(bound)}"),
                number_cell(words.text(found), found),
                text_cell(origin),
            ]
        )
    for name, bounds in result.constraints.get("genes", {}).items():
        rows.append([text_cell(f"gene {name}"), text_cell(f"{bounds[0]} to {bounds[1]}"), text_cell(""), text_cell("")])
    for sense, group in (("at least", "least"), ("at most", "most"), ("softly at most", "soft")):
        for name, bound in result.constraints.get(group, {}).items():
            words, found = WORDS[name], charts.value(result.best, name)
            rows.append(
                [
                    text_cell(words.title),
                    text_cell(f"{sense} {words.text(bound)}"),
                    number_cell(words.text(found), found),
                    text_cell(""),
                ]
            )
    sure = result.constraints.get("confidence")
    text = [
        f"The search maximised {charts.objective_words(result.objective)}"
        + (
            f" and kept the Pareto front of {', '.join(WORDS[name].title for name in result.pareto)}"
            if result.pareto
            else ""
        )
        + f". It scored {result.evaluations:,} {result.space.members} in {result.seconds:.1f} s "
        f"({result.strategy}, seed {result.seed}).",
        *([f"Limits on predictions hold with a probability of {sure:g}."] if sure else []),
    ]
    return Section(
        "asked", "Limits and values", text, grid=Grid(["quantity", "limit", "found", "origin of the limit"], rows)
    )


def _side_by_side(subjects: Sequence[Subject]) -> Section:
    columns = shared_columns(subjects)
    rows = []
    for place, one in enumerate(subjects):
        rows.append(
            [
                text_cell(one.name, f"dot {charts.colour(place)}"),
                text_cell("predicted"),
                *_cells(one.result.best, columns),
            ]
        )
        network = one.measured_best
        if network is not None:
            cells = []
            for name in columns:
                mean = network.mean(name)
                cells.append(
                    number_cell("", float("nan")) if mean is None else number_cell(WORDS[name].number(mean), mean)
                )
            rows.append([text_cell(one.name, f"dot {charts.colour(place)}"), text_cell("measured"), *cells])
    titles = ["result", "values", *(WORDS[name].label for name in columns)]
    return Section("results", "Results", grid=Grid(titles, rows, is_sortable=True))


def _drawn(subjects: Sequence[Subject]) -> Section:
    legend = [(f"k-{kind}", words) for kind, words in KIND_NAMES.items()]
    figures = []
    for place, one in enumerate(subjects):
        title = str(one.result.best.architecture)
        last = place == len(subjects) - 1
        figures.append(
            Figure(
                f"{title}" if len(subjects) == 1 else f"{one.name}: {title}",
                network_svg(one.result.space, one.result.best),
                legend if last else (),
                LEGEND if last else "",
            )
        )
    return Section("network", "The network" if len(subjects) == 1 else "The networks", figures=figures)


def _over_time(subjects: Sequence[Subject]) -> Section:
    picture = charts.drift_chart(subjects)
    if picture is None:
        return Section(
            "drift",
            "Drift",
            [
                "The surrogate of this result was not found, so its accuracy over time is unknown. Pass it with "
                "--surrogate."
            ],
        )
    rows = []
    for one in subjects:
        for name, drift in one.drift.items():
            if len(subjects) > 1 and name != "found":
                continue
            label = name if len(subjects) == 1 else one.name
            cells = [
                number_cell(f"{100 * mean:.2f} ({100 * low:.1f} to {100 * high:.1f})", mean)
                for mean, low, high in zip(drift.values, drift.low, drift.high, strict=True)
            ]
            rows.append([text_cell(label), text_cell("predicted"), *cells])
    for one in subjects:
        for name, network in (one.measurement.networks if one.measurement else {}).items():
            means = [network.mean(target) for target in TARGETS_OVER_TIME.values()]
            cells = [
                number_cell("-" if mean is None else f"{100 * mean:.2f}", float("nan") if mean is None else mean)
                for mean in means
            ]
            rows.append(
                [text_cell(name if len(subjects) == 1 else f"{one.name}: {name}"), text_cell("measured"), *cells]
            )
    grid = Grid(["network", "", *(f"{TIME_NAMES[time]} (%)" for time in SECONDS)], rows)
    figure = Figure(picture.title, picture.svg, picture.legend, picture.note)
    return Section("drift", "Drift", figures=[figure], details=[("Numbers", grid)])


def _predicted(one: Subject, several: bool) -> Section:
    title = f"Predicted and measured{f': {one.name}' if several else ''}"
    measured = one.measurement
    if measured is None:
        title = f"{'Expected and measured' if one.is_refined else 'Predictions'}{f': {one.name}' if several else ''}"
        text = ["Circles: predictions. Bars: 90 % prediction intervals."]
        if one.is_refined:
            text = ["Circles: expected, from measurements and predictions. Dots: measured, on validation images."]
        command = f"ohmnas verify {quote(str(one.path))} {_how_measured(one)}"
        after = ["This command measures them. A new report then shows predicted and measured values side by side."]
    else:
        command = ""
        text = [
            f"Circles: predictions, with 90 % intervals. Dots: measured, mean of {measured.trainings} trainings (small "
            f"dots) on {measured.chips} chips each, {measured.test_images:,} test images. Predictions are for "
            "validation images."
        ]
        after = []
        if measured.fidelity != measured.predicted_fidelity:
            after = [
                f"Predicted and measured are not comparable: the surrogate was trained at fidelity "
                f"{measured.predicted_fidelity or 'unknown'}, this is {measured.fidelity}."
            ]
    columns = _columns(one, _asked_quantities(one))
    means_of = {name: _measured_means(one, name, candidate) for name, candidate in one.networks.items()}
    has_two = any(means_of.values())  # kinds of values
    rows = []
    for name, candidate in one.networks.items():
        label = text_cell(name + (" *" if candidate.misses else ""), f"dot {'r0' if name == 'found' else 'ref'}")
        architecture = text_cell(str(candidate.architecture))
        estimate = "expected" if candidate.trainings else "predicted"
        rows.append([label, *([text_cell(estimate)] if has_two else []), *_cells(candidate, columns), architecture])
        if means := means_of[name]:
            numbers = [means.get(quantity, float("nan")) for quantity in columns]
            cells = [
                number_cell("" if isnan(number) else WORDS[quantity].number(number), number)
                for quantity, number in zip(columns, numbers, strict=True)
            ]
            rows.append([label, text_cell("measured"), *cells, text_cell("")])
    if any(candidate.misses for candidate in one.networks.values()):
        after.append("* misses a limit on a prediction")
    titles = ["network", *(["values"] if has_two else []), *(WORDS[name].label for name in columns), "architecture"]
    grid = Grid(titles, rows)
    anchor = f"measured-{_anchor(one)}" if several else "measured"
    details = []
    if measured is not None and measured.differences:
        details = [("Differences, paired over trainings (95 % intervals)", _differences(measured))]
    pictures = charts.predicted_charts(one)
    return Section(anchor, title, text, pictures=pictures, grid=grid, details=details, command=command, after=after)


def _measured_means(one: Subject, name: str, candidate: Candidate) -> dict[str, float]:
    """Target -> mean measurement of a network on test images or, in a refinement, on validation images."""
    network = one.measurement.networks.get(name) if one.measurement else None
    if network is None or network.genome != candidate.genome:
        return candidate.measured
    means = {target: network.mean(target) for target in network.values}
    return {target: mean for target, mean in means.items() if mean is not None}


def _differences(measured: Measurement) -> Grid:
    rows = []
    for each in measured.differences:
        words = WORDS[each.target]
        between = "-" if each.low is None or each.high is None else f"{100 * each.low:+.2f} to {100 * each.high:+.2f}"
        rows.append(
            [
                text_cell(f"{each.network} - {each.against}"),
                text_cell(words.title),
                number_cell(f"{100 * each.mean:+.2f}", each.mean),
                text_cell(between),
                number_cell("-" if each.p is None else f"{each.p:.3g}", float("nan") if each.p is None else each.p),
            ]
        )
    return Grid(["networks", "quantity", "difference (points)", "interval", "p"], rows)


def _anchor(one: Subject) -> str:
    return "".join(char if char.isascii() and char.isalnum() else "-" for char in one.name)


def _front(subjects: Sequence[Subject], ids: dict[int, str]) -> Section | None:
    pictures = charts.front_charts(subjects, ids)
    if not pictures:
        return None
    several = len(subjects) > 1
    with_front = [(place, one) for place, one in enumerate(subjects) if one.result.front]
    columns = _columns(
        with_front[0][1],
        list(dict.fromkeys(name for _, one in with_front for name in _asked_quantities(one))),
    )
    rows, networks = [], []
    for place, one in with_front:
        for number, candidate in enumerate(one.result.front, 1):
            networks.append(ids[id(candidate)])
            is_best = candidate.genome == one.result.best.genome
            rows.append(
                [
                    *([text_cell(one.name, f"dot {charts.colour(place)}")] if several else []),
                    number_cell(f"{number}{' found' if is_best else ''}", number),
                    *_cells(candidate, columns),
                    text_cell(f"{candidate.architecture}" + (f" on {candidate.chip}" if candidate.chip else "")),
                ]
            )
    titles = [*(["result"] if several else []), "front", *(WORDS[name].label for name in columns), "architecture"]
    size = sum(len(one.result.front) for _, one in with_front)
    text = [
        f"{size:,} networks, none of which another beats in all of "
        f"{', '.join(WORDS[name].title for name in with_front[0][1].result.pareto)} (predicted). Large dot: found "
        "network. Rings: reference networks."
    ]
    return Section(
        "front", "Front", text, pictures=pictures, picks=True, grid=Grid(titles, rows, networks, True, size > 12)
    )


def _convergence(subjects: Sequence[Subject]) -> Section | None:
    pictures = charts.convergence_charts(subjects)
    if not pictures:
        return None
    best = "Predictions of the best network so far. Its accuracy may fall when another quantity improves."
    return Section("convergence", "Convergence", [best], pictures=pictures)


def _neighbours(one: Subject, groups: list[Group], several: bool, number: int) -> Section | None:
    near = one.neighbours
    if near is None:
        return None
    quantities = _always(one)
    group = Group([WORDS[name].title for name in quantities])
    ids: dict[int, str] = {}
    shown = sorted({*charts.shown_rows(len(near.rows)), *near.nearest.tolist()})
    records = near.rows[["architecture", *quantities]].to_dict("records")
    for row in shown:
        ids[row] = f"t{number}-{row}"
        texts = [WORDS[name].text(records[row][name]) for name in quantities]
        group.networks[ids[row]] = ("measured", records[row]["architecture"], texts, [], "")  # type: ignore[index]
    groups.append(group)
    rows, networks = [], []
    for place, distance in zip(near.nearest.tolist(), near.distances.tolist(), strict=True):
        record = records[place]
        networks.append(ids[place])
        numbers = [number_cell(WORDS[name].number(record[name]), record[name]) for name in quantities]
        rows.append([number_cell(f"{distance:.1f}", distance), *numbers, text_cell(record["architecture"])])
    picture = charts.neighbours_chart(one, ids)
    nearest = float(near.distances[0])
    verdict = (
        "The table has networks like it."
        if nearest <= 2
        else "It is unlike all measured networks: trust its prediction less."
    )
    text = [
        f"The surrogate learned {len(near.rows):,} measured networks. The nearest to the found one is {nearest:.1f} "
        f"typical distances away. {verdict}"
    ]
    after = [
        "Distance: Euclidean, over standardised features of structure and noise; 1 is the median distance of a "
        "measured network to its nearest one."
    ]
    figures = [Figure(picture.title, picture.svg, picture.legend)] if picture else []
    title = f"Neighbours{f': {one.name}' if several else ''}"
    grid = Grid(["distance", *(WORDS[name].label for name in quantities), "architecture"], rows, networks, True)
    return Section(f"neighbours-{number}", title, text, figures, picks=True, grid=grid, after=after)


def _layers(one: Subject, several: bool) -> Section:
    title = f"Layers and tiles{f': {one.name}' if several else ''}"
    costs, chip = one.layers, one.chip
    anchor = f"layers-{_anchor(one)}" if several else "layers"
    if not costs or chip is None:
        return Section(anchor, title, ["The result does not describe its chip, so its tiles are unknown."])
    rows_of, columns_of = int(chip["hw_tile_rows"]), int(chip["hw_tile_columns"])
    svg = tiles_svg(costs, rows_of, columns_of)
    used = sum(one.placement.matrices * one.placement.inputs * one.placement.outputs for one in costs)
    tiles = sum(one.placement.tiles for one in costs)
    energy, filled = sum(one.placement.energy for one in costs), used / (tiles * rows_of * columns_of)
    rows = []
    for each in costs:
        where = each.placement
        size = f"{where.matrices} x {where.inputs:,} x {where.outputs:,}"
        share = where.matrices * where.inputs * where.outputs / (where.tiles * rows_of * columns_of)
        rows.append(
            [
                text_cell(each.name),
                number_cell(f"{where.count:,}", where.count),
                number_cell(f"{where.params:,}", where.params),
                number_cell(f"{where.macs:,}", where.macs),
                number_cell(size, where.inputs * where.outputs),
                number_cell(f"{where.tiles:,}", where.tiles),
                number_cell(f"{100 * share:.1f}", share),
                number_cell(f"{1e6 * where.energy:.4f}", where.energy),
            ]
        )
    text = [
        f"{tiles:,} tiles of {rows_of:,} x {columns_of:,} cells hold the weights; {100 * filled:.1f} % of their cells "
        f"are used. Energy per image: {WORDS['energy'].text(energy)}, a proxy that ranks networks."
    ]
    titles = [
        "layers",
        "number",
        "parameters",
        "MACs",
        "matrices x rows x columns",
        "tiles",
        "cells used (%)",
        "energy (µJ)",
    ]
    figures = (
        []
        if svg is None
        else [Figure("Each square is a tile, its used cells to scale; in the order of the table", svg)]
    )
    return Section(anchor, title, text, figures, grid=Grid(titles, rows, is_sortable=True))


def _provenance(one: Subject, several: bool) -> Section:
    learned: dict[str, Any] = dict(one.result.provenance)
    rows = [[text_cell("result"), text_cell(str(one.path))]]
    if weights := one.result.best.weights:
        folders = ", ".join(f"networks/{name}" for name in weights)
        rows.append([text_cell("trained networks, beside the result"), text_cell(folders)])
    names = {
        "task": "task",
        "table_name": "table",
        "table_sha256": "table, SHA-256",
        "hardware": "chip",
        "fidelity": "training fidelity of the table",
        "rows": "measured architectures",
        "networks": "measured networks",
    }
    for key, name in names.items():
        if key in learned:
            amount = learned[key]
            rows.append([text_cell(name), text_cell(f"{amount:,}" if isinstance(amount, int) else str(amount))])
    space = one.result.space
    shape = "x".join(map(str, space.input_shape))
    rows.append([text_cell("space"), text_cell(f"{space.name}: images of {shape}, {space.classes} classes")])
    rows.append(
        [
            text_cell("search"),
            text_cell(f"{one.result.strategy}, seed {one.result.seed}, ended by: {one.result.stopped}"),
        ]
    )
    if one.result.parameters:
        rows.append(
            [
                text_cell("parameters of the strategy"),
                text_cell(", ".join(f"{k}={v}" for k, v in one.result.parameters.items())),
            ]
        )
    if one.result.excluded:
        rows.append([text_cell("excluded tables, SHA-256"), text_cell(", ".join(one.result.excluded))])
    for package, installed in learned.get("versions", {}).items():
        rows.append([text_cell(f"{package}, at the fit"), text_cell(str(installed))])
    chip = {**learned.get("chip", {})}
    if one.result.best.chip:
        own = hardware(one.result.best.chip)
        chip = {"technology": own.technology, **own.settings()}
    settings = [
        [text_cell(name.removeprefix("hw_").replace("_", " ")), text_cell(_plain(value))]
        for name, value in chip.items()
    ]
    details = [("Settings of the chip", Grid(["setting", "value"], settings))] if settings else []
    title = f"Provenance{f': {one.name}' if several else ''}"
    anchor = f"provenance-{_anchor(one)}" if several else "provenance"
    return Section(anchor, title, grid=Grid(["", ""], rows), details=details)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _repeat(subjects: Sequence[Subject]) -> Section:
    commands = [join(["ohmnas", *one.result.command]) for one in subjects if one.result.command]
    lacking = [one.name for one in subjects if not one.result.command]
    after = (
        [f"No command is recorded for {', '.join(lacking)}: made in Python, or by an earlier version."]
        if lacking
        else []
    )
    return Section(
        "repeat",
        "Repeat",
        ["The same command gives the same network on the same kind of processor."] if commands else [],
        command="\n".join(commands),
        after=after,
    )
