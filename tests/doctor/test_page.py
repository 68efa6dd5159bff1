"""The doctor's page: whole, readable offline, and safe whatever files are called."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from openfer.datasets.contract import About
from openfer.doctor.findings import class_counts, verdict
from openfer.doctor.page import doctor_page
from openfer.pipelines.show import show_verdict
from tests.doctor.copies import EXPECTED, Copy

EVIL = "<script>alert('x')</script>&\"[/bold].png"
ABOUT = About("Our <set>", "free & open", "A. <b>Author</b>", "https://example.org")
VOID = {"meta", "img", "br", "link"}


class Balance(HTMLParser):
    """Notes tags that are not closed in order, and where attributes lead."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.places: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.places += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "action", "data")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture
def page(tmp_path: Path) -> str:
    copy = Copy.perfect(tmp_path)
    copy.image(0).unlink()
    copy.lines[0][0] = EVIL.replace("/", "-").replace('"', "'")
    findings = copy.findings()
    faces = {"<happy>": [(EVIL, np.zeros((30, 50, 3), np.uint8))]}
    return doctor_page(
        ABOUT, "ours<", verdict(ABOUT.title, findings), findings, class_counts(copy.rows, EXPECTED), faces
    )


def test_names_are_text_and_never_tags(page: str) -> None:
    parsed = Balance()
    parsed.feed(page)
    assert parsed.open == []
    assert not parsed.tags & {"script", "b", "set", "happy"}
    assert "&lt;script&gt;" in page
    assert "Our &lt;set&gt;" in page


def test_the_page_asks_no_other_place_for_anything(page: str) -> None:
    parsed = Balance()
    parsed.feed(page)
    assert parsed.places
    assert all(place.startswith("data:") for place in parsed.places)
    assert not re.search(r"url\(|@import|<link[^>]+stylesheet", page)


def test_all_that_was_found_is_on_it(page: str) -> None:
    for words in ("listed images that are not there", "happiness of train", "✗ problem", "✓ good", "This is NOT"):
        assert words in page


def test_the_terminal_shows_what_is_not_good_in_eighty_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    copy = Copy.perfect(tmp_path)
    copy.lines[0][0] = "train/[/red]none.png"
    copy.lines[1][1] = "sad"
    findings = copy.findings()
    show_verdict({"verdict": verdict("our set", findings), "problems": 3}, findings, "doctor.html")
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= 80
    assert "listed images that are not there: 1: train/[/red]none.png" in said
    assert "happiness of train: 5, expected 6" in said
    assert "image sizes" not in said
    good = int((findings["level"] == "good").sum())
    assert f"{good} checks are good" in said
