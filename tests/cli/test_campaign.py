from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from ohmnas.datasets.store import Store
from ohmnas.datasets.table import read_table
from ohmnas.datasets.task import TASKS
from ohmnas.search import read_result
from tests.datasets.loaders.conftest import (
    write_cifar10,
    write_cifar100,
    write_coco,
    write_speech_commands,
    write_spoken_digits,
)

from .conftest import Ohmnas

SMOKE = ("--task", "digits", "--fidelity", "smoke", "--jobs", "1")


def test_a_campaign_measures_resumes_and_exports(ohmnas: Ohmnas, tmp_path: Path) -> None:
    store, table = tmp_path / "s.sqlite", tmp_path / "t.csv"
    first = ohmnas("campaign", *SMOKE, "--n", "2", "--store", store, "--json").values
    assert (first["measured"], first["failed"], first["rows"]) == (2, 0, 2)
    second = ohmnas("campaign", *SMOKE, "--n", "3", "--store", store)
    assert "1 rows measured" in second.out
    assert "2 were there" in second.out
    assert ohmnas("export-table", "--store", store, "--out", table).code == 0
    grown = tmp_path / "grown.sqlite"
    third = ohmnas("campaign", *SMOKE, "--n", "3", "--store", grown, "--start-from", table, "--json").values
    assert (third["measured"], third["rows"]) == (0, 3)


def test_what_a_search_found_is_measured_too(ohmnas: Ohmnas, tmp_path: Path) -> None:
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
    assert "takes no --found" in ohmnas(*both).sentence
    other = ("campaign", "--task", "cifar10", "--fidelity", "smoke", "--found", result, "--store", store)
    assert "is of the task 'digits', not of 'cifar10'" in ohmnas(*other).sentence


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--task", "mnist"), "no task 'mnist'"),
        (("--hardware", "abacus"), "no hardware 'abacus'; there are pcm"),
        (("--fidelity", "deep"), "no fidelity 'deep'"),
        (("--n", "0"), "above 0"),
        (("--store", "no/such/folder/s.sqlite"), "does not exist"),
        (("--start-from", "nowhere.csv"), "no table 'nowhere.csv'"),
        (("--hardware", "pcm", "pcm"), "names a chip twice"),
        (("--backend", "dask"), "needs the --scheduler"),
        (("--max-row-gib", "0"), "not a number above 0"),
        (("--seed", "1000000"), "seeds from 1000000 on are for verification"),
    ],
)
def test_bad_input_is_one_sentence(words: tuple[str, ...], message: str, ohmnas: Ohmnas, tmp_path: Path) -> None:
    base = (*SMOKE, "--n", "1", "--store", tmp_path / "s.sqlite")
    assert message in ohmnas("campaign", *base, *words).sentence
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_no_store_stays_as_it_is(ohmnas: Ohmnas, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("my notes\n" * 100, encoding="utf-8")
    assert "not a store" in ohmnas("campaign", *SMOKE, "--n", "1", "--store", path).sentence
    assert path.read_text("utf-8") == "my notes\n" * 100


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_ctrl_c_says_how_to_go_on(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    script = (
        "import signal, sys; from ohmnas.cli.main import main; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); "  # tests that run in the background have it ignored
        "sys.exit(main())"
    )
    command = [sys.executable, "-W", "ignore", "-c", script]
    words = ["campaign", *SMOKE, "--n", "200", "--store", str(path)]
    process = subprocess.Popen([*command, *words], stderr=subprocess.PIPE, text=True)
    rows = 0
    while rows == 0:
        time.sleep(0.2)
        assert process.poll() is None
        if path.is_file():
            with Store(path) as store:
                rows = len(store.identities())
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "of 200 rows are stored; the same command goes on" in errors
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
    assert "no task 'mine'" in ohmnas("export-table", "--store", store, "--out", table).sentence
    assert ohmnas("export-table", "--store", store, "--task", path, "--out", table).code == 0
    assert read_table(str(table)).card["input_shape"] == [1, 6, 6]
