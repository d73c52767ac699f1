from __future__ import annotations

import warnings
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from ohmnas.errors import StorageError
from ohmnas.search.limits import Limits
from ohmnas.search.plots import PICTURES, plot_search
from ohmnas.search.problem import Problem
from ohmnas.search.result import SearchResult
from ohmnas.search.run import Budget, search
from ohmnas.search.strategies import Evolution
from ohmnas.spaces.resnet.references import REFERENCES

from .conftest import CHIP, SPACE, Formula

PNG = b"\x89PNG\r\n\x1a\n"


@cache
def found(pareto: tuple[str, ...] = ()) -> SearchResult:
    one = Problem(SPACE, Formula(), Limits(max_params=50_000), pareto=pareto, chip=CHIP)
    return search(one, Evolution, 0, Budget(population=20, iterations=2))


def drawn(result: SearchResult, folder: Path) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        paths = plot_search(result, folder)
    assert all(path.read_bytes().startswith(PNG) for path in paths)
    assert sorted(paths) == sorted(folder.iterdir())
    return sorted(path.name for path in paths)


def test_without_a_front_there_are_two_pictures(tmp_path: Path) -> None:
    assert drawn(found(), tmp_path) == ["architecture.png", "convergence.png"]


@pytest.mark.parametrize("pareto", [("accuracy_1d", "params"), ("accuracy_1d", "avm", "energy")])
def test_with_a_front_there_are_three(pareto: tuple[str, ...], tmp_path: Path) -> None:
    assert found(pareto).references
    assert drawn(found(pareto), tmp_path) == ["architecture.png", "convergence.png", "pareto.png"]


def test_svg_is_drawn_and_equal_each_time(tmp_path: Path) -> None:
    pictures = []
    for _ in range(2):
        paths = plot_search(found(("accuracy_1d", "params")), tmp_path, "svg")
        pictures.append([path.read_bytes() for path in paths])
    assert pictures[0] == pictures[1]
    assert all(b"</svg>" in picture for picture in pictures[0])
    assert {path.name for path in paths} <= set(PICTURES)


def test_words_are_not_wider_than_the_picture(tmp_path: Path) -> None:
    from matplotlib.image import imread

    result = found(("accuracy_1d", "params"))
    drawn(replace(result, references=result.references * 5), tmp_path)
    picture = imread(tmp_path / "pareto.png")
    assert (picture[:, [0, -1], :3] == 1.0).all()


def test_a_front_of_one_network_and_a_search_of_one_generation_are_drawn(tmp_path: Path) -> None:
    one = found(("accuracy_1d", "avm", "energy"))
    assert len(drawn(replace(one, front=one.front[:1], history=one.history[:1], references=[]), tmp_path)) == 3


def test_a_search_that_went_on_with_a_front_is_drawn(tmp_path: Path) -> None:
    """Its first generations have no hypervolume."""
    history = [*found().history, *found(("accuracy_1d", "params")).history, *found().history]
    assert len(drawn(replace(found(), history=history), tmp_path)) == 2


def test_a_search_without_history_is_drawn(tmp_path: Path) -> None:
    """Interrupted before its first generation was noted."""
    assert len(drawn(replace(found(), history=[]), tmp_path)) == 2


@pytest.mark.parametrize("name", ["resnet8", "resnet50", "resnext29-4"])
def test_networks_of_every_kind_are_drawn(name: str, tmp_path: Path) -> None:
    best = replace(found().best, architecture=REFERENCES[name])
    assert len(drawn(replace(found(), best=best), tmp_path)) == 2


def test_the_largest_network_is_drawn(tmp_path: Path) -> None:
    everything = SPACE.repair(np.full((1, 28), 999))
    best = replace(found().best, architecture=SPACE.decode(everything)[0])
    assert len(drawn(replace(found(), best=best), tmp_path)) == 2


def test_the_same_result_gives_the_same_pictures(tmp_path: Path) -> None:
    pictures = []
    for _ in range(2):
        drawn(found(), tmp_path)
        pictures.append([path.read_bytes() for path in sorted(tmp_path.iterdir())])
    assert pictures[0] == pictures[1]


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file or directory"):
        plot_search(found(), tmp_path / "no")
