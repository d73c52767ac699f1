from __future__ import annotations

import errno
import io

import pytest
from rich.console import Console

from ohmnas.cli import render


def test_numbers_read_as_people_say_them() -> None:
    assert render.percent(0.98765) == "98.76 %" or render.percent(0.98765) == "98.77 %"
    assert render.points(-0.0123) == "-1.23 pt"
    assert [render.duration(s) for s in (12.2, 600, 7200)] == ["12 s", "10 min", "2.0 h"]


def test_a_table_is_not_cut_where_no_terminal_is(capfd: pytest.CaptureFixture[str]) -> None:
    render.table(["name", *"abcde"], [["x" * 30, *["12.345 ± 0.678"] * 5]])
    render.table(["name", *"abcde"], [["x" * 90, *["12.345 ± 0.678"] * 5]])
    assert "…" not in capfd.readouterr().out


def test_a_progress_bar_without_a_terminal_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with render.meter("working", 3, show=True) as meter:
        meter.advance(2, "note")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["x[/foo]", "[bold]x[/bold]", "[red", ":smile:"])
def test_names_that_look_like_markup_are_shown_as_they_are(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    render.table([name, "b"], [[name, name]], title=name)
    render.line(name)
    render.notice(name)
    with render.meter(name, 1, show=True) as meter:
        meter.advance(1, name)
    out, err = capfd.readouterr()
    assert out.count(name) == 5
    assert err == f"{name}\n"


def test_quiet_prints_warnings_errors_and_json(capfd: pytest.CaptureFixture[str]) -> None:
    with render.printing(quiet=True):
        render.line("line")
        render.table(["column"], [["cell"]])
        render.notice("note")
        with render.meter("working", 3, show=True) as meter:
            meter.begin(2, "progress")
        render.warning("few rows")
        render.error("wrong")
        render.machine({"value": 1})
    assert capfd.readouterr() == ('{"value": 1}\n', "warning: few rows\nohmnas: error: wrong\n")
    render.line("line")
    assert capfd.readouterr().out == "line\n"


def test_values_that_json_does_not_have_are_a_bug_of_the_caller() -> None:
    with pytest.raises(ValueError, match="JSON"):
        render.machine({"value": float("nan")})


def test_a_beginning_is_a_line_at_once_and_the_first_step_too(capsys: pytest.CaptureFixture[str]) -> None:
    with render.meter("digits on pcm", 30, show=True) as meter:
        meter.begin(2, "28 to measure")
        assert capsys.readouterr().err == "digits on pcm: 2 of 30, 28 to measure\n"
        meter.advance(3, "9 min left")
        assert capsys.readouterr().err == "digits on pcm: 3 of 30, 9 min left\n"
        meter.advance(4, "8 min left")
    with render.meter("learning", None, show=True) as meter:
        meter.begin(0, "40 architectures")
    assert capsys.readouterr().err == "learning, 40 architectures\n"


def test_a_terminal_that_is_closed_does_not_end_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            del text
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(render, "_err", Console(file=Closed(), force_terminal=True))
    with pytest.raises(KeyboardInterrupt), render.meter("digits on pcm", 30, show=True):
        raise KeyboardInterrupt


def test_progress_is_lines_where_no_terminal_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "LOG_SECONDS", 0.0)
    with render.meter("digits on pcm", 30, show=True) as meter:
        meter.advance(2, "780 rows/h")
    assert capsys.readouterr().err == "digits on pcm: 2 of 30, 780 rows/h\n"
    with render.meter("quiet", 30, show=False) as meter:
        meter.advance(2, "")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["\x1b]0;owned\x07", "a\rb", "\x9b2J", "a\u202eb", "a\udc80"])
def test_control_characters_are_escaped(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    render.table([name], [[name]], title=name)
    render.line(name)
    render.notice(name)
    render.error(name)
    out, err = capfd.readouterr()
    for char in name:
        if not char.isprintable():
            assert char not in out + err
            assert out.count(ascii(char)[1:-1]) >= 4
    assert render.visible("größe\n\t±\xa0") == "größe\n\t±\xa0"
