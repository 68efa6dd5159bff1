"""What stands on the page beside the leaderboard: comparisons, other datasets, studies, runs of other programs."""

import pandas as pd
from tests.evaluation.made_runs import answers_of, facts_of, folder_of, write_run
from tests.evaluation.made_studies import table, write_study
from tests.left_out import without_drawings
from tests.report.test_page import Page

from openfer.evaluation.compare import compare, correct
from openfer.evaluation.cross_dataset import cross_dataset, own_and_elsewhere
from openfer.evaluation.entries import entries_of
from openfer.evaluation.published import published_table
from openfer.io.runs import find_runs
from openfer.io.studies import find_studies
from openfer.report import report
from openfer.report.comparison import families
from openfer.report.parts import chart, probability
from openfer.report.studies import _compared

CLASSES = ("neutral", "happiness", "fear")
N = 60
IDS = [f"s{number}" for number in range(N)]
TRUE = [CLASSES[number % 3] for number in range(N)]
PEOPLE = [f"p{number // 6}" for number in range(N)]
MINES = {"datasets": ["mine"]}


def run(root, name, wrong, *, facts=True, elsewhere=None, **run):
    """Write a run on sixty faces of ten people that has some answers wrong."""
    kind = {"method": name, "variant": name, "selection": "best_val"} | run
    own = answers_of(IDS, TRUE, CLASSES, dict.fromkeys(wrong, 0.6), **kind).assign(dataset="mine", subject=PEOPLE)
    write_run(root, name, own, [facts_of(**kind, **MINES)] if facts is True else facts or [])
    if elsewhere is not None:
        others = answers_of([f"o{i}" for i in range(40)], TRUE[:40], CLASSES, dict.fromkeys(elsewhere, 0.6), **kind)
        path = folder_of(root, "07_model_output", name) / "elsewhere.parquet"
        others.assign(dataset="others", subject=None).to_parquet(path)
    return own


def page_of(root):
    """Return the page without its charts; tests/report/test_page.py and test_in_browser.py see those."""
    with without_drawings():
        return drawn_page_of(root)


def drawn_page_of(root):
    return Page(report(find_runs(root), find_studies(root), published_table()).page)


def test_every_two_methods_on_the_same_faces_are_compared_and_corrected_together(tmp_path):
    tables = {"Baseline": run(tmp_path, "baseline", range(40)), "ADDL": run(tmp_path, "addl", range(5))}
    tables["SCN"] = run(tmp_path, "scn", range(6))
    together = pd.concat([own.assign(name=name) for name, own in tables.items()])
    expected = {(c["first"], c["second"]): c for c in correct(compare(together, list(tables))).to_dict("records")}
    page = page_of(tmp_path)
    shown = page.table("comparisons on mine (test)")
    assert len(shown) == 3 == len(expected)
    for row in shown.to_dict("records"):
        made = expected.get((row["method"], row["against"])) or expected[row["against"], row["method"]]
        assert row["p, corrected"] == probability(made["corrected"])
        assert row["verdict"] == ("significant" if made["distinguishable"] else "not significant")
    words = page.section("comparison")
    assert "ADDL is 58.3 points above Baseline" in words
    assert "of 10 people" in words
    assert "No method wins: ADDL has the highest accuracy, 91.7 %" in page.text


def test_methods_that_were_tested_on_other_faces_or_labels_are_not_compared(tmp_path):
    run(tmp_path, "addl", range(5))
    own = answers_of(IDS, TRUE[1:] + TRUE[:1], CLASSES, {}, method="scn", variant="scn").assign(dataset="mine")
    write_run(tmp_path, "scn", own, [facts_of("scn", "scn", **MINES)])
    assert [len(family.comparisons) for family in families(entries_of(find_runs(tmp_path)))] == [0, 0]
    assert "ADDL alone was tested on these faces." in page_of(tmp_path).section("comparison")


def test_the_matrix_over_datasets_is_that_of_the_evaluation(tmp_path):
    own = run(tmp_path, "addl", range(30), elsewhere=range(10))
    run(tmp_path, "scn", range(10))
    others = pd.read_parquet(folder_of(tmp_path, "07_model_output", "addl") / "elsewhere.parquet")
    expected = cross_dataset(own_and_elsewhere(own, others, ["mine"])).set_index(["tested_on", "metric"])
    shown = drawn_page_of(tmp_path).table("trained on and tested on").set_index("tested on")
    assert set(shown["method"]) == {"ADDL"}
    assert shown["which is"].to_dict() == {"mine": "its own", "others": "another"}
    for tested in ("mine", "others"):
        for metric, heading in (("accuracy", "accuracy %"), ("macro_f1", "macro-F1 %")):
            assert shown.loc[tested, heading] == f"{100 * expected.loc[(tested, metric), 'value']:.1f}"
        assert shown.loc[tested, "from"] == f"{100 * expected.loc[(tested, 'accuracy'), 'low']:.1f}"


def test_without_other_datasets_studies_or_ratings_there_are_no_such_sections(tmp_path):
    run(tmp_path, "addl", range(5))
    assert not {"cross", "studies", "affect"} & page_of(tmp_path).anchors


def test_a_run_of_another_program_says_so_and_no_licence_is_claimed_for_it(tmp_path):
    run(tmp_path, "addl", range(5))
    known = {"method": "rival", "variant": "rival", "selection": "last", "main_selection": True, "seed": 0}
    known |= {"epoch": "not known", "initialisation": "not known", "data_version": "x", "tested_on": "test"}
    facts = [known | MINES | {"licences_of_data": ["CC0-1.0"]}]
    run(tmp_path, "rival", range(9), facts=facts, selection="last")
    page = page_of(tmp_path)
    board = page.table("runs of: leaderboard of mine (test)").set_index("method")
    assert board["made by"].to_dict() == {"ADDL": "openfer", "RIVAL": "another program"}
    assert "RIVAL: predictions of another program" in page.section("leaderboard")
    chain = page.table("licences of data, first weights and model").set_index("method")
    assert chain["model"].to_dict() == {"ADDL": "Apache-2.0", "RIVAL": "unknown"}
    assert page.table("ledger of runs").set_index("run").loc["rival", "made by"] == "another program"


def test_a_page_with_faces_of_unknown_terms_warns(tmp_path):
    run(tmp_path, "rival", range(9), facts=False)
    assert "They are: of some runs unknown." in report(find_runs(tmp_path), [], published_table()).page


def test_a_run_whose_only_epoch_was_chosen_on_the_test_set_is_called_an_oracle_and_ranked_nowhere(tmp_path):
    run(tmp_path, "addl", range(5))
    run(tmp_path, "scn", range(1), selection="oracle_test")
    page = page_of(tmp_path)
    assert page.table("leaderboard of mine (test)")["method"].tolist() == ["ADDL"]
    assert page.table("oracles, not comparable")["method"].tolist() == ["SCN, oracle"]
    ledger = page.table("ledger of runs").set_index("run")
    assert ledger.loc["scn", ["accuracy %", "oracle's %, not comparable"]].tolist() == ["", "98.3"]
    assert "SCN" not in page.section("comparison")


def test_an_honest_selection_of_a_run_stands_for_it_where_the_main_one_is_an_oracle(tmp_path):
    tables = [run(tmp_path / "once", "addl", range(2), selection="oracle_test"), run(tmp_path / "twice", "addl", [5])]
    facts = [facts_of("addl", "addl", selection="oracle_test", **MINES)]
    facts.append(facts_of("addl", "addl", main_selection=False, **MINES))
    write_run(tmp_path, "addl", pd.concat(tables, ignore_index=True), facts)
    (entry,) = entries_of(find_runs(tmp_path))
    assert (entry.name, entry.selection) == ("ADDL", "best_val")


def test_fewer_than_thirty_faces_rank_nobody(tmp_path):
    for name in ("addl", "scn"):
        own = answers_of(IDS[:20], TRUE[:20], CLASSES, {0: 0.6}, method=name, variant=name)
        write_run(tmp_path, name, own, [facts_of(name, name, **MINES)])
    text = report(find_runs(tmp_path), [], published_table()).page
    assert "n = 20 tested faces. Fewer than 30 faces are not ranked." in text
    assert text[text.index("leaderboard of mine") :].index('<tr class="few">') > 0


def test_a_study_stands_there_with_its_table_cells_pictures_and_what_features_know(tmp_path):
    write_study(tmp_path, "table_3")
    page = drawn_page_of(tmp_path)
    text = page.section("studies")
    shown = page.table("accuracy, % of table_3").set_index("row")
    assert shown["ours: accuracy, %"].to_dict() == {"Baseline": "50.0", "ADDL": "51.0"}
    assert set(shown["selection"]) == {"best_val"}
    assert (shown["sd of seeds"] == "1.2").all()
    assert page.table("cells of table_3").set_index("run").loc["", "error"] == "DataError: no faces"
    asked = page.table("probes of table_3").set_index(["row", "feature", "factor", "training"])
    assert asked.loc[("ADDL", "disturbance", "gender", "after"), "balanced %"] == "75.0"
    assert asked.loc[("ADDL", "disturbance", "gender", "after"), "its chance %"] == "50.0"
    measured = page.table("independence in table_3").set_index("training")
    assert measured["value"].to_dict() == {"before": "0.550", "after": "0.350"}
    assert text.count("<img") == 2
    assert "What &lt;b&gt;rows&lt;/b&gt; add" in text


def test_a_project_with_studies_alone_has_a_page(tmp_path):
    write_study(tmp_path, "table_3")
    assert page_of(tmp_path).anchors & {"studies", "limits", "leaderboard"} == {"studies", "limits"}


def test_published_figures_of_other_faces_are_said_to_be_so():
    differs = "86.93 published, not comparable: n: 500 faces here, 3,068 in the paper"
    said = "RAF-DB: the published accuracy of Baseline, ADDL is not comparable. n: 500 faces here, 3,068 in the paper."
    assert said in _compared("table_3", table(differs=differs))
    assert "of the published figures are those of ours" in _compared("table_3", table(differs=""))


def test_a_heavy_picture_has_fewer_pixels_and_colours_on_the_page_and_a_light_one_is_as_it_is(tmp_path):
    (study,) = find_studies(write_study(tmp_path, "table_3").parents[2])
    light, heavy = (chart(study.picture(kind), kind) for kind in ("table", "tsne"))
    assert 'style="max-width: 700px"' in light
    assert 'style="max-width: 1600px"' in heavy
    assert len(heavy) < (study.folder / "tsne.png").stat().st_size


def test_folds_that_were_tested_elsewhere_stand_apart_in_the_matrix(tmp_path):
    for fold in (0, 1):
        ids = [f"{fold}-{name}" for name in IDS]
        kind = {"method": "addl", "variant": "addl", "selection": "best_val"}
        own = answers_of(ids, TRUE, CLASSES, {0: 0.6}, fold=fold, **kind).assign(dataset="mine", subject=PEOPLE)
        write_run(tmp_path, f"addl{fold}", own, [facts_of("addl", "addl", fold=fold, **MINES)])
        others = answers_of([f"o{i}" for i in range(40)], TRUE[:40], CLASSES, {}, fold=0, **kind)
        path = folder_of(tmp_path, "07_model_output", f"addl{fold}") / "elsewhere.parquet"
        others.assign(dataset="others", subject=None).to_parquet(path)
    words = page_of(tmp_path).section("cross")
    assert "ADDL, fold 0" in words
    assert "ADDL, fold 1" in words


def test_who_was_tested_on_another_number_of_faces_is_not_ranked_with_the_others(tmp_path):
    run(tmp_path, "baseline", range(40))
    own = answers_of(IDS[:20], TRUE[:20], CLASSES, {}, method="addl", variant="addl")
    write_run(tmp_path, "addl", own.assign(dataset="mine"), [facts_of("addl", "addl", **MINES)])
    text = report(find_runs(tmp_path), [], published_table()).page
    assert "Baseline alone is tested on 60 faces of 10 people of mine (test), by accuracy. 1 more was tested" in text
    assert "are not ranked" not in text.partition("</header>")[0]


def test_a_commit_that_is_none_is_unknown(tmp_path):
    own = answers_of(IDS, TRUE, CLASSES, {}, method="addl", variant="addl").assign(dataset="mine")
    code = {"openfer": "0.1.0", "commit": "not a git checkout", "state": "unknown"}
    write_run(tmp_path, "addl", own, [facts_of("addl", "addl", code=code, **MINES)])
    assert "not a git ch" not in report(find_runs(tmp_path), [], published_table()).page
