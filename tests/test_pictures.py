from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import pytest

from ohmnas.errors import StorageError
from ohmnas.pictures import drawing, new_figure, save, short, ticks_in_words


def test_a_figure_becomes_a_png_and_leaves_the_backend_alone(tmp_path: Path) -> None:
    before = mpl.get_backend()
    mpl.use("svg")
    figure = new_figure(2.0, 1.0)
    figure.subplots().plot([1, 2, 3])
    save(figure, tmp_path / "one.png")
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert mpl.get_backend() == "svg"
    mpl.use(before)


SCRIPT = """
import os, sys
from pathlib import Path
from ohmnas.pictures import drawing, new_figure, save

@drawing()
def draw():
    figure = new_figure(2.0, 1.0)
    figure.subplots().plot([1, 2, 3])
    save(figure, Path(sys.argv[1]))

draw()
print(os.environ["MPLBACKEND"])
"""


@pytest.mark.parametrize("backend", ["module://nowhere.backend_inline", "nonsense", "svg"])
def test_pictures_need_no_backend_that_the_environment_names(backend: str, tmp_path: Path) -> None:
    environment = {**os.environ, "MPLBACKEND": backend}
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "one.png")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, backend), done.stderr
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("setting", [{"text.usetex": True}, {"lines.linewidth": 9.0}, {"axes.facecolor": "red"}])
def test_pictures_do_not_depend_on_settings_and_leave_them_alone(setting: dict[str, object], tmp_path: Path) -> None:
    @drawing()
    def draw(path: Path) -> bytes:
        figure = new_figure(2.0, 1.5)
        panel = figure.subplots()
        panel.plot([1, 2, 3], [1, 10, 100])
        panel.set(yscale="log", title="50 %")
        save(figure, path)
        return path.read_bytes()

    expected = draw(tmp_path / "plain.png")
    with mpl.rc_context(setting):
        assert draw(tmp_path / "set.png") == expected
        assert {name: mpl.rcParams[name] for name in setting} == setting


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot write"):
        save(new_figure(1.0, 1.0), tmp_path / "no" / "one.png")


@pytest.mark.parametrize(
    ("value", "text"),
    [(1000, "1k"), (950, "950"), (2_500_000, "2.5M"), (0.3, "0.3"), (1.2e-5, "12µ"), (1e-12, "1e-12")],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert short(value) == text


@pytest.mark.parametrize(("low", "high"), [(1e3, 2e5), (900, 1100), (2e4, 5e4), (1e-7, 1e6)])
def test_a_logarithmic_axis_has_at_least_two_labels(low: float, high: float) -> None:
    panel = new_figure(3.0, 2.0).subplots()
    panel.plot([1, 2], [low, high])
    panel.set(yscale="log")
    ticks_in_words(panel, "y")
    bottom, top = panel.get_ylim()
    assert 2 <= sum(bottom <= tick <= top for tick in panel.get_yticks()) <= 10
