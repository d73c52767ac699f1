from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from ohmnas.cli.campaign import planned
from ohmnas.cli.parsers import parser
from ohmnas.datasets.campaign.plan import plan
from ohmnas.datasets.campaign.protocol import Protocol
from ohmnas.datasets.campaign.store import Identity, Store, identity
from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.card import make_card
from ohmnas.datasets.tables.schema import Row
from ohmnas.datasets.tables.table import read_table, write_table
from ohmnas.datasets.tasks.catalogue import TASKS
from ohmnas.datasets.tasks.task import task
from ohmnas.hardware import Hardware, hardware
from ohmnas.search import SearchResult, read_result
from ohmnas.search.candidate import Candidate
from ohmnas.search.result import write_result
from ohmnas.spaces.codesign import CoDesignSpace
from ohmnas.spaces.genes import Population
from ohmnas.spaces.resnet import ResNetSpace
from ohmnas.spaces.resnet.architecture import Architecture
from ohmnas.spaces.resnet.genes import GENE_NAMES
from ohmnas.spaces.space import Space
from ohmnas.surrogate import chooser
from ohmnas.targets import DEFAULTS
from tests.datasets.conftest import MadeMeasurements, made_row, varied_rows
from tests.datasets.tasks.loaders.conftest import (
    write_cifar10,
    write_cifar100,
    write_coco,
    write_speech_commands,
    write_spoken_digits,
)

from .conftest import Ohmnas

DIGITS = task("digits")
SMOKE = ("--task", "digits", "--fidelity", "smoke", "--jobs", "1")


def test_a_campaign_measures_resumes_and_exports(ohmnas: Ohmnas, tmp_path: Path) -> None:
    store, table = tmp_path / "s.sqlite", tmp_path / "t.csv"
    first = ohmnas("campaign", *SMOKE, "--n", "2", "--store", store, "--json").values
    assert (first["measured"], first["failed"], first["rows"]) == (2, 0, 2)
    second = ohmnas("campaign", *SMOKE, "--n", "3", "--store", store)
    assert "measured 1 row in" in second.out
    assert "2 were already stored" in second.out
    assert "the plan of 3 architectures is complete; to extend it: --n 4" in second.out
    assert ohmnas("export-table", "--store", store, "--out", table).code == 0
    grown = tmp_path / "grown.sqlite"
    third = ohmnas("campaign", *SMOKE, "--n", "3", "--store", grown, "--start-from", table, "--json").values
    assert (third["measured"], third["rows"]) == (0, 3)


@pytest.mark.parametrize("choose", ["plan", "active"])
def test_a_campaign_within_limits_has_small_networks_only(
    choose: str, made_measurements: MadeMeasurements, ohmnas: Ohmnas, tmp_path: Path
) -> None:
    limits, store = ("--max-params", "20k", "--max-macs", "1M"), tmp_path / "s.sqlite"
    assert ohmnas("campaign", *SMOKE, *limits, "--n", "70", "--choose", choose, "--store", store).code == 0
    rows = pd.DataFrame(Store(store).rows())
    assert len(rows) >= 70
    assert rows["params"].max() <= 20_000
    assert rows["macs"].max() <= 1_000_000


def test_cheap_networks_come_first(made_measurements: MadeMeasurements, ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = ("--n", "12", "--jobs", "1", "--store", tmp_path / "s.sqlite", "--order", "cheap")
    assert ohmnas("campaign", *SMOKE, *words).code == 0
    genomes = np.array([genome for genome, _ in made_measurements.trained], dtype=np.int16)
    activations = DIGITS.space.layers(genomes).activations().tolist()
    assert activations == sorted(activations)
    assert {genome.tobytes() for genome in genomes} == {genome.tobytes() for genome in plan(DIGITS, 12)}


def test_a_table_measured_with_other_settings_is_not_copied(ohmnas: Ohmnas, tmp_path: Path) -> None:
    frame, store = read_table("digits").frame, tmp_path / "s.sqlite"
    for of, also in ((frame["hardware"] == "pcm", {"epochs": 12}), (frame["hardware"] == "hermes", {"hw_adc_bits": 5})):
        some = frame[of].head(5).assign(fidelity="smoke", protocol=schema.PROTOCOL_VERSION, batch=32, **also)
        some = some.assign(**dict.fromkeys(schema.SPREAD_COLUMNS, 0.0), **dict.fromkeys(schema.CURVE_COLUMNS, "1:1"))
        write_table(tmp_path / "t.csv", some, make_card(some, DIGITS))
        found = ohmnas("campaign", *SMOKE, "--n", "1", "--store", store, "--start-from", tmp_path / "t.csv")
        if "epochs" in also:
            assert "with epochs 12, but this campaign measures with 1" in found.sentence
            assert not store.exists() or not pd.DataFrame(Store(store).rows()).size
    assert "6 rows" in ohmnas("campaign", "--status", "--store", store).out
    chip = tmp_path / "hermes.toml"
    chip.write_text('base = "hermes"\n', encoding="utf-8")
    words = ("--n", "1", "--store", store, "--hardware", "hermes")
    assert "with hw_adc_bits 5" in ohmnas("campaign", *SMOKE, *words).sentence


def test_failed_rows_are_measured_again_if_that_is_asked_for(ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = ("campaign", *SMOKE, "--n", "1", "--store", tmp_path / "s.sqlite", "--json")
    assert ohmnas(*words, "--max-row-seconds", "0.001").values["failed"] == 1
    assert ohmnas(*words).values["measured"] == 0
    again = ohmnas(*words, "--retry-failed").values
    assert (again["measured"], again["failed"], again["rows"]) == (1, 0, 1)


def test_a_campaign_whose_rows_all_failed_prints_the_reason(
    made_measurements: MadeMeasurements, ohmnas: Ohmnas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("campaign", *SMOKE, "--store", tmp_path / "s.sqlite")
    with monkeypatch.context() as broken:
        broken.setattr("ohmnas.datasets.campaign.campaign.measure", _failing)
        done = ohmnas(*words, "--n", 2, "--json")
        assert (done.code, done.values["failed"]) == (1, 2)
        assert "error: all 2 rows of this campaign failed: DivergedError: made; to measure again after" in done.err
        assert ohmnas(*words, "--n", 2).code == 1  # nothing is left, and nothing is well
        assert ohmnas(*words, "--n", 2, "--hardware", "reram").code == 1
    partly = ohmnas(*words, "--n", 3)
    assert partly.code == 0  # one was measured
    assert "is complete" not in partly.out
    with monkeypatch.context() as broken:
        broken.setattr("ohmnas.datasets.campaign.campaign.measure", _failing)
        assert ohmnas(*words, "--n", 4).code == 0
    whole = ohmnas(*words, "--n", 2, "--retry-failed")
    assert whole.code == 0
    assert "the plan of 2 architectures is complete; to extend it: --n 3" in whole.out


def _failing(protocol: Protocol, genome: Population, chips: Sequence[Hardware], seed: int, *_: object) -> list[Row]:
    return [made_row(genome, chip, seed, np.random.default_rng(0), failed=True) for chip in chips]


def test_a_campaign_whose_trainings_were_all_stopped_early_did_not_fail(
    ohmnas: Ohmnas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("--task", "digits", "--fidelity", "quick", "--jobs", "1", "--n", "2", "--stop-early", "asha")
    words = ("campaign", *asked, "--store", tmp_path / "s.sqlite")

    def stopped(protocol: Protocol, genome: Population, chips: Sequence[Hardware], seed: int, *_: object) -> list[Row]:
        row = made_row(genome, chips[0], seed, np.random.default_rng(0), failed=True)
        return [{**row, **protocol.settings(chips[0]), "fidelity": "quick", "status": schema.STATUS_STOPPED}]

    monkeypatch.setattr("ohmnas.datasets.campaign.campaign.measure", stopped)
    done = ohmnas(*words)
    assert done.code == 0, done.err
    assert "the plan of 2 architectures is complete" in done.out
    assert "note: 2 of 2 rows were stopped early and have no accuracies; without --stop-early" in done.err
    assert "--retry-failed" not in done.err


def test_progress_is_lines_where_no_terminal_is_and_none_for_machines(
    made_measurements: MadeMeasurements, ohmnas: Ohmnas, tmp_path: Path
) -> None:
    words = ("campaign", *SMOKE, "--store", tmp_path / "s.sqlite", "--n")
    first, second, *_ = ohmnas(*words, 2).err.splitlines()
    assert first == "digits on pcm: 0 of 2, 2 to measure"
    assert second.startswith("digits on pcm: 1 of 2, ")
    assert " left, 0 failed" in second
    assert ohmnas(*words, 2).err == "digits on pcm: 2 of 2, nothing left to measure\n"
    assert ohmnas(*words, 3, "--json").err == ""


def test_the_suggested_table_is_called_like_none_that_is_shipped(
    made_measurements: MadeMeasurements, ohmnas: Ohmnas, tmp_path: Path
) -> None:
    out = ohmnas("campaign", *SMOKE, "--n", 1, "--store", tmp_path / "s.sqlite").out
    assert f"--store {tmp_path / 's.sqlite'} --out my-digits.csv" in out


def test_a_campaign_begins_without_what_only_choosing_needs() -> None:
    heavy = "{'sklearn', 'xgboost', 'torch', 'distributed'}"
    script = f"import sys, ohmnas.cli.campaign; print(sorted({heavy} & {{*sys.modules}}))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_found_network_can_be_measured(ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = ("--max-params", "5k", "--population", "30", "--iterations", "2", "--top", "2", "--out", tmp_path)
    assert ohmnas("search", "--task", "digits", *words).code == 0
    store, result = tmp_path / "s.sqlite", tmp_path / "result.json"
    done = ohmnas("campaign", *SMOKE, "--n", "1", "--found", result, "--store", store, "--json").values
    assert (done["measured"], done["failed"]) == (3, 0)
    found = {candidate.genome for candidate in read_result(result).top}
    with Store(store) as opened:
        stored = {row[4:] for row in opened.identities()}
    assert found < stored
    alone = ohmnas("campaign", *SMOKE, "--found", result, "--store", store, "--json").values
    assert (alone["planned"], alone["measured"]) == (2, 0)
    both = ("campaign", *SMOKE, "--n", "1", "--found", result, "--choose", "active", "--store", store)
    assert "--found cannot be combined" in ohmnas(*both).sentence
    other = ("campaign", "--task", "cifar10", "--fidelity", "smoke", "--found", result, "--store", store)
    assert "is for the task 'digits', not 'cifar10'" in ohmnas(*other).sentence


def test_the_networks_of_a_table_are_measured_on_another_chip(
    made_measurements: MadeMeasurements, ohmnas: Ohmnas, tmp_path: Path
) -> None:
    store, table = tmp_path / "s.sqlite", tmp_path / "t.csv"
    assert ohmnas("campaign", *SMOKE, "--n", "5", "--plan-seed", "3", "--store", store).code == 0
    assert ohmnas("export-table", "--store", store, "--out", table).code == 0
    other = ("campaign", *SMOKE, "--hardware", "hermes", "--networks", table, "--store", tmp_path / "o.sqlite")
    assert ohmnas(*other, "--n", "2", "--json").values["planned"] == 2
    done = ohmnas(*other)
    assert "measured 3 rows" in done.out
    assert "to extend it" not in done.out
    assert {one[4:] for one in stored(tmp_path / "o.sqlite")} == {one[4:] for one in stored(store)}
    assert "has only 5 of 6 architectures within the limits" in ohmnas(*other, "--n", "6").sentence
    assert "has no architecture within the limits" in ohmnas(*other, "--max-params", "1001").sentence
    assert "--networks cannot be combined" in ohmnas(*other, "--choose", "best").sentence
    assert "is for the task 'digits'" in ohmnas("campaign", *other[3:], "--task", "people").sentence


def stored(path: Path) -> set[Identity]:
    with Store(path) as store:
        return store.identities()


def identities(designs: list[tuple[Architecture, str]]) -> set[Identity]:
    """What is stored of networks on chips."""
    genomes = DIGITS.space.encode([network for network, _ in designs]).tolist()
    return {("digits", chip, "smoke", 0, *genome) for genome, (_, chip) in zip(genomes, designs, strict=True)}


def write_found(path: Path, space: Space, designs: list[tuple[Architecture, str]]) -> Path:
    """The result of a search that found these networks, on these chips where it searched for chips too."""
    candidates = []
    for network, chip in designs:
        joint = isinstance(space, CoDesignSpace)
        genome = (
            space.encode([network], hardware(chip)) if isinstance(space, CoDesignSpace) else space.encode([network])
        )
        costs = int(space.params(genome)[0]), int(space.macs(genome)[0])
        predicted = dict.fromkeys(tuple(target.name for target in DEFAULTS), 0.5)
        candidates.append(Candidate(network, tuple(genome[0].tolist()), *costs, predicted, chip=chip if joint else ""))
    found = SearchResult(
        candidates[0], 1, 0.1, 0, {}, [], space, top=candidates, provenance={"task": "digits", "hardware": "pcm"}
    )
    write_result(path, found)
    return path


def test_with_varied_chips_each_network_is_measured_in_all_technologies(ohmnas: Ohmnas, tmp_path: Path) -> None:
    path, table = tmp_path / "s.sqlite", tmp_path / "t.csv"
    words = ("campaign", *SMOKE, "--n", "1", "--vary-chip", "1", "--store", path)
    first = ohmnas(*words, "--json").values
    assert (first["planned"], first["measured"], first["failed"], first["rows"]) == (3, 3, 0, 3)
    assert stored(path) == {identity(row) for row in varied_rows(1, 1)}
    assert "measured 0 rows" in ohmnas(*words).out
    assert ohmnas("export-table", "--store", path, "--out", table).code == 0
    card = read_table(str(table)).card
    assert card["hardware"] == ["varied-hermes", "varied-pcm", "varied-reram"]
    assert "--vary-chip 1 --fidelity smoke --seed 0 --n 1" in card["reproduce"][0]


def test_more_settings_extend_fewer(made_measurements: MadeMeasurements, ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = ("campaign", *SMOKE, "--n", "5", "--store", tmp_path / "s.sqlite", "--json")
    assert ohmnas(*words, "--vary-chip", "1").values["measured"] == 5 * 3
    assert ohmnas(*words, "--vary-chip", "2").values["measured"] == 5 * 3
    assert len(made_measurements.trained) == 5 * 2
    assert ohmnas(*words, "--vary-chip", "2").values["measured"] == 0


@pytest.mark.parametrize(("n", "times"), [(1, 1), (6, 2), (3, 7), (1, 100)])
def test_the_command_on_a_card_plans_the_very_rows_of_the_card(n: int, times: int, tmp_path: Path) -> None:
    rows = varied_rows(n, times)
    card = make_card(pd.DataFrame(rows, columns=list(schema.columns(GENE_NAMES))), DIGITS)
    program, *words = card["reproduce"][0].split()
    assert program == "ohmnas"
    campaign = planned(parser().parse_args(words))
    assert campaign.size == len(rows)
    with Store(tmp_path / "s.sqlite") as store:
        designs = [(work.genome, chip) for work in campaign.open_work(store) for chip in work.chips]
    assert {campaign.identity(*design) for design in designs} == {identity(row) for row in rows}


def test_varied_chips_can_be_named(made_measurements: MadeMeasurements, ohmnas: Ohmnas, tmp_path: Path) -> None:
    names = ["pcm-t64-d4-a5", "reram-t64-d4-a5", "pcm"]
    path = tmp_path / "s.sqlite"
    done = ohmnas("campaign", *SMOKE, "--n", "2", "--hardware", *names, "--store", path, "--json").values
    assert (done["planned"], done["measured"]) == (6, 6)
    first, second = DIGITS.space.decode(plan(DIGITS, 2))
    assert stored(path) == identities([(network, name) for network in (first, second) for name in names])
    on = [[chip.name for chip in chips] for _, chips in made_measurements.trained]
    assert on == [["pcm-t64-d4-a5", "reram-t64-d4-a5"], ["pcm"]] * 2


def test_a_network_found_for_a_chip_is_measured_on_it(
    made_measurements: MadeMeasurements, ohmnas: Ohmnas, tmp_path: Path
) -> None:
    (one,) = DIGITS.space.decode(plan(DIGITS, 1))
    found = write_found(tmp_path / "result.json", DIGITS.space, [(one, "pcm")])
    for chip, given, measured in (("hermes", (), "hermes"), ("hermes", ("--hardware", "reram"), "reram")):
        values = json.loads(found.read_text("utf-8"))
        values["surrogate"]["hardware"] = chip
        found.write_text(json.dumps(values), encoding="utf-8")
        path = tmp_path / f"{measured}.sqlite"
        assert ohmnas("campaign", *SMOKE, "--found", found, "--store", path, *given).code == 0
        assert stored(path) == identities([(one, measured)])
    values["surrogate"]["hardware"] = "mine"
    found.write_text(json.dumps(values), encoding="utf-8")
    words = ("campaign", *SMOKE, "--found", found, "--store", tmp_path / "s.sqlite")
    assert "for the chip 'mine': pass its file with --hardware mine.toml" in ohmnas(*words).sentence


def test_designs_that_a_search_found_are_measured_on_their_own_chips(
    made_measurements: MadeMeasurements, ohmnas: Ohmnas, tmp_path: Path
) -> None:
    space = CoDesignSpace.on(ResNetSpace(DIGITS.input_shape, DIGITS.classes))
    planned_one, *others = DIGITS.space.decode(plan(DIGITS, 4))
    designs = [
        (others[0], "hermes-t64-d6-a7"),
        (others[1], "reram-t128-d8-a8"),
        (others[0], "pcm-t512-d8-a8"),
        (planned_one, "pcm-t64-d4-a9"),
    ]
    found, path = write_found(tmp_path / "result.json", space, designs), tmp_path / "s.sqlite"
    words = ("campaign", *SMOKE, "--found", found, "--store", path, "--json")
    assert ohmnas(*words).values["measured"] == 4
    assert stored(path) == identities(designs)
    assert made_measurements.trained[0][1] == (hardware("hermes-t64-d6-a7"),)  # the best comes first
    with_plan = ohmnas(*words, "--n", "1").values
    assert (with_plan["planned"], with_plan["measured"]) == (5, 1)
    assert stored(path) == identities([*designs, (planned_one, "pcm")])
    assert ohmnas(*words, "--n", "1").values["measured"] == 0


def test_found_networks_and_found_designs_are_measured_together(
    made_measurements: MadeMeasurements, ohmnas: Ohmnas, tmp_path: Path
) -> None:
    space = CoDesignSpace.on(ResNetSpace(DIGITS.input_shape, DIGITS.classes))
    one, other, third = DIGITS.space.decode(plan(DIGITS, 3))
    joint = write_found(tmp_path / "joint.json", space, [(one, "hermes-t64-d6-a7"), (other, "hermes-t256-d8-a8")])
    alone = write_found(tmp_path / "alone.json", DIGITS.space, [(one, "pcm"), (third, "pcm")])
    path = tmp_path / "s.sqlite"
    words = ("--found", joint, "--found", alone, "--hardware", "hermes", "reram")
    done = ohmnas("campaign", *SMOKE, *words, "--store", path, "--json").values
    designs = [(one, "hermes-t64-d6-a7"), (other, "hermes-t256-d8-a8")]
    designs += [(network, chip) for network in (one, third) for chip in ("hermes", "reram")]
    assert (done["planned"], done["measured"]) == (6, 6)
    assert stored(path) == identities(designs)


def test_designs_for_other_images_are_refused(ohmnas: Ohmnas, tmp_path: Path) -> None:
    network = DIGITS.space.decode(plan(DIGITS, 1))[0]
    found = write_found(
        tmp_path / "result.json", CoDesignSpace.on(ResNetSpace((3, 8, 8), 10)), [(network, "pcm-t64-d6-a7")]
    )
    words = ("campaign", *SMOKE, "--found", found, "--store", tmp_path / "s.sqlite")
    assert "result.json is " in ohmnas(*words).sentence
    assert not (tmp_path / "s.sqlite").exists()


def test_varied_chips_need_a_plan(ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = ("campaign", *SMOKE, "--vary-chip", "2", "--store", tmp_path / "s.sqlite")
    assert "a campaign needs --task, and --n, --found or --networks" in ohmnas(*words).sentence
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--task", "mnist"), "unknown task 'mnist'"),
        (("--hardware", "abacus"), "unknown hardware 'abacus': choose pcm"),
        (("--fidelity", "deep"), "unknown fidelity 'deep'"),
        (("--n", "0"), "above 0"),
        (("--store", "no/such/folder/s.sqlite"), "does not exist"),
        (("--start-from", "nowhere.csv"), "no table 'nowhere.csv'"),
        (("--hardware", "pcm", "pcm"), "lists a chip twice"),
        (("--hardware", "pcm-t256-d8-a7", "pcm-t256-d8-a7"), "lists a chip twice: pcm-t256-d8-a7, pcm-t256-d8-a7"),
        (("--hardware", "pcm-t256-d1-a7"), "dac_bits must be 0 (ideal) or 2 to 16, not 1"),
        (("--hardware", "ideal-t256-d8-a8"), "unknown hardware 'ideal-t256-d8-a8': choose pcm"),
        (("--vary-chip", "0"), "'0' is not a whole number above 0"),
        (("--vary-chip", "101"), "settings of tiles and converters must be 1 to 100, not 101"),
        (("--vary-chip", "2", "--hardware", "pcm"), "--vary-chip determines the chips: remove --hardware"),
        (("--vary-chip", "2", "--choose", "active"), "remove --hardware, --found and --choose"),
        (("--vary-chip", "2", "--found", "result.json"), "remove --hardware, --found and --choose"),
        (("--stop-early", "asha"), "training runs of 1 epoch are too short to be stopped early"),
        (("--stop-early", "asha", "--choose", "active"), "remove --vary-chip and --choose"),
        (("--backend", "dask"), "needs a scheduler (--scheduler ADDRESS)"),
        (("--max-row-gib", "0"), "not a number above 0"),
        (("--seed", "1000000"), "seeds from 1000000 on are reserved for verification"),
    ],
)
def test_bad_input_is_one_sentence(words: tuple[str, ...], message: str, ohmnas: Ohmnas, tmp_path: Path) -> None:
    base = (*SMOKE, "--n", "1", "--store", tmp_path / "s.sqlite")
    assert message in ohmnas("campaign", *base, *words).sentence
    assert not list(tmp_path.iterdir())


def test_two_chip_files_of_one_name_are_named(ohmnas: Ohmnas, tmp_path: Path) -> None:
    one, other = tmp_path / "one.toml", tmp_path / "other.toml"
    one.write_text('name = "mine"\ndac_bits = 7\n', encoding="utf-8")
    other.write_text('name = "mine"\ndac_bits = 6\n', encoding="utf-8")
    words = ("campaign", *SMOKE, "--n", "1", "--store", tmp_path / "s.sqlite", "--hardware")
    assert f"lists a chip twice: {one}, {other}, both named 'mine'" in ohmnas(*words, one, other).sentence
    one.write_text('name = "pcm"\n', encoding="utf-8")
    assert f"lists a chip twice: {one}, pcm, both named 'pcm'" in ohmnas(*words, one, "pcm").sentence
    assert not (tmp_path / "s.sqlite").exists()


def test_the_rows_of_a_chip_file_have_its_name(ohmnas: Ohmnas, tmp_path: Path) -> None:
    chip, store = tmp_path / "file.toml", tmp_path / "s.sqlite"
    chip.write_text('name = "mine"\ndac_bits = 7\n', encoding="utf-8")
    words = ("campaign", *SMOKE, "--n", "1", "--store", store, "--jobs", "1", "--hardware", chip)
    assert ohmnas(*words).code == 0
    with Store(store) as stored:
        assert [(row["hardware"], row["hw_dac_bits"]) for row in stored.rows()] == [("mine", 7.0)]
    chip.write_text('name = "mine"\ndac_bits = 6\n', encoding="utf-8")
    assert "holds rows of mine at fidelity smoke with hw_dac_bits 7.0" in ohmnas(*words).sentence


def test_a_file_that_is_not_a_store_stays_unchanged(ohmnas: Ohmnas, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes\n" * 100, encoding="utf-8")
    assert "not a store" in ohmnas("campaign", *SMOKE, "--n", "1", "--store", path).sentence
    assert path.read_text("utf-8") == "my notes\n" * 100


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("name", "jobs"), [("SIGINT", 1), ("SIGTERM", 2), ("SIGHUP", 1)])
def test_a_terminated_campaign_prints_how_to_resume(name: str, jobs: int, tmp_path: Path) -> None:
    """A batch system's signal goes to the workers too."""
    path = tmp_path / "s.sqlite"
    script = (
        "import signal, sys; from ohmnas.cli.main import main; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); "  # tests that run in the background have it ignored
        "signal.signal(signal.SIGHUP, signal.SIG_DFL); "
        "sys.exit(main())"
    )
    command = [sys.executable, "-W", "ignore", "-c", script]
    words = ["campaign", *SMOKE[:-1], str(jobs), "--n", "200", "--store", str(path)]
    process = subprocess.Popen([*command, *words], stderr=subprocess.PIPE, text=True, start_new_session=True)
    rows = 0
    while rows == 0:
        time.sleep(0.2)
        assert process.poll() is None
        if path.is_file():
            with Store(path) as store:
                rows = len(store.identities())
    os.killpg(process.pid, getattr(signal, name))
    _, errors = process.communicate(timeout=120)  # also of the workers, which have ended when it does
    assert process.returncode == 130
    assert errors.startswith("digits on pcm: 0 of 200, 200 to measure\n")
    with Store(path) as store:
        assert f"{len(store.identities())} of 200 rows are stored" in errors
    assert "of 200 rows are stored; run the same command to continue" in errors
    assert "Traceback" not in errors


MADE: dict[str, Callable[..., Path]] = {
    "cifar10": write_cifar10,
    "people": write_cifar100,
    "spoken-digits": write_spoken_digits,
    "spoken-digits-new-speakers": write_spoken_digits,
    "speech-commands": write_speech_commands,
    "visual-wake-words": write_coco,
}


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", TASKS)
def test_every_task_runs_from_its_files_to_a_table(
    name: str, ohmnas: Ohmnas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OHMNAS_CACHE", str(tmp_path / "cache"))
    if name in MADE:
        MADE[name](tmp_path)
    store, table = tmp_path / "s.sqlite", tmp_path / "t.csv"
    words = ("--task", name, "--fidelity", "smoke", "--n", "2", "--jobs", "1", "--data-dir", tmp_path)
    assert ohmnas("campaign", *words, "--store", store, "--json").values["measured"] == 2
    assert ohmnas("export-table", "--store", store, "--out", table).code == 0
    assert set(read_table(str(table)).frame["status"]) == {"ok"}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is one here")
def test_a_device_that_is_not_there_is_one_sentence(ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = ("campaign", *SMOKE, "--n", "1", "--store", tmp_path / "s.sqlite", "--device", "cuda")
    assert "no CUDA device" in ohmnas(*words).sentence
    assert not list(tmp_path.iterdir())


def test_a_limit_of_memory_is_not_one_of_a_gpu(ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = ("campaign", *SMOKE, "--n", "1", "--store", tmp_path / "s.sqlite", "--device", "cuda")
    assert "--max-row-gib" in ohmnas(*words, "--max-row-gib", "1").sentence


def test_missing_files_are_one_sentence_and_leave_no_store(ohmnas: Ohmnas, tmp_path: Path) -> None:
    words = ("--task", "cifar10", "--fidelity", "smoke", "--n", "1", "--data-dir", tmp_path)
    assert "--data-dir" in ohmnas("campaign", *words, "--store", tmp_path / "s.sqlite").sentence
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_images_in_a_numpy_archive_are_a_task_throughout(ohmnas: Ohmnas, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 3
    images = (rng.integers(100, size=(300, 6, 6)) + 50 * labels[:, None, None]).astype(np.uint8)
    path = tmp_path / "mine.npz"
    np.savez(path, x_train=images[:250], y_train=labels[:250], x_test=images[250:], y_test=labels[250:])
    store, table = tmp_path / "s.sqlite", tmp_path / "mine.csv"
    words = ("--task", path, "--fidelity", "smoke", "--n", "2", "--jobs", "1")
    assert f"--task {path}" in ohmnas("campaign", *words, "--store", store).out
    assert "unknown task 'mine'" in ohmnas("export-table", "--store", store, "--out", table).sentence
    assert ohmnas("export-table", "--store", store, "--task", path, "--out", table).code == 0
    assert read_table(str(table)).card["input_shape"] == [1, 6, 6]


@pytest.mark.train
@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_campaign_that_chooses_in_two_parts_measures_what_one_in_one_does(
    ohmnas: Ohmnas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chooser, "FIRST", 12)
    monkeypatch.setattr(chooser, "BATCH", 4)
    words = ("campaign", "--task", "digits", "--fidelity", "smoke", "--choose", "active", "--jobs", 1, "--json")
    once = ohmnas(*words, "--n", 20, "--store", tmp_path / "once.sqlite").values
    assert (once["planned"], once["measured"]) == (20, 20)
    parts = [ohmnas(*words, "--n", n, "--store", tmp_path / "parts.sqlite").values["measured"] for n in (14, 20)]
    assert parts == [14, 6]
    measured = []
    for name in ("once", "parts"):
        with Store(tmp_path / f"{name}.sqlite") as store:
            measured.append(store.identities())
    assert len(measured[0]) == 20
    assert measured[0] == measured[1]
    again = ohmnas(*words, "--n", 20, "--store", tmp_path / "parts.sqlite").values
    assert again["measured"] == 0
