from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ohmnas.cli.arguments import Parser
from ohmnas.cli.problem import Unfitted, problem
from ohmnas.cli.problem_flags import add_problem
from ohmnas.datasets.tables.table import read_table
from ohmnas.errors import InvalidValueError, UnknownNameError
from ohmnas.estimators.latency import write_lookup
from ohmnas.search import Problem
from ohmnas.search.defaults import default_floor
from ohmnas.search.objective import Accuracy, ExponentialPenalty, Ratio, Tchebycheff, WeightedSum
from ohmnas.search.report import references
from ohmnas.spaces.resnet.genes import M
from ohmnas.surrogate import TrainingSet
from ohmnas.surrogate.model import SurrogateModel
from ohmnas.surrogate.shipped import load_surrogate

pytestmark = pytest.mark.timeout(240)
"""A surrogate is learned first; on a machine with other work that takes its time."""

Asked = Callable[..., Problem]


@pytest.fixture(scope="module")
def surrogate(fitted: Path) -> SurrogateModel:
    return load_surrogate(fitted)


@pytest.fixture
def asked(surrogate: SurrogateModel) -> Asked:
    """The problem that words of the command line describe."""

    def read(*words: str, seed: int = 0) -> Problem:
        parser = Parser(prog="ohmnas search")
        add_problem(parser)
        parser.set_defaults(seed=seed)
        return problem(parser.parse_args(words), surrogate)

    return read


def test_without_words_it_is_the_best_ratio_within_what_was_measured(
    asked: Asked, surrogate: SurrogateModel, capfd: pytest.CaptureFixture[str]
) -> None:
    one, seen = asked(), surrogate.provenance["seen"]
    assert one.space == surrogate.space
    assert one.estimator is surrogate
    assert one.objective == Ratio()
    assert one.bounds == one.space.everything
    assert one.pareto == ()
    limits = {name: value for name, value in one.limits.to_dict().items() if value}
    best = references(one)[0]
    predicted = {
        "min_accuracy": best.predicted["accuracy_1d"],
        "max_avm": best.predicted["avm"],
    }
    assert limits.pop("reference") == best.name
    measured = {name: seen[name] for name in ("max_params", "max_macs", "min_params")}
    assert limits == pytest.approx(measured | predicted, abs=1e-5)
    assert asked("--floor", "reference").limits == one.limits
    assert asked("--floor", "none").limits.min_accuracy == 0
    assert asked("--floor", "none").limits.max_avm == np.inf
    assert capfd.readouterr().err == ""


def test_the_check_before_fitting_accepts_the_same_flags_silently(
    surrogate: SurrogateModel, capfd: pytest.CaptureFixture[str]
) -> None:
    parser = Parser(prog="ohmnas search")
    add_problem(parser)
    parser.set_defaults(seed=0)
    unfitted = Unfitted(TrainingSet.of(read_table("digits")))
    words = parser.parse_args(["--max-params", "9G", "--fix", "KS0=3", "--pareto", "avm,energy", "--confidence", "0.9"])
    before = problem(words, unfitted)
    assert capfd.readouterr().err == ""
    after = problem(words, surrogate)
    assert "exceeds the largest measured value" in capfd.readouterr().err
    assert (before.space, before.bounds, before.pareto) == (after.space, after.bounds, after.pareto)
    assert before.limits.max_params == after.limits.max_params
    population = before.sample(3, np.random.default_rng(0))
    with pytest.raises(NotImplementedError, match="the surrogate is not fitted yet"):
        before.evaluate(population)
    with pytest.raises(UnknownNameError, match="unknown gene"):
        problem(parser.parse_args(["--fix", "KS=3"]), unfitted)


def test_genes_of_blocks_that_cannot_be_are_refused(asked: Asked) -> None:
    with pytest.raises(InvalidValueError, match=r"R2 is a gene of block 2, but M, .*, is at most 1"):
        asked("--fix", "M=1", "--fix", "R2=3")
    assert asked("--fix", "M=2", "--fix", "R2=3").bounds.high[M] == 2


def test_a_front_is_not_cut_off_at_the_reference_network(asked: Asked, surrogate: SurrogateModel) -> None:
    floor = default_floor(surrogate.best_known, surrogate.space.classes)
    limits = asked("--pareto", "accuracy_1d,params").limits
    assert (limits.min_accuracy, limits.max_avm, limits.reference) == (floor, np.inf, "")
    assert asked("--pareto", "accuracy_1d,params", "--floor", "reference").limits.reference


def test_without_a_reference_in_the_limits_half_way_from_guessing_is_the_floor(
    asked: Asked, surrogate: SurrogateModel
) -> None:
    floor = default_floor(surrogate.best_known, surrogate.space.classes)
    limits = asked("--max-params", "1500").limits
    assert (limits.min_accuracy, limits.reference) == (floor, "")


def test_every_limit_has_its_flag(asked: Asked) -> None:
    words = {
        "max_params": ("20k", 20_000),
        "max_macs": ("0.5M", 500_000),
        "max_size": ("30000", 30_000),
        "max_memory": ("4k", 4000),
        "max_tiles": ("12", 12),
        "max_energy": ("5e-6", 5e-6),
        "max_latency": ("1e-4", 1e-4),
        "max_avm": ("0.02", 0.02),
        "max_std": ("0.01", 0.01),
        "confidence": ("0.8", 0.8),
    }
    flags = [word for name, (text, _) in words.items() for word in (f"--{name.replace('_', '-')}", text)]
    limits = asked(*flags, "--floor", "0.9").limits
    assert limits.min_accuracy == 0.9
    assert not limits.reference
    assert {name: getattr(limits, name) for name in words} == {name: value for name, (_, value) in words.items()}


@pytest.mark.parametrize("name", ["max_params", "max_macs"])
def test_limits_beyond_what_was_measured_are_lowered_to_it_with_a_word(
    name: str, asked: Asked, surrogate: SurrogateModel, capfd: pytest.CaptureFixture[str]
) -> None:
    most = surrogate.provenance["seen"][name]
    flag = f"--{name.replace('_', '-')}"
    assert getattr(asked(flag, "900G").limits, name) == most
    said = f"note: {flag} 900,000,000,000 exceeds the largest measured value; searching up to {most:,}\n"
    assert capfd.readouterr().err == said
    assert getattr(asked(flag, str(most)).limits, name) == most
    assert capfd.readouterr().err == ""


def test_soft_limits_are_sizes_or_other_numbers(asked: Asked) -> None:
    limits = asked("--soft", "macs=500k", "--soft", "energy=2e-7", "--soft", "avm=0.01", "--penalty", "3").limits
    assert limits.soft == {"macs": 500_000, "energy": 2e-7, "avm": 0.01}
    assert limits.penalty == 3
    assert asked("--soft", "params=10").limits.penalty == 1


def test_objectives_and_their_weights(asked: Asked) -> None:
    assert asked("--objective", "accuracy").objective == Accuracy()
    words = ("--weight", "accuracy_1d=2", "--weight", "tiles=0.5")
    weights = {"accuracy_1d": 2.0, "tiles": 0.5}
    assert asked("--objective", "weighted", *words).objective == WeightedSum(weights)
    assert asked("--objective", "exponential", *words).objective == ExponentialPenalty(weights)
    assert asked("--objective", "tchebycheff", *words).objective == Tchebycheff(weights)
    assert asked("--objective", "weighted").objective == WeightedSum()


def test_tchebycheff_weights_that_nobody_gives_are_drawn_with_the_seed(asked: Asked) -> None:
    words = ("--objective", "tchebycheff", "--floor", "0.5")
    drawn = [asked(*words, seed=seed).objective for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert isinstance(drawn[0], Tchebycheff)
    assert set(drawn[0].weights) == {"accuracy_1d", "accuracy_1d_std", "avm"}
    assert sum(drawn[0].weights.values()) == pytest.approx(1)
    of_front = asked(*words, "--pareto", "params,accuracy_1d").objective
    assert isinstance(of_front, Tchebycheff)
    assert set(of_front.weights) == {"params", "accuracy_1d"}


def test_genes_are_bound_by_fix_and_range(asked: Asked) -> None:
    within = asked(
        "--fix", "KS0=5", "--fix", "CT=b", "--fix", "CT2=A", "--range", "M=2:3", "--range", "OC0=8:16"
    ).bounds
    names = asked().space.gene_names
    bounds = {name: (low, high) for name, low, high in zip(names, within.low, within.high, strict=True)}
    assert bounds["KS0"] == (5, 5)
    assert bounds["M"] == (2, 3)
    assert bounds["OC0"] == (8, 16)
    assert [bounds[f"CT{block}"] for block in range(1, 6)] == [(2, 2), (1, 1), (2, 2), (2, 2), (2, 2)]
    assert bounds["R1"] == (1, 16)


def test_the_searched_range_is_the_bounded_one(asked: Asked) -> None:
    one = asked("--fix", "KS0=5", "--range", "M=2:3", "--max-params", "50k", "--max-tiles", "30")
    population = one.sample(50, np.random.default_rng(0))
    assert set(population[:, 1]) == {5}
    assert set(population[:, 2]) <= {2, 3}
    assert (one.quantities(population)["tiles"] <= 30).all()


@pytest.mark.parametrize(
    "words",
    [
        ("--pareto", "accuracy_1d"),
        ("--pareto", "accuracy_1d,price"),
        ("--max-params", "900G", "--fix", "M=9"),
        ("--max-params", "900G", "--weight", "avm=1"),
        ("--max-params", "900G", "--soft", "macs=0"),
    ],
)
def test_an_error_is_printed_without_notes(
    words: tuple[str, ...], asked: Asked, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises((InvalidValueError, UnknownNameError)):
        asked(*words)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("text", ["KS0", "=3", "KS0=", " = "])
def test_invalid_pairs_are_refused(text: str, asked: Asked, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        asked("--fix", text)
    assert exit_.value.code == 2
    assert f"{text!r} is not NAME=VALUE" in capfd.readouterr().err


def test_a_device_has_its_own_latency(asked: Asked, surrogate: SurrogateModel, tmp_path: Path) -> None:
    shapes = tmp_path / "board.csv"
    write_lookup(shapes, surrogate.space, surrogate.space.encode([surrogate.space.references["resnet8"]]))
    head, *rows = shapes.read_text("utf-8").splitlines()
    shapes.write_text("\n".join([head, *(f"{row}0.001" for row in rows)]), encoding="utf-8")
    one = asked("--latency", str(shapes), "--max-latency", "0.01", "--floor", "none")
    assert one.limits.max_latency == np.inf
    assert one.limits.most == {"device_latency": 0.01}
    assert [target.name for target in one.estimator.targets][-1] == "device_latency"
    assert asked("--max-latency", "0.01", "--floor", "none").limits.max_latency == 0.01
    for most in (0.005, 0.02):  # of two limits, the stricter holds
        words = ("--max-latency", "0.01", "--at-most", f"device_latency={most}", "--floor", "none")
        assert asked("--latency", str(shapes), *words).limits.most == {"device_latency": min(most, 0.01)}
    slow = asked("--latency", str(shapes), "--at-most", "device_latency=2.5", "--floor", "none")
    assert slow.limits.most == {"device_latency": 2.5}  # seconds, not a fraction
    for wrong in ("-1", "nan", "3601"):
        with pytest.raises(InvalidValueError, match="device_latency must be 0 to 3600 seconds"):
            asked("--latency", str(shapes), "--at-most", f"device_latency={wrong}", "--floor", "none")
