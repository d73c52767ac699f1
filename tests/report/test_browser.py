"""Reports in Chromium: sorting, pointing, selecting, no error, no request."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from ohmnas.cli.parsers import parser
from ohmnas.datasets.tables.table import read_table
from ohmnas.report import read_subjects, results_page, table_page
from tests.report.browser import PROGRAM, Browser, browser

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed")

FIRST_ROW = "document.querySelector('#front tbody tr')"


@pytest.fixture(scope="module")
def page() -> Iterator[Browser]:
    with browser() as one:
        yield one


@pytest.fixture(scope="module")
def report(front: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pages") / "report.html"
    path.write_text(results_page(read_subjects([front])), encoding="utf-8")
    return path


def test_a_column_sorts_both_ways(page: Browser, report: Path) -> None:
    page.window(900, 800)
    page.open(report)
    column = "[...document.querySelectorAll('#front tbody tr')].map(row => Number(row.cells[4].dataset.value))"
    before = page.value(column)
    page.move("#front th:nth-child(5) button", click=True)
    assert page.value(column) == sorted(before)
    page.move("#front th:nth-child(5) button", click=True)
    assert page.value(column) == sorted(before, reverse=True)
    assert page.value("document.querySelectorAll('#front th[aria-sort]').length") == 1


def test_pointing_at_a_network_shows_it(page: Browser, report: Path) -> None:
    page.window(900, 800)
    page.open(report)
    assert page.value("document.getElementById('tip').hidden")
    page.move("#front circle.best")
    page.wait("!document.getElementById('tip').hidden")
    assert "parameters" in page.value("document.getElementById('tip').textContent")
    assert page.value("document.querySelectorAll('#tip svg rect').length") > 0
    x, y, right, bottom = page.value(
        "(() => { const box = document.getElementById('tip').getBoundingClientRect();"
        "return [box.left, box.top, box.right, box.bottom]; })()"
    )
    assert x >= 0
    assert y >= 0
    assert right <= 900
    assert bottom <= 800
    page.move("h1")
    page.wait("document.getElementById('tip').hidden")


def test_a_click_selects_the_network_in_table_and_charts(page: Browser, report: Path) -> None:
    page.window(900, 800)
    page.open(report)
    page.move("#front circle.best", click=True)
    assert page.value("document.querySelectorAll('#front tr.chosen').length") == 1
    assert page.value("document.querySelector('#front tr.chosen').cells[0].textContent").endswith("(found)")
    assert page.value("document.querySelectorAll('#front circle.chosen').length") >= 3
    chosen = page.value("document.querySelector('#front .picked').textContent")
    assert page.value("document.querySelector('#front tr.chosen').lastElementChild.textContent") in chosen
    assert "--task digits --pick found" in chosen
    page.move("#front tbody tr:nth-child(2)", click=True)
    assert page.value("document.querySelector('#front tbody tr:nth-child(2)').classList.contains('chosen')")


def test_a_selected_network_shows_the_commands_that_measure_and_train_it(page: Browser, report: Path) -> None:
    page.window(900, 800)
    page.open(report)
    places = page.value("[...document.querySelectorAll('#front tbody tr')].map(row => row.cells[0].textContent)")
    row = next(row for row, place in enumerate(places) if not place.endswith("(found)"))
    page.move(f"#front tbody tr:nth-child({row + 1})", click=True)
    commands = page.value("[...document.querySelectorAll('#front .picked code')].map(code => code.textContent)")
    assert [command.split()[:2] for command in commands] == [["ohmnas", "verify"], ["ohmnas", "train"]]
    verify, train = (parser().parse_args(shlex.split(command)[1:]) for command in commands)
    assert verify.task == train.task == "digits"
    assert verify.pick == [train.pick] == [f"front:{places[row]}"]


def test_arrow_keys_move_the_selection(page: Browser, report: Path) -> None:
    page.window(900, 800)
    page.open(report)
    page.value("document.querySelector('#front .tall').focus()")
    for _ in range(3):
        page.key("ArrowDown")
    page.key("ArrowUp")
    rows = "[...document.querySelectorAll('#front tbody tr')].findIndex(row => row.classList.contains('chosen'))"
    assert page.value(rows) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 900, 1600])
def test_the_page_fits_the_window_and_asks_for_nothing(width: int, scheme: str, page: Browser, report: Path) -> None:
    page.window(width, 800, scheme)
    page.open(report)
    assert page.value("document.documentElement.scrollWidth") <= width
    assert page.complaints() == []
    assert page.requests() == [report.as_uri()]
    colours = page.value("[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]")
    assert (colours == ["rgb(255, 255, 255)", "rgb(31, 35, 40)"]) == (scheme == "light")


@pytest.mark.parametrize("width", [320, 380, 800, 1300])
def test_texts_of_pictures_are_readable_and_inside_the_window(width: int, page: Browser, report: Path) -> None:
    page.window(width, 800)
    page.open(report)
    texts = page.value(
        "[...document.querySelectorAll('svg text')].filter(one => one.getClientRects().length).map(one => {"
        "const box = one.getBoundingClientRect(), by = one.getScreenCTM();"
        "return [one.textContent, parseFloat(getComputedStyle(one).fontSize) * Math.hypot(by.a, by.b), box.left, "
        "box.right]; })"
    )
    assert texts
    for text, size, left, right in texts:
        assert size == pytest.approx(12.0), text
        assert left >= 0, text
        assert right <= width, text


@pytest.mark.parametrize("width", [320, 600, 800, 1300])
def test_one_drawing_of_the_network_is_shown_and_needs_no_sideways_scrolling(
    width: int, page: Browser, report: Path
) -> None:
    page.window(width, 800)
    page.open(report)
    shown = page.value("['across', 'upright'].filter(one => document.querySelector(`.${one}`).getClientRects().length)")
    assert len(shown) == 1
    assert (shown == ["upright"]) or width >= 600
    assert page.value(
        "(box => box.scrollWidth <= box.clientWidth)(document.querySelector('#network .network').parentElement)"
    )


def test_a_phone_shows_the_limits_without_sideways_scrolling(page: Browser, report: Path) -> None:
    page.window(380, 800)
    page.open(report)
    assert page.value("(box => box.scrollWidth <= box.clientWidth)(document.querySelector('#asked .scroll'))")
    title = "getComputedStyle(document.querySelector('#asked tbody td:last-child'), '::before').content"
    assert page.value(title) != "none"
    page.window(900, 800)
    page.open(report)
    assert page.value(title) == "none"


def test_a_printed_page_is_as_wide_as_the_paper(page: Browser, report: Path) -> None:
    page.window(718, 1000, medium="print")
    page.open(report)
    assert page.value("document.documentElement.scrollWidth") <= 718


def test_other_pages_have_no_error_and_ask_for_nothing(page: Browser, found: Path, front: Path, tmp_path: Path) -> None:
    several = results_page(read_subjects([found, front]))
    for name, text in (("several", several), ("table", table_page(read_table("people")))):
        path = tmp_path / f"{name}.html"
        path.write_text(text, encoding="utf-8")
        page.window(900, 800)
        page.open(path)
        page.move("circle[data-net]", click=True)
        assert page.complaints() == []
        assert page.requests() == [path.as_uri()]


def test_the_policy_stops_scripts_styles_and_requests(page: Browser, report: Path, tmp_path: Path) -> None:
    """If an escape were forgotten, the browser would still refuse."""
    evil = (
        "<script>document.title = 'owned'</script><img src='x' onerror=\"document.title = 'owned'\">"
        "<img src='https://example.invalid/a.png'><p style='position: fixed'>x</p></main>"
    )
    path = tmp_path / "evil.html"
    path.write_text(report.read_text("utf-8").replace("</main>", evil), encoding="utf-8")
    page.open(path)
    page.value("fetch('https://example.invalid/').catch(() => 0).then(() => new Promise(done => setTimeout(done, 50)))")
    assert "owned" not in page.value("document.title")
    assert any("Content Security Policy" in text for text in page.complaints())
    loaded = [
        event["params"]["requestId"] for event in page.events if event.get("method") == "Network.responseReceived"
    ]
    assert len(loaded) == 1
