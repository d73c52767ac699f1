from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from ohmnas.datasets.campaign.trained import TrainedNetwork
from ohmnas.export.hub import card, export_hub
from ohmnas.export.plain_torch import imported, random_images


def test_the_folder_has_what_the_hub_shows_and_code_that_loads(branched: TrainedNetwork, tmp_path: Path) -> None:
    export_hub(branched, tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"README.md", "config.json", "model.safetensors", "network.py", "ohmnas"}
    config = json.loads((tmp_path / "config.json").read_text("utf-8"))
    assert (config["num_labels"], config["genome"]) == (10, list(branched.genome))
    images = random_images(branched)
    with torch.no_grad():
        theirs = imported(tmp_path / "network.py").load()(images)
        again = TrainedNetwork.load(tmp_path / "ohmnas")
        ours = again.digital()(again.prepare(images.numpy()))
    assert torch.allclose(theirs, ours, atol=1e-3)


def header(text: str) -> dict[str, Any]:
    """The metadata of a card."""
    _, block, _ = text.split("---\n", 2)
    found: dict[str, Any] = yaml.safe_load(block)
    return found


@pytest.mark.parametrize("name", ["a: b", "- x", "# x", "'", '"', "null", "{x}", "x&*"])
def test_no_name_breaks_the_header_of_a_card(name: str, branched: TrainedNetwork) -> None:
    named = replace(
        branched, name=name, task=name, provenance={**branched.provenance, "measured": {"accuracy_1d": 0.9}}
    )
    named.provenance["chips"] = 2
    found = header(card(named))
    (model,) = found["model-index"]
    assert [found["datasets"], model["name"], model["results"][0]["dataset"]["name"]] == [[name], name, name]


def test_the_card_has_a_metadata_header(branched: TrainedNetwork) -> None:
    found = header(card(branched))
    assert found["pipeline_tag"] == "image-classification"
    assert "model-index" not in found
    branched.provenance.update(measured={"accuracy_digital": 0.98, "accuracy_1d": 0.96}, chips=25)
    try:
        text = card(branched)
    finally:
        del branched.provenance["measured"], branched.provenance["chips"]
    (model,) = header(text)["model-index"]
    assert [metric["value"] for metric in model["results"][0]["metrics"]] == [0.98, 0.96]
    assert "| 1 day | 96.00 % |" in text
