from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from ohmnas.cli import found
from ohmnas.estimate import Estimate
from ohmnas.search import Budget, Evolution, Limits, Problem, SearchResult, search
from ohmnas.search.archive import FRONT
from ohmnas.search.plots import plot_search
from ohmnas.spaces.genes import Population
from tests.search.conftest import CHIP, SPACE, Sure, predicted


class Learned(Sure):
    """A formula that says what it was learned from, and how sure it is."""

    @property
    def provenance(self) -> dict[str, Any]:
        return {"rows": 681, "task": "digits", "hardware": "pcm"}

    def estimate(self, population: Population) -> Estimate:
        said = super().estimate(population)
        return predicted(said["accuracy_1d"], said["accuracy_1d_std"], said["avm"] - 0.01)


def result(top: int = 1, pareto: tuple[str, ...] = (), **limits: Any) -> SearchResult:
    one = Problem(SPACE, Learned(), Limits(50_000, 2e6, **limits), pareto=pareto, chip=CHIP)
    return search(one, partial(Evolution, keep=20), 3, Budget(30, 5), top=top)


PATH = Path("found/result.json")


def test_a_network_without_spread_has_no_ratio(capfd: pytest.CaptureFixture[str]) -> None:
    one = result()
    best = replace(one.best, predicted={**one.best.predicted, "accuracy_1d_std": 0.0})
    found.show(replace(one, best=best), PATH)
    (row,) = (line.split() for line in capfd.readouterr().out.splitlines() if line.startswith(" found"))
    assert row[-3] == "-"


def test_the_found_network_is_shown_with_three_references(capfd: pytest.CaptureFixture[str]) -> None:
    one = result()
    found.show(one, PATH)
    out, err = capfd.readouterr()
    assert err == ""
    best = one.best
    lines = out.splitlines()
    assert lines[0] == f"found   {best.architecture}"
    (row,) = (line.split() for line in lines if line.startswith(" found"))
    assert row[0] == "found"
    assert f"{100 * best.predicted['accuracy_1d']:.2f}" in row
    assert f"{100 * best.predicted['avm']:+.2f}" in row
    assert row[-2:] == [f"{best.params:,}", f"{best.macs:,}"]
    shown = [line.split()[0] for line in lines if line.startswith((" resnet", " wrn"))]
    assert shown == [reference.name for reference in one.references[:3]]
    assert f"scored {one.evaluations:,} architectures in " in out
    assert "surrogate trained on 681 measured architectures: digits, pcm)\n" in out
    assert "maximised: accuracy_1d / accuracy_1d_std; searched: 0 to 50,000 parameters, up to 2,000,000 MACs\n" in out
    assert "(evolution, seed 3; " in out
    assert "ohmnas verify found/result.json --task digits" in out


def test_limits_on_predictions_are_stated_without_those_of_the_reference(capfd: pytest.CaptureFixture[str]) -> None:
    limits = {"max_avm": 0.02, "max_std": None, "least": {"accuracy_1mo": 0.9}, "most": {"accuracy_1h_std": 0.005}}
    found.show(replace(result(), constraints={**limits, "max_energy": 2e-7, "confidence": 0.9}), PATH)
    out = capfd.readouterr().out.replace("\N{NO-BREAK SPACE}", " ")
    stated = "std over chips after 1 hour at most 0.50 pt, accuracy after 1 month at least 90.00 %"
    assert f"limits on predictions: AVM at most 2.00 pt, {stated} with a probability of 0.9\n" in out
    assert "energy up to 0.20 µJ\n" in out
    found.show(replace(result(), constraints={"max_avm": 0.02, "min_accuracy": 0.9, "reference": "resnet8-w8"}), PATH)
    out = capfd.readouterr().out
    assert "limits on predictions" not in out
    assert "required: predicted accuracy no lower and AVM no higher than those of resnet8-w8" in out


def test_bounds_on_sizes_and_genes_are_printed(capfd: pytest.CaptureFixture[str]) -> None:
    found.show(replace(result(), constraints={"min_params": 5, "genes": {"M": [1, 1], "R1": [2, 3]}}), PATH)
    assert "; searched: at least 5 parameters, M 1, R1 2 to 3\n" in capfd.readouterr().out


def test_intervals_are_those_of_the_found_network(capfd: pytest.CaptureFixture[str]) -> None:
    one = result()
    found.show(one, PATH)
    low, high = (100 * end for end in one.best.interval["accuracy_1d"])
    assert f"90 % prediction interval: 1-day accuracy {low:.1f} to {high:.1f} %" in capfd.readouterr().out
    found.show(replace(one, best=replace(one.best, interval={})), PATH)
    assert "interval" not in capfd.readouterr().out


@pytest.mark.parametrize(
    ("limits", "titles"),
    [
        ({}, []),
        ({"max_tiles": 1000}, ["tiles"]),
        ({"max_energy": 1.0, "max_latency": 1.0}, ["energy", "latency"]),
        ({"soft": {"memory": 1e6}}, ["memory"]),
        ({"max_size": 1e6, "soft": {"tiles": 1e5}}, ["size", "tiles"]),
    ],
)
def test_requested_costs_have_a_column(
    limits: dict[str, Any], titles: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    one = result(**limits)
    found.show(one, PATH)
    out = capfd.readouterr().out
    (head,) = (line for line in out.splitlines() if line.startswith(" predicted"))
    assert head.split()[-len(titles) - 1 :] == ["MACs", *titles]
    for name, (title, written) in found.UNITS.items():
        if title in titles:
            assert written(one.best.costs[name]) in out


def test_costs_of_the_front_have_a_column_too(capfd: pytest.CaptureFixture[str]) -> None:
    one = result(pareto=("accuracy_1d", "energy"))
    found.show(one, PATH)
    out = capfd.readouterr().out
    (head,) = (line for line in out.splitlines() if line.startswith(" front"))
    assert head.split()[-1] == "energy"


@pytest.mark.parametrize(("value", "text"), [(1234.0, "1.2 kB"), (2_500_000.0, "2,500.0 kB")])
def test_units_are_those_that_people_read(value: float, text: str) -> None:
    assert found.UNITS["size"][1](value) == text
    assert found.UNITS["tiles"][1](1234.0) == "1,234"
    assert found.UNITS["energy"][1](4.5e-7) == "0.45 µJ"
    assert found.UNITS["latency"][1](1.25e-4) == "125.0 µs"


def test_several_found_ones_have_numbers(capfd: pytest.CaptureFixture[str]) -> None:
    one = result(top=3)
    found.show(one, PATH)
    out = capfd.readouterr().out
    assert [line.split()[0] for line in out.splitlines() if line.startswith(" #")] == ["#1", "#2", "#3"]
    for place, candidate in enumerate(one.top[1:], 2):
        assert f"#{place}      {candidate.architecture}\n" in out


def test_of_a_long_front_some_are_shown_with_both_ends(capfd: pytest.CaptureFixture[str]) -> None:
    one = result(pareto=("accuracy_1d", "params", "avm"))
    assert len(one.front) > found.FRONT_ROWS
    found.show(one, PATH)
    out = capfd.readouterr().out
    assert f"(accuracy_1d, params, avm): {len(one.front)} networks; {found.FRONT_ROWS} shown" in out
    shown = [int(number) for number in re.findall(r"^ (\d+) ", out, re.MULTILINE)]
    assert len(shown) == found.FRONT_ROWS
    assert shown[0] == 1
    assert shown[-1] == len(one.front)
    assert shown == sorted(shown)
    short = replace(one, front=one.front[:5])
    full = replace(one, front=(one.front * 300)[:FRONT])
    found.show(full, PATH)
    assert ": 300 networks (the limit); " in capfd.readouterr().out
    found.show(short, PATH)
    assert re.search(
        r"^ *Pareto front \(accuracy_1d, params, avm\): 5 networks *$", capfd.readouterr().out, re.MULTILINE
    )


@pytest.mark.parametrize("accuracy", [0.05, 0.18, 0.2, 0.9])
def test_a_network_that_hardly_does_better_than_guessing_is_warned_of(
    accuracy: float, capfd: pytest.CaptureFixture[str]
) -> None:
    one = result()
    guess = replace(one.best, predicted={**one.best.predicted, "accuracy_1d": accuracy})
    found.show(replace(one, best=guess), PATH)
    assert ("add --floor" in capfd.readouterr().err) == (accuracy < 0.19)


def test_references_that_miss_a_limit_on_predictions_are_marked(capfd: pytest.CaptureFixture[str]) -> None:
    one = result(max_avm=0.5)
    found.show(one, PATH)
    assert "*" not in capfd.readouterr().out
    worse, *others = one.references
    worse = replace(worse, misses=("max_avm", "min_accuracy"))
    limits = {**one.constraints, "min_accuracy": 0.02}
    found.show(replace(one, references=[worse, *others], constraints=limits), PATH)
    out = capfd.readouterr().out
    assert re.findall(r"^ (\w+[\w-]*) \* ", out, re.MULTILINE) == [worse.name]
    assert "* violates one of the limits on AVM and accuracy (predicted)\n" in out
    assert "excluded: predicted accuracy below 2 % (--floor none removes this limit)\n" in out
    found.show(replace(one, references=[worse], constraints={**limits, "confidence": 0.9}), PATH)
    out = capfd.readouterr().out
    assert "* meets one of the limits on AVM and accuracy with a probability below 0.9 (predicted)\n" in out
    assert "required: accuracy of at least 2 % with a probability of 0.9 (predicted; --floor none" in out


def test_limits_on_targets_are_printed_with_their_titles(capfd: pytest.CaptureFixture[str]) -> None:
    one = result()
    worse, *others = one.references
    misses = ("min_accuracy_1d", "max_accuracy_1d_std", "min_accuracy_1mo")
    found.show(replace(one, references=[replace(worse, misses=misses), *others]), PATH)
    assert (
        "* violates one of the limits on 1-day accuracy, accuracy after 1 month and std (pred" in capfd.readouterr().out
    )


@pytest.mark.parametrize(("rows", "warned"), [(33, True), (99, True), (100, False)])
def test_a_surrogate_of_few_networks_is_warned_of(rows: int, warned: bool, capfd: pytest.CaptureFixture[str]) -> None:
    one = result()
    for provenance in ({"rows": rows}, {"rows": 300, "networks": rows}):
        found.show(replace(one, provenance={**one.provenance, **provenance}), PATH)
        assert (f"trained on only {rows} measured networks; check its quality: " in capfd.readouterr().err) == warned


@pytest.mark.parametrize("classes", [2, 10, 1000])
def test_more_than_guessing_begins_a_tenth_of_the_way_above_it(classes: int) -> None:
    assert 1 / classes < found.guessing_threshold(classes) < 1
    assert found.guessing_threshold(classes) == pytest.approx(0.1 + 0.9 / classes)


@pytest.mark.parametrize(
    ("stopped", "text"), [("iterations", "digits, pcm)\n"), ("patience", "digits, pcm); stopped: no improvement\n")]
)
def test_the_reason_for_an_early_end_is_printed(stopped: str, text: str, capfd: pytest.CaptureFixture[str]) -> None:
    found.show(replace(result(), stopped=stopped), PATH)
    assert text in capfd.readouterr().out


def test_pictures_are_drawn_and_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    one = result()
    pictures = plot_search(one, tmp_path)
    assert pictures
    assert all(path.parent == tmp_path and path.stat().st_size > 1000 for path in pictures)
    found.show(one, PATH, pictures)
    out = capfd.readouterr().out
    assert all(f"wrote {path}\n" in out for path in pictures)
