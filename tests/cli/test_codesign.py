"""Networks and chips from the command line: fit, score, search, verify, and back into a store."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from ohmnas.datasets.tables.table import read_table, write_table
from ohmnas.hardware import hardware, is_varied
from ohmnas.search import read_result
from ohmnas.spaces.resnet.genes import GENE_NAMES, GENES
from ohmnas.spaces.resnet.references import reference

from .conftest import Ohmnas

LIMITS = ("--max-params", "20k", "--max-avm", "0.1", "--iterations", "5", "--population", "40")


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the shipped digits table the networks that were measured on varied chips: quick to learn."""
    shipped = read_table("digits")
    varied = shipped.frame["hardware"].map(is_varied)
    networks = shipped.frame[varied].drop_duplicates(list(GENE_NAMES))[list(GENE_NAMES)].head(60)
    rows = shipped.frame[shipped.frame["seed"] == 0].merge(networks, on=list(GENE_NAMES))
    path = tmp_path_factory.mktemp("designs") / "digits.csv"
    write_table(path, rows, shipped.card)
    return path


@pytest.fixture(scope="session")
def folder(table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from ohmnas.cli.main import main

    out = tmp_path_factory.mktemp("fitted") / "designs"
    assert not main(["fit", "--table", str(table), "--co-design", "--out", str(out)])
    return out


@pytest.fixture
def result(folder: Path, ohmnas: Ohmnas, tmp_path: Path) -> Path:
    done = ohmnas("search", "--surrogate", folder, *LIMITS, "--max-energy", "2e-6", "--out", tmp_path)
    assert done.code == 0, done.err
    return tmp_path / "result.json"


def test_a_person_sees_the_chip_and_what_it_costs(folder: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    done = ohmnas("search", "--surrogate", folder, *LIMITS, "--max-energy", "2e-6", "--out", tmp_path)
    chip = read_result(tmp_path / "result.json").best.chip
    assert f"on      {hardware(chip).technology}, {hardware(chip).tile_rows} x" in done.out
    assert chip in done.out
    assert "energy" in done.out
    assert re.search(r"scored [\d,]+ designs .* trained on [\d,]+ measured designs", done.out)
    assert "note:" not in done.err


def test_the_found_design_costs_no_more_than_allowed(result: Path) -> None:
    best = read_result(result).best
    assert best.costs["energy"] <= 2e-6
    assert best.params <= 20_000


def test_a_search_without_a_limit_on_the_chip_prints_a_note(folder: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    assert "no limit on the chip's cost" in ohmnas("search", "--surrogate", folder, *LIMITS, "--out", tmp_path).err


def test_genes_of_the_chip_can_be_bounded(folder: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = ("--fix", "TECH=hermes", "--fix", "TILE=256", "--range", "ADC=6:7", "--max-cells", "1M", "--out", tmp_path)
    assert ohmnas("search", "--surrogate", folder, *LIMITS, *words).code == 0
    best = read_result(tmp_path / "result.json")
    chip = hardware(best.best.chip)
    assert (chip.technology, chip.tile_rows) == ("hermes", 256)
    assert 6 <= chip.adc_bits <= 7
    assert best.constraints["genes"] == {
        "TECH": ["hermes", "hermes"],
        "TILE": ["256", "256"],
        "ADC": [6, 7],
    }


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--fix", "TILE=100"), "TILE must be one of 64, 128, 256, 512, not '100'"),
        (("--fix", "TECH=flash"), "TECH must be one of pcm, hermes, reram, not 'flash'"),
        (("--range", "ADC=3:7"), "ADC must be 5 to 9, not 3 to 7"),
        (("--co-design",), "a saved surrogate has a fixed chip and fidelity"),
    ],
)
def test_bad_flags_are_one_sentence(
    words: tuple[str, ...], sentence: str, folder: Path, ohmnas: Ohmnas, tmp_path: Path
) -> None:
    assert sentence in ohmnas("search", "--surrogate", folder, *LIMITS, *words, "--out", tmp_path).sentence


def test_a_search_for_one_chip_has_no_genes_of_chips(fitted: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = ("--surrogate", fitted, "--fix", "ADC=7", "--out", tmp_path)
    assert (
        "ADC is a chip gene, and this search space has only networks: add --co-design"
        in ohmnas("search", *words).sentence
    )


def test_a_search_with_bounds_of_an_older_version_resumes(folder: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    """It had numbers for kinds of convolution, and texts for the bits of converters."""
    words = ("--fix", "CT=A", "--fix", "TILE=256", "--range", "ADC=6:7", "--max-cells", "1M", "--out", tmp_path)
    assert ohmnas("search", "--surrogate", folder, *LIMITS, *words).code == 0
    path = tmp_path / "result.json"
    values = json.loads(path.read_text("utf-8"))
    genes = values["constraints"]["genes"]
    assert (genes["CT1"], genes["TILE"], genes["ADC"]) == (["A", "A"], ["256", "256"], [6, 7])
    genes.update({f"CT{block}": [1, 1] for block in range(1, 6)}, ADC=["6", "7"])
    path.write_text(json.dumps(values), encoding="utf-8")
    assert ohmnas("search", "--surrogate", folder, *LIMITS, *words, "--resume", path).code == 0
    other = [word if word != "CT=A" else "CT=B" for word in words]
    refused = ohmnas("search", "--surrogate", folder, *LIMITS, *other, "--resume", path)
    assert "used different limits or a different objective (genes: " in refused.sentence


def test_a_search_of_networks_does_not_resume_one_of_designs(
    result: Path, fitted: Path, ohmnas: Ohmnas, tmp_path: Path
) -> None:
    words = ("search", "--surrogate", fitted, "--out", tmp_path / "other")
    for flag in ("--resume", "--start-from"):
        assert (
            "is from a search for networks and chips, but this search is for networks\n"
            in ohmnas(*words, flag, result).sentence
        )


def test_fit_and_score_refuse_a_chip_beside_all_chips(table: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    both = ("--table", table, "--co-design", "--hardware", "pcm")
    assert "remove --hardware" in ohmnas("fit", *both, "--out", tmp_path).sentence
    assert "remove --hardware" in ohmnas("score", *both).sentence
    words = ("fit", "--table", table, "--co-design", "--start-from", "digits", "--out", tmp_path)
    assert "use only one" in ohmnas(*words).sentence


def test_scores_are_of_designs_networks_and_chips(table: Path, ohmnas: Ohmnas) -> None:
    values = ohmnas("score", "--table", table, "--co-design", "--rounds", "1", "--json").values
    accuracy = values["targets"]["accuracy_1d"]
    assert accuracy["designs"]["mean"] > 0.4
    assert accuracy["chips"]["mean"] > 0.2
    shown = ohmnas("score", "--table", table, "--co-design", "--rounds", "1").out
    assert "chips per network" in shown


def test_designs_are_verified_on_their_own_chips(result: Path, ohmnas: Ohmnas) -> None:
    words = ("verify", result, "--task", "digits", "--fidelity", "smoke", "--seeds", "1")
    values = ohmnas(*words, "--json").values
    best = read_result(result).best
    assert values["networks"]["found"]["chip"] == best.chip == values["hardware"]
    reference = [network for name, network in values["networks"].items() if name != "found"]
    assert all(is_varied(network["chip"]) for network in reference)
    assert best.chip in ohmnas(*words).out
    assert "pass no chip (--hardware)" in ohmnas(*words, "--hardware", "pcm").sentence


def test_references_can_be_left_out_of_a_verification(result: Path, ohmnas: Ohmnas) -> None:
    words = ("--task", "digits", "--fidelity", "smoke", "--seeds", "1", "--references", "0", "--json")
    assert list(ohmnas("verify", result, *words).values["networks"]) == ["found"]


def test_a_found_design_is_measured_on_its_chip(result: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    store = tmp_path / "s.sqlite"
    words = ("campaign", "--task", "digits", "--fidelity", "smoke", "--found", result, "--store", store, "--jobs", "1")
    assert ohmnas(*words).code == 0
    out = tmp_path / "t.csv"
    assert ohmnas("export-table", "--store", store, "--out", out).code == 0
    rows = pd.read_csv(out)
    best = read_result(result).best
    assert rows["hardware"].tolist() == [best.chip]
    assert rows[list(GENE_NAMES)].to_numpy().tolist() == [best.network.tolist()]
    assert "remove --hardware" in ohmnas(*words, "--hardware", "pcm").sentence


def test_the_front_of_a_search_has_its_chips(folder: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = ("--pareto", "accuracy_1d,energy,cells", "--plots", "--out", tmp_path)
    done = ohmnas("search", "--surrogate", folder, *LIMITS, *words)
    assert done.code == 0, done.err
    front = json.loads((tmp_path / "result.json").read_text("utf-8"))["front"]
    assert len({one["chip"] for one in front}) > 1
    assert (tmp_path / "pareto.png").exists()


def test_a_chip_that_was_not_measured_is_not_searched(table: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    shipped = read_table(str(table))
    coarse = shipped.frame[(shipped.frame["hw_adc_bits"] < 8) & (shipped.frame["technology"] != "reram")]
    write_table(tmp_path / "coarse.csv", coarse, shipped.card)
    assert ohmnas("fit", "--table", tmp_path / "coarse.csv", "--co-design", "--out", tmp_path / "s").code == 0
    words = ("search", "--surrogate", tmp_path / "s", *LIMITS, "--max-cells", "2M", "--out", tmp_path)
    done = ohmnas(*words, "--range", "ADC=6:9")
    assert "ADC was measured from 5 to 7; searching this range only" in done.err
    best = read_result(tmp_path / "result.json")
    chips = [hardware(one.chip) for one in (best.best, *best.references)]
    assert all(chip.adc_bits in (6, 7) and chip.technology != "reram" for chip in chips)
    refused = ohmnas(*words, "--fix", "TECH=reram").sentence
    assert "TECH was measured from pcm to hermes: choose a value in this range" in refused


def test_a_reference_can_be_where_a_search_begins(folder: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = ("--fix", "TECH=hermes", "--start-from", "resnet8-w8", "--out", tmp_path)
    done = ohmnas("search", "--surrogate", folder, *LIMITS, *words, "--max-energy", "1")
    assert done.code == 0
    assert "exceed the limits" not in done.err


@pytest.mark.parametrize(("adc", "measured"), [("8", True), ("7", False)])
def test_only_the_designs_that_were_measured_are_left_out(
    adc: str, measured: bool, folder: Path, ohmnas: Ohmnas, tmp_path: Path
) -> None:
    words = (
        "search",
        "--surrogate",
        folder,
        *LIMITS,
        "--start-from",
        "resnet8-w8",
        "--iterations",
        "1",
        "--floor",
        "none",
    )
    chip = ("--fix", "TECH=pcm", "--fix", "TILE=512", "--fix", "DAC=8", "--fix", f"ADC={adc}", "--max-cells", "9M")
    asked = {}
    for out, more in (("all", ()), ("new", ("--exclude", "digits"))):
        assert ohmnas(*words, *chip, *more, "--out", tmp_path / out).code == 0
        result = read_result(tmp_path / out / "result.json")
        asked[out] = {tuple(genome[:GENES]) for genome in result.population.tolist()}
    network = tuple(result.space.networks.encode([reference("resnet8-w8")])[0].tolist())
    assert network in asked["all"]
    assert (network not in asked["new"]) == measured


@pytest.mark.timeout(180)
def test_a_study_of_varied_chips_has_their_measured_effects(table: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = ("study", "--table", table, "--hardware", "pcm", "--resamples", "3", "--out", tmp_path)
    done = ohmnas(*words)
    assert done.code == 0, done.err
    assert "measured change in points" in done.out
    assert (tmp_path / "measured_chip_effects.png").exists()


def test_fitting_designs_prints_how_to_score_them(table: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    done = ohmnas("fit", "--table", table, "--co-design", "--out", tmp_path / "s")
    assert f"ohmnas score --table {table} --co-design" in done.out
