"""The report in a headless Chromium: no complaint, no request, sorting by mouse and by keyboard, on two widths."""

from pathlib import Path

import pytest
from tests.browser import Browser, chromium_or_skip
from tests.evaluation.made_studies import write_study

from openfer.evaluation.published import published_table
from openfer.io.studies import find_studies
from openfer.report import report

pytestmark = pytest.mark.slow

BOARD = "#leaderboard table"
METHODS = f"[...document.querySelector('{BOARD}').tBodies[0].rows].map(row => row.cells[0].textContent)"
SORTS = f"[...document.querySelector('{BOARD}').tHead.rows[0].cells].map(head => head.ariaSort)"


@pytest.fixture(scope="module")
def file(made_runs, tmp_path_factory) -> Path:
    chromium_or_skip()
    folder = tmp_path_factory.mktemp("report")
    path = folder / "report.html"
    write_study(folder, "table_3")
    path.write_text(report(made_runs, find_studies(folder), published_table()).page)
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(chromium_or_skip(), tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.mark.parametrize("width", [1400, 400])
def test_all_figures_are_drawn_without_a_complaint_or_a_request_and_nothing_is_wider_than_the_window(
    browser, file, width, tmp_path
):
    browser.open(file, width)
    browser.run("document.querySelectorAll('details').forEach(part => { part.open = true; })")
    heights = "[...document.querySelectorAll('.chart svg')].map(chart => chart.getBoundingClientRect().height)"
    assert min(browser.run(heights)) > 100
    assert browser.run("document.documentElement.scrollWidth") == width
    assert browser.complaints == []
    assert browser.requests == [file.as_uri()]
    browser.screenshot(tmp_path / "page.png")
    assert (tmp_path / "page.png").stat().st_size > 10_000


def test_the_leaderboard_fits_a_window_of_1400_pixels_and_paper_unfolds_the_rest(browser, file):
    browser.open(file, 1400)
    assert browser.run("(e => e.scrollWidth <= e.clientWidth)(document.querySelector('#leaderboard .wide'))")
    browser.run("window.dispatchEvent(new Event('beforeprint'))")
    assert browser.run("document.querySelectorAll('details:not([open])').length") == 0


def test_a_click_sorts_a_second_one_turns_the_order_and_the_change_is_said(browser, file):
    browser.open(file, 1400)
    first = browser.run(METHODS)
    assert first == ["ADDL", "Baseline"]
    accuracy = f"{BOARD} thead th:nth-child(2) button"
    assert browser.run(f"document.querySelector('{accuracy}').textContent") == "accuracy %"
    browser.click(accuracy)
    assert browser.run(METHODS) == first[::-1]
    assert browser.run(SORTS)[1] == "ascending"
    assert browser.run("document.getElementById('said').textContent") == "sorted by accuracy %, ascending"
    browser.click(accuracy)
    assert browser.run(METHODS) == first


def test_the_keyboard_reaches_every_table_and_sorts(browser, file):
    browser.open(file, 1400)
    for _ in range(200):
        browser.press("Tab")
        if browser.run("document.activeElement.textContent") == "method":
            break
    assert browser.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    browser.press("Enter")
    browser.press("Enter")
    assert browser.run(METHODS) == ["Baseline", "ADDL"]
    assert browser.run(SORTS)[:3] == ["descending", None, None]


def test_thin_groups_stay_last_in_either_order(browser, file):
    browser.open(file, 1400)
    browser.run("document.querySelector('#groups details').open = true")
    column = "[...document.querySelectorAll('#groups details tbody tr')].map(row => Number(row.cells[8].textContent))"
    for _ in range(2):
        browser.click("#groups details thead th:nth-child(9) button")
        numbers = browser.run(column)
        assert numbers == sorted(numbers, key=lambda n: n < 30)


def test_the_pointer_on_a_feature_shows_its_face(browser, file):
    browser.open(file, 1400)
    place = "document.querySelector('#features .chart a')"
    browser.run(f"{place}.scrollIntoView({{behavior: 'instant', block: 'center'}})")
    x, y = browser.run(
        f"(() => {{ const b = {place}.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2] }})()"
    )
    browser.point(x, y)
    browser.wait_until("!document.getElementById('face').hidden")
    assert browser.run("document.querySelector('#face img').naturalWidth") == 64
    assert browser.complaints == []
