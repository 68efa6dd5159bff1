"""The report: whole, readable without a network, and every number with its run."""

import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from tests.evaluation.made_runs import answers_of, facts_of, write_run

from openfer.evaluation.published import published_table
from openfer.io.runs import find_runs
from openfer.report import report

VOID = {"meta", "img", "br", "link"}
EVIL = "</script><b>addl"


class Page(HTMLParser):
    """Notes tags that are not closed in order, where attributes lead, and the cells of tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.open: list[str] = []
        self.places: list[str] = []
        self.anchors: set[str] = set()
        self.tables: dict[str, list[list[str]]] = {}
        self.tags: list[str] = []
        self._caption = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        named = dict(attrs)
        self.places += [named[name] or "" for name in ("src", "href", "srcset", "data") if name in named]
        self.anchors |= {named["id"] or ""} if "id" in named else set()
        if tag == "caption":
            self._caption = ""
        if tag == "tr":
            self.tables.setdefault(self._caption, []).append([])
        if tag in ("td", "th"):
            self.tables[self._caption][-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "caption":
            self._caption += data
        elif {"td", "th"} & set(self.open):
            self.tables[self._caption][-1][-1] += data

    def table(self, caption: str) -> pd.DataFrame:
        head, *rows = self.tables[caption]
        return pd.DataFrame(rows, columns=head)

    def section(self, name: str) -> str:
        start = self.text.index(f'<section id="{name}"')
        return self.text[start : self.text.index("</section>", start)]


@pytest.fixture(scope="module")
def made(made_runs):
    return report(made_runs, [], published_table())


@pytest.fixture(scope="module")
def page(made):
    return Page(made.page)


def test_the_page_is_whole_and_its_links_lead_somewhere(page):
    assert page.open == []
    assert {place.removeprefix("#") for place in page.places if place.startswith("#")} <= page.anchors


def test_the_page_asks_no_other_place_for_anything_and_is_small(made, page):
    assert all(place.startswith(("data:", "#")) for place in page.places)
    head = made.page[: made.page.index("</head>")]
    assert "default-src 'none'" in head
    assert not re.search(r"url\(|@import", head)
    assert len(made.page.encode()) < 3e6


def test_every_row_of_the_leaderboard_names_its_runs_and_ids(page):
    assert page.table("leaderboard of tiny (test)")["method"].tolist() == ["ADDL", "Baseline"]
    table = page.table("runs of: leaderboard of tiny (test)")
    assert table["run"].tolist() == ["addl_0, addl_1", "baseline"]
    for name in ("selection", "seed", "data version", "commit", "initialisation", "epoch"):
        assert (table[name] != "").all(), name
    assert set(table["selection"]) == {"best_val"}
    assert page.table("oracles, not comparable")["method"].tolist() == ["Baseline"]


def test_every_row_of_every_table_leads_to_a_run(page, made_runs):
    """By the run's own name, or by a method's, which the ledger has beside the run; groups lead to their table."""
    runs, methods = {run.name for run in made_runs}, set(page.table("ledger of runs")["method"])
    groups = page.table("accuracy by group")
    for caption in page.tables:
        for row in page.table(caption).to_dict("records"):
            if row.get("run"):
                assert set(row["run"].split(", ")) <= runs, (caption, row)
            elif "by" in row:
                assert row["by"] in set(groups["by"]), (caption, row)
            else:
                assert {row[name] for name in ("method", "against") if name in row} <= methods, (caption, row)
                assert "method" in row, caption


def test_numbers_are_those_of_the_predictions(page, made_runs):
    for run in made_runs:
        predictions = run.predictions
        own = predictions[predictions["selection"] == "best_val"]
        right = 100 * (own["y_true"] == own["y_pred"]).mean()
        ledger = page.table("ledger of runs").set_index("run")
        assert ledger.loc[run.name, "accuracy %"] == f"{right:.1f}"


def test_thin_groups_come_last_and_are_named_among_the_limits(page):
    groups = page.table("accuracy by group")
    assert groups["n"].astype(int).tolist() == sorted(groups["n"].astype(int), key=lambda n: n < 30)
    assert page.table("thin groups").to_numpy().tolist() == [["occluder", "mask", "5", "5"]]


def test_charts_are_drawings_whose_words_can_be_read_and_whose_names_are_theirs_alone(made):
    drawings = re.findall(r'<div class="chart" role="img" aria-label="[^"]+".*?</svg>', made.page, re.DOTALL)
    assert len(drawings) == made.page.count("<svg") > 5
    assert any("as confident as correct" in drawing for drawing in drawings)
    assert not re.search(r'<g id="', made.page)


def test_each_hard_face_is_shown_with_its_two_labels(made):
    hardest = made.page[made.page.index('<section id="hardest"') : made.page.index('<section id="sheets"')]
    shown = re.findall(r"labelled <strong>(\w+)</strong>, wrong for (\d) of 2: <strong>([\w %,]+)</strong>", hardest)
    assert len(shown) == hardest.count("data:image/jpeg") == 21
    assert all(true not in answer for true, _, answer in shown)
    wrong = [int(methods) for _, methods, _ in shown]
    assert wrong == sorted(wrong, reverse=True)


def test_limits_and_the_chain_of_licences_are_on_the_page(made, page):
    for words in ("A facial expression is not an emotion", "Article 5(1)(f)", "no legal advice"):
        assert words in made.page
    chain = page.table("licences of data, first weights and model")
    assert chain.iloc[0].tolist() == ["ADDL", "tiny", "CC0-1.0", "random weights", "none", "Apache-2.0"]


def test_names_are_text_and_never_tags(tmp_path):
    run = {"method": "addl", "variant": EVIL}
    samples = [f"s{number}" for number in range(40)], ["fear", "anger"] * 20, ("fear", "anger")
    facts = facts_of(**run, datasets=["<i>mine"], licences_of_data=["<u>research only"])
    write_run(tmp_path, "evil", answers_of(*samples, {0: 0.6}, **run), [facts])
    text = report(find_runs(tmp_path), [], published_table()).page
    parsed = Page(text)
    assert parsed.open == []
    assert not {"b", "i", "u"} & set(parsed.tags)
    assert "Do not pass this page on" in text
    assert "&lt;u&gt;research only" in text


def test_tables_for_other_documents_hold_the_same_rows(made):
    for text in (made.markdown, made.latex):
        assert text.index("Tested on tiny") < text.index("Oracles, not comparable")
        assert text.index("ADDL") < text.index("Baseline")
    assert len(made.ledger) == 3
