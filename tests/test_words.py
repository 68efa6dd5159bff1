"""Phrases that readers had to read twice stay out of code, settings and documents."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLACES = ("src", "conf", "benchmarks", "tools", "docs", "README.md", "CONTRIBUTING.md")
SUFFIXES = {".py", ".yml", ".md", ".html", ".js"}
BANNED = (
    r"so many",
    r"told of",
    r"tells? of",
    r"whoever",
    r"anew",
    r"who is tested",
    r"what it starts from",
    r"goes on where it was",
    r"are no expressions",
    r"Drawn are",
    r"asks anew",
    r"by itself alone",
)


def texts() -> list[Path]:
    found = [
        path for place in PLACES for path in ([ROOT / place] if (ROOT / place).is_file() else (ROOT / place).rglob("*"))
    ]
    return [path for path in found if path.suffix in SUFFIXES]


@pytest.mark.parametrize("phrase", BANNED)
def test_a_phrase_that_readers_stumble_over_is_nowhere(phrase):
    pattern = re.compile(rf"\b{phrase}\b", re.IGNORECASE)
    places = texts()
    assert len(places) > 500
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in places
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert found == []
