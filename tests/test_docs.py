"""The README is one page, and every link in the documentation leads somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_the_readme_has_at_most_900_words() -> None:
    assert len((ROOT / "README.md").read_text().split()) <= 900


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


def test_the_site_s_first_page_lists_every_page() -> None:
    listed = "".join((ROOT / "docs" / name).read_text() for name in ("index.md", "methods.md"))
    pages = [page.relative_to(ROOT / "docs").with_suffix("").as_posix() for page in PAGES[2:]]
    assert [page for page in pages if page != "index" and not re.search(rf"^{page}$", listed, re.MULTILINE)] == []
