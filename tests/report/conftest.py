from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from ohmnas.search.limits import Limits
from ohmnas.search.problem import Problem
from ohmnas.search.result import SearchResult, write_result
from ohmnas.search.run import Budget, search
from ohmnas.search.strategies import Evolution
from ohmnas.surrogate.shipped import shipped_surrogate
from ohmnas.targets import DEFAULTS


def parsed(svg: str) -> ElementTree.Element:
    """Parse an SVG; it must be well-formed."""
    return ElementTree.fromstring(svg)  # noqa: S314 - made here


MANY = Budget(population=30, iterations=3)


def searched(pareto: tuple[str, ...] = ()) -> SearchResult:
    """A small search with the shipped surrogate of the digits."""
    model = shipped_surrogate("digits")
    assert model is not None
    limits = Limits(min_params=1000, max_params=50_000, max_macs=2e6, min_accuracy=0.6)
    return search(Problem(model.space, model, limits, pareto=pareto, chip=model.hardware), Evolution, 0, MANY)


@pytest.fixture(scope="session")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a search."""
    folder = tmp_path_factory.mktemp("results") / "found"
    folder.mkdir()
    write_result(folder / "result.json", searched())
    return folder


@pytest.fixture(scope="session")
def front(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a search with a front and measurements of the found network and a reference."""
    folder = tmp_path_factory.mktemp("results") / "front"
    folder.mkdir()
    result = searched(("accuracy_1d", "params", "avm"))
    write_result(folder / "result.json", result)
    (folder / "verify.json").write_text(json.dumps(verified(result)), encoding="utf-8")
    return folder


def verified(result: SearchResult) -> dict[str, object]:
    """A verification of made-up measurements: the predictions, with noise. One training run diverged."""
    rng = np.random.default_rng(0)
    networks: dict[str, object] = {}
    reference = result.references[0].name
    some = {"mean": 0.004, "low": 0.001, "high": 0.007, "p": 0.02, "pairs": 2}
    once = {**some, "p": None}
    for name, candidate in {"found": result.best, result.references[0].name: result.references[0]}.items():
        measured: dict[str, list[float | None]] = {
            target.name: [candidate.predicted[target.name] + 0.001 * float(rng.normal()) for _ in range(3)]
            for target in DEFAULTS
        }
        measured |= {f"accuracy_{time}": measured["accuracy_1d"] for time in ("1s", "1mo")}
        if name == "found":
            measured = {target: [*values[:2], None] for target, values in measured.items()}
        networks[name] = {**candidate.to_dict(), "measured": measured, "reasons": ["", "", ""]}
    return {
        "task": "digits",
        "hardware": "pcm",
        "fidelity": "paper",
        "engine": "native",
        "seeds": [1, 2, 3],
        "test_images": 360,
        "chips": 25,
        "predicted_fidelity": "paper",
        "networks": networks,
        "differences": {"found": {reference: {"accuracy_1d": some, "avm": None, "accuracy_digital": once}}},
    }
