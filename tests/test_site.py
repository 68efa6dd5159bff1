"""The documentation site builds without a warning, and works without a network."""

import os
import re
import sys
from pathlib import Path

import pytest
from tools.documentation.blocks import every_model
from tools.documentation.diagram import svg
from tools.documentation.models import anchor

from openfer.datasets.registry import READERS
from openfer.methods.declaration import METHODS
from tests.browser import Browser, chromium_or_skip
from tests.prepared import PATIENCE, start

ROOT = Path(__file__).parents[1]
PAGES = ("index", "methods/addl", "reference/parameters", "reference/api", "datasets", "results")


def build(words: list[str], printed: Path) -> None:
    """Build the site in this process, and end it with Sphinx's exit status."""
    from sphinx.cmd.build import main

    os.chdir(ROOT)
    with printed.open("wb") as file:
        os.dup2(file.fileno(), sys.stderr.fileno())
    sys.exit(main(words))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    words = ["-E", "-W", "--keep-going", "-q", "-d", str(folder / "trees"), str(ROOT / "docs"), str(folder / "html")]
    building = start(build, words, folder / "printed.log")
    building.join(PATIENCE)
    assert building.exitcode == 0, (folder / "printed.log").read_text()[-6000:]
    return folder / "html"


@pytest.fixture(scope="module")
def browser(site: Path, tmp_path_factory: pytest.TempPathFactory):
    with Browser(chromium_or_skip(), tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_shows_what_the_project_knows_of_itself(site: Path) -> None:
    parameters = (site / "reference/parameters.html").read_text(encoding="utf-8")
    assert all(anchor(METHODS[name].settings) in parameters for name in METHODS)
    assert all(anchor(READERS[name].options_class) in parameters for name in READERS)
    datasets = re.sub(r"<[^>]*>", "", (site / "datasets.html").read_text(encoding="utf-8"))
    assert all(f"dataset={name}" in datasets for name in READERS if name != "folder")
    commands = (site / "reference/cli.html").read_text(encoding="utf-8")
    assert all(words in commands for words in ("openfer predict", "openfer serve", "kedro runs why", "--annotated"))
    assert "<math" in (site / "methods/addl.html").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("width", [1400, 400])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_fits_its_window_and_asks_nothing_of_a_network(browser, site, page, width) -> None:
    browser.open(site / f"{page}.html", width)
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert [url for url in browser.requests if not url.startswith("file:")] == []
    assert browser.complaints == []


@pytest.mark.slow
def test_the_search_finds_a_page(browser, site) -> None:
    browser.open(site / "search.html", 1400)
    browser.run("Search.performSearch('bootstrap')")
    browser.wait_until("document.querySelector('#search-results').innerText.includes('Statistics')")


def test_every_model_of_parameters_is_documented_once() -> None:
    models = [model for chapter in every_model().values() for model in chapter.values()]
    assert len(models) == len(set(models))
    assert {METHODS[name].settings for name in METHODS} <= set(models)


def test_a_diagram_names_every_box_and_refuses_an_arrow_to_none() -> None:
    boxes = 'boxes: {a: [0, 0, "Face / 48 pixels"], b: [1, 0, "Trunk"]}\n'
    drawn = svg(f'{boxes}arrows: ["a ..> b: L < 1"]', "Two boxes")
    assert [drawn.count(text) for text in (">Face<", ">48 pixels<", ">Trunk<", "L &lt; 1", 'class="training"')] == [
        1
    ] * 5
    with pytest.raises(KeyError, match="c"):
        svg(f'{boxes}arrows: ["a > c"]', "Two boxes")
