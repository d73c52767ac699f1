from __future__ import annotations

from dataclasses import replace
from shlex import split
from typing import Any

import pandas as pd
import pytest

from ohmnas.datasets.campaign.plan import plan
from ohmnas.datasets.campaign.protocol import training_settings
from ohmnas.datasets.tables import schema
from ohmnas.datasets.tables.card import make_card, worker_hours
from ohmnas.datasets.tables.schema import Row
from ohmnas.datasets.tasks.task import task
from ohmnas.hardware import Hardware
from ohmnas.spaces.resnet.genes import GENE_NAMES
from tests.datasets.conftest import DIGITS, made_rows, varied_rows


def card_of(rows: list[Row]) -> dict[str, Any]:
    return make_card(pd.DataFrame(rows, columns=list(schema.columns(GENE_NAMES))), task("digits"))


def planned_rows(n: int) -> list[Row]:
    """Rows of the first n architectures of the plan."""
    rows = made_rows(n)
    for row, genome in zip(rows, plan(task("digits"), n), strict=True):
        row.update(zip(task("digits").space.gene_names, genome.tolist(), strict=True))
    return rows


def test_the_card_describes_the_table_and_how_to_reproduce_it(rows: list[Row]) -> None:
    card = card_of(rows)
    assert card["status"] == {"ok": 5, "failed": 1}
    assert card["architectures"] == 6
    assert card["input_shape"] == [1, 8, 8]
    assert card["hardware"] == ["pcm"]
    assert card["software"]["torch_version"] == ["0"]
    assert [command.partition(" --seed ")[2] for command in card["reproduce"]] == [  # no plan has these rows
        "0 --networks digits.csv --store digits.sqlite",
        "",
    ]


def test_rows_of_a_plan_come_with_the_campaign_that_measures_them() -> None:
    card = card_of(planned_rows(6))
    assert "ohmnas campaign --task digits --hardware pcm --fidelity smoke --seed 0 --n 6" in card["reproduce"][0]
    assert "export-table" in card["reproduce"][1]


def test_rows_of_a_gpu_count_as_gpu_hours() -> None:
    rows = planned_rows(6)
    for index, row in enumerate(rows):
        row.update(train_seconds=3600.0, drift_seconds=0.0, precision="tf32" if index > 1 else "bfloat16")
    card = card_of(rows)
    assert (card["hours_of_one_core"], card["hours_of_one_gpu_worker"]) == (2.0, 4.0)
    assert card["software"]["precision"] == ["bfloat16", "tf32"]
    words = [command.partition(" --seed 0 ")[2] for command in card["reproduce"][:2]]
    assert words == ["--n 2 --store digits.sqlite", "--n 6 --device cuda --store digits.sqlite"]
    for row in rows:
        row["precision"] = "tf32"
    assert "--n 6 --device cuda --store" in card_of(rows)["reproduce"][0]


@pytest.mark.parametrize(("n", "times"), [(1, 1), (4, 2), (2, 7), (1, 100)])
def test_rows_of_varied_chips_come_with_the_one_campaign_that_draws_them(n: int, times: int) -> None:
    card = card_of(varied_rows(n, times))
    assert card["hardware"] == ["varied-hermes", "varied-pcm", "varied-reram"]
    assert card["architectures"] == n
    assert len(card["reproduce"]) == 2
    words = f"ohmnas campaign --task digits --vary-chip {times} --fidelity smoke --seed 0 --n {n} --store"
    assert card["reproduce"][0].startswith(words)


def test_rows_of_a_preset_and_of_varied_chips_are_two_campaigns() -> None:
    card = card_of([*planned_rows(5), *varied_rows(3, 2)])
    assert card["hardware"] == ["pcm", "varied-hermes", "varied-pcm", "varied-reram"]
    assert len(card["reproduce"]) == 3
    for words in ("--hardware pcm --fidelity smoke --seed 0 --n 5", "--vary-chip 2 --fidelity smoke --seed 0 --n 3"):
        assert sum(words in command for command in card["reproduce"]) == 1


def test_repeats_with_another_seed_are_another_campaign() -> None:
    card = card_of([*varied_rows(3, 2, seed=0), *varied_rows(2, 1, seed=1)])
    assert "--vary-chip 2 --fidelity smoke --seed 0 --n 3" in card["reproduce"][0]
    assert "--vary-chip 1 --fidelity smoke --seed 1 --n 2" in card["reproduce"][1]


def test_varied_chips_that_no_campaign_draws_come_without_one() -> None:
    rows = varied_rows(4, 2)
    exchanged = varied_rows(4, 2)
    exchanged[0]["hardware"], exchanged[6]["hardware"] = exchanged[6]["hardware"], exchanged[0]["hardware"]
    for none in (rows[6:], exchanged):
        assert [command.split()[1] for command in card_of(none)["reproduce"]] == ["export-table"]


def test_the_card_names_the_campaign_of_the_references_for_any_set_of_rows() -> None:
    found = planned_rows(9)[8]
    assert "--hardware pcm --fidelity smoke --seed 0 --n 6 " in card_of([*planned_rows(6), found])["reproduce"][0]
    varied = varied_rows(4, 2)
    assert "--vary-chip 2 --fidelity smoke --seed 0 --n 3 " in card_of(varied[:-1])["reproduce"][0]
    other = {**found, "hardware": "reram-t64-d4-a5"}
    assert "--vary-chip 2 --fidelity smoke --seed 0 --n 4 " in card_of([*varied, other])["reproduce"][0]


def test_rows_outside_the_plan_are_measured_from_the_table_itself() -> None:
    first, second, export = make_card(pd.DataFrame([*planned_rows(6), planned_rows(9)[8]]), DIGITS, "my table.csv")[
        "reproduce"
    ]
    assert "--seed 0 --n 6 --store" in first
    assert split(second)[-4:] == ["--networks", "my table.csv", "--store", "digits.sqlite"]
    assert split(export)[-1] == "my table.csv"
    assert not any("--networks" in command for command in card_of(planned_rows(6))["reproduce"])


def test_rows_of_one_varied_chip_have_a_card() -> None:
    rows = planned_rows(4)
    for row in rows:
        row["hardware"] = "pcm-t256-d8-a7"
    card = card_of(rows)
    assert card["hardware"] == ["varied-pcm"]
    assert "export-table" in card["reproduce"][-1]


def test_hours_count_a_training_once_for_all_its_chips() -> None:
    """What a training run knows nothing of does not tell training runs apart, all else does."""
    first = planned_rows(1)[0]
    chip = Hardware()
    for name, value in chip.settings().items():
        other = {**first, "hardware": "other", name: value / 2 + 1}
        changed = (
            replace(chip, **{name[3:]: type(getattr(chip, name[3:]))(value / 2 + 1)})
            if name not in ("hw_drift_compensation", "hw_batch_norm")
            else replace(
                chip, drift_compensation="batch" in name, batch_norm="adaptive" if "batch" in name else "trained"
            )
        )
        shared = training_settings(changed) == training_settings(chip)
        one = worker_hours(pd.DataFrame([first]))
        both = worker_hours(pd.DataFrame([first, other]))
        trained = float(str(first["train_seconds"])) / 3600
        assert both == pytest.approx(2 * one - shared * trained), name


def test_a_shell_takes_the_names_in_commands_as_they_are() -> None:
    odd = replace(DIGITS, name="my images; rm -r ~")
    rows = [{**row, "task": odd.name, "hardware": "mine $(x)"} for row in varied_rows(2, 1)[:1]]
    for row, genome in zip(rows, plan(odd, 1), strict=True):
        row.update(zip(GENE_NAMES, genome.tolist(), strict=True))
    campaign, export = make_card(pd.DataFrame(rows), odd)["reproduce"]
    assert split(campaign)[:6] == ["ohmnas", "campaign", "--task", f"{odd.name}.npz", "--hardware", "mine $(x).toml"]
    assert split(campaign)[-1] == split(export)[3] == f"{odd.name}.sqlite"
    assert split(export)[-1] == f"{odd.name}.csv"
