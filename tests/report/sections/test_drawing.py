from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from ohmnas.report.sections.drawing import network_section
from ohmnas.report.subject import read_subjects

_HEIGHT = re.compile(r'<rect class="k-spatial"[^>]* height="([0-9.]+)"')


def test_each_result_has_a_picture_and_the_last_one_a_legend(found: Path, front: Path) -> None:
    one, both = (network_section(read_subjects(paths)) for paths in ([found], [found, front]))
    assert (one.title, len(one.figures)) == ("The network", 1)
    assert (both.title, len(both.figures)) == ("The networks", 2)
    assert [bool(figure.legend) for figure in both.figures] == [False, True]
    assert both.figures[0].title.startswith("found: stem")


def test_drawings_side_by_side_have_one_scale(found: Path) -> None:
    one = read_subjects([found])[0]
    space = one.result.space
    names = ("resnet8-w8", "resnet8")
    genomes = space.encode([space.references[name] for name in names])
    networks = [
        replace(one.result.best, architecture=space.references[name], genome=tuple(genome.tolist()))
        for name, genome in zip(names, genomes, strict=True)
    ]
    small, large = (replace(one, result=replace(one.result, best=network)) for network in networks)
    alone, beside = (network_section(subjects).figures[0].svg for subjects in ([small], [small, large]))
    tallest = [max(float(height) for height in _HEIGHT.findall(svg)) for svg in (alone, beside)]
    assert tallest[1] == pytest.approx(tallest[0] / 2, rel=0.02)


def test_the_legend_has_the_drawn_kinds_of_layers_only(found: Path) -> None:
    one = read_subjects([found])[0]
    space = one.result.space
    plain = replace(one.result.best, architecture=space.references["resnet8-w8"])
    plain = replace(plain, genome=tuple(space.encode([plain.architecture])[0].tolist()))
    (figure,) = network_section([replace(one, result=replace(one.result, best=plain))]).figures
    assert [text for _, text in figure.legend] == ["convolution", "linear layer"]


def test_the_text_of_the_architecture_is_explained(found: Path) -> None:
    (figure,) = network_section(read_subjects([found])).figures
    assert "Notation: stem channels@kernel" in figure.note
