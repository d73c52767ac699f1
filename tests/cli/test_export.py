from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.export.conftest import calibrated, small_genomes

from .conftest import Ohmnas


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "net"
    calibrated(small_genomes(1)[0]).save(folder)
    return folder


def test_an_export_prints_the_network_and_its_files(net: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    done = ohmnas("export", net, "--to", "torch", "--out", tmp_path / "out")
    assert done.code == 0, done.err
    assert "network.py" in done.out
    assert f"cd {tmp_path / 'out'}" in done.out
    values = ohmnas("export", net, "--to", "hub", "--out", tmp_path / "hub", "--json").values
    assert "ohmnas/network.json" in values["files"]
    assert values["difference"] < 1e-4


def test_the_result_of_a_search_must_be_trained_first(ohmnas: Ohmnas, tmp_path: Path) -> None:
    (tmp_path / "result.json").write_text("{}", encoding="utf-8")
    for found in (tmp_path, tmp_path / "result.json"):
        done = ohmnas("export", found, "--to", "torch", "--out", tmp_path / "out")
        assert f"ohmnas train {found} --task TASK --out net" in done.sentence


def test_wrong_words_are_one_sentence(net: Path, ohmnas: Ohmnas, tmp_path: Path) -> None:
    assert "unknown exporter 'onxx'" in ohmnas("export", net, "--to", "onxx", "--out", tmp_path / "out").sentence
    assert "cannot read" in ohmnas("export", tmp_path, "--to", "torch", "--out", tmp_path / "out").sentence
    (tmp_path / "there").write_text("x", encoding="utf-8")
    assert "is not an empty folder" in ohmnas("export", net, "--to", "torch", "--out", tmp_path / "there").sentence
    broken = tmp_path / "broken"
    broken.mkdir()
    values = json.loads((net / "network.json").read_text("utf-8"))
    (broken / "network.json").write_text(json.dumps(values | {"task": "\n"}), encoding="utf-8")
    assert "task" in ohmnas("export", broken, "--to", "torch", "--out", tmp_path / "out").sentence
