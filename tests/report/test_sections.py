"""Sections that some pages have: sequences, folds, groups and gaps, other selections; what the first screen says."""

import pandas as pd
import pytest
from tests.evaluation.made_runs import answers_of, facts_of, folder_of, write_run
from tests.evaluation.made_studies import write_study
from tests.report.test_joined import CLASSES, IDS, MINES, PEOPLE, TRUE, page_of, run

from openfer.errors import DataError
from openfer.evaluation.entries import entries_of
from openfer.evaluation.published import published_table
from openfer.io.runs import find_runs
from openfer.report import report
from openfer.report.parts import places


def test_failures_over_sequences_are_means_of_the_seeds_and_oracles_are_left_out(tmp_path):
    for seed in (0, 1):
        name = f"sna_{seed}"
        named = {"method": "sna", "variant": "sna", "seed": seed}
        both = [
            answers_of(IDS, TRUE, CLASSES, dict.fromkeys(range(6), 0.6), selection=selection, **named)
            for selection in ("best_val", "oracle_test")
        ]
        facts = [facts_of(**named, **MINES), facts_of(**named, **MINES, selection="oracle_test", main_selection=False)]
        write_run(tmp_path, name, pd.concat(both).assign(dataset="mine", subject=PEOPLE * 2), facts)
        table = pd.DataFrame([{**named, "task": "expression", "dataset": "mine", "n": 40, "fc": 10 + seed}] * 2)
        table = table.assign(selection=["best_val", "oracle_test"], cfc=4, fc_share=0.25, cfc_share=0.1, cfc_of_fc=0.4)
        table.loc[1, "fc"] = 0
        shares = {f"accuracy_T-{before}": 1 - before / 10 for before in (4, 3, 2, 1)}
        table.assign(**shares).to_csv(folder_of(tmp_path, "08_reporting", name) / "stability.csv", index=False)
    (row,) = page_of(tmp_path).table("stability over sequences").to_dict("records")
    assert (row["method"], row["FC"], row["CFC"], row["sequences"], row["seeds"]) == ("SNA", "10.5", "4.0", "40", "2")
    assert (row["right at T-4 %"], row["right at T-1 %"], row["run"]) == ("60.0", "90.0", "sna_0, sna_1")


def test_a_page_without_sequences_has_no_section_of_them(tmp_path):
    run(tmp_path, "baseline", range(10))
    assert "stability" not in page_of(tmp_path).anchors


@pytest.mark.parametrize(("dataset", "shown"), [("aff_wild2", True), ("mine", False)])
def test_the_challenge_s_score_stands_beside_its_own_dataset_alone(tmp_path, dataset, shown):
    named = {"method": "baseline", "variant": "baseline"}
    own = answers_of(IDS, TRUE, CLASSES, dict.fromkeys(range(30), 0.6), **named).assign(dataset=dataset)
    write_run(tmp_path, "baseline", own, [facts_of(**named, datasets=[dataset])])
    (row,) = page_of(tmp_path).table(f"leaderboard of {dataset} (test)").to_dict("records")
    assert ("Aff-Wild2 score" in row) == shown
    if shown:
        expected = 0.33 * 0.5 + 0.67 * float(row["macro-F1 %"]) / 100
        assert float(row["Aff-Wild2 score"]) == pytest.approx(expected, abs=0.001)


def test_the_mean_of_folds_stands_where_there_are_folds(tmp_path):
    named = {"method": "baseline", "variant": "baseline"}
    for fold, (part, wrong) in enumerate([(slice(0, 20), 10), (slice(20, 60), 10)]):
        own = answers_of(IDS[part], TRUE[part], CLASSES, dict.fromkeys(range(wrong), 0.6), fold=fold, **named)
        write_run(tmp_path, f"baseline_{fold}", own.assign(dataset="mine"), [facts_of(**named, **MINES, fold=fold)])
    (row,) = page_of(tmp_path).table("leaderboard of mine (test)").to_dict("records")
    assert (row["accuracy %"], row["mean of folds %"], row["n"]) == ("66.7", "62.5", "60")


def test_gaps_stand_side_by_side_for_all_methods_and_each_with_its_groups_and_run(tmp_path):
    run(tmp_path, "baseline", range(20))
    run(tmp_path, "addl", range(5))
    for name, gap in (("baseline", 0.2), ("addl", -0.00001)):
        path = folder_of(tmp_path, "08_reporting", name) / "gaps.csv"
        known = {"method": name, "variant": name, "selection": "best_val", "task": "expression", "seed": 0}
        row = {"by": "age", "metric": "accuracy", "groups": 2, "best": "old", "worst": "young", "n_best": 40}
        row |= {"n_worst": 31, "gap": gap, "low": gap - 0.1, "high": gap + 0.1}
        pd.DataFrame([known | row]).to_csv(path, index=False)
    page = page_of(tmp_path)
    (row,) = page.table("largest gaps on mine (test)").to_dict("records")
    assert row == {"by": "age", "ADDL": "0.0 (-10.0 to 10.0)", "Baseline": "20.0 (10.0 to 30.0)"}
    whole = page.table("gaps between groups").set_index("method")
    assert whole.loc["Baseline", ["best", "worst", "run"]].tolist() == ["old", "young", "baseline"]


def test_other_selections_of_the_epoch_have_no_place_in_the_ranking(tmp_path):
    named = {"method": "addl", "variant": "addl"}
    both = [
        answers_of(IDS, TRUE, CLASSES, dict.fromkeys(range(wrong), 0.6), selection=selection, **named)
        for selection, wrong in (("best_val", 12), ("last", 6))
    ]
    facts = [facts_of(**named, **MINES), facts_of(**named, **MINES, selection="last", main_selection=False)]
    write_run(tmp_path, "addl", pd.concat(both).assign(dataset="mine", subject=PEOPLE * 2), facts)
    page = page_of(tmp_path)
    (main,), (other,) = (
        page.table(name).merge(page.table(f"runs of: {name}"), on="method").to_dict("records")
        for name in ("leaderboard of mine (test)", "other selections on mine (test)")
    )
    assert (main["selection"], main["accuracy %"]) == ("best_val", "80.0")
    assert (other["selection"], other["accuracy %"]) == ("last", "90.0")
    made = report(find_runs(tmp_path), [], published_table())
    for text in (made.markdown, made.latex):
        assert text.index("80.0") < text.index("Other selections of the epoch, tested on mine") < text.index("90.0")
        assert "published" not in text


def test_rows_of_a_study_are_compared_in_words_and_as_a_table(tmp_path):
    write_study(tmp_path, "table_3")
    told = (
        "<li>ADDL is 1.0 points above Baseline (mean of 2 seeds, best_val, standard error 3.0, n = 500 faces of 50 "
        "people, p = 0.75): not significant.</li>"
    )
    page = page_of(tmp_path)
    assert told in page.section("studies")
    (row,) = page.table("rows of table_3 compared").to_dict("records")
    assert (row["verdict"], row["of faces"], row["of training"]) == ("not significant", "1.8", "2.4")
    assert row["to"] == "+7.0"


def test_the_first_screen_says_whose_faces_how_many_seeds_and_who_had_not_ended(tmp_path):
    named = {"method": "addl", "variant": "addl"}
    for name, seed, fact in (("addl", 0, {"epoch": 4}), ("other", 1, {"config": {"rate": 2}})):
        own = answers_of(IDS, TRUE, CLASSES, {0: 0.6}, seed=seed, **named).assign(dataset="synthetic_fer")
        write_run(tmp_path, name, own, [facts_of(**named, datasets=["synthetic_fer"], seed=seed, **fact)])
    page = report(find_runs(tmp_path), [], published_table()).page
    first = page[: page.index("<nav")]
    assert "Faces of synthetic_fer are rendered" in first
    assert "Each method was trained once" in first
    assert "The last epoch was the best one for ADDL (addl): longer training may improve it." in first


def test_nothing_is_cautioned_of_that_is_not_so(tmp_path):
    for seed in (0, 1):
        run(tmp_path, f"addl{seed}", [seed], method="addl", variant="addl", seed=seed)
    page = page_of(tmp_path)
    assert "stability" not in page.anchors
    for words in ("are rendered:", "Each method was trained once", "The last epoch was the best one"):
        assert words not in page.text[: page.text.index("<nav")]


def test_sequences_counted_for_another_task_alone_make_no_section_and_unlike_ones_no_mean(tmp_path):
    for seed in (0, 1):
        run(tmp_path, f"sna{seed}", [0], method="sna", variant="sna", seed=seed)
        table = {
            "method": "sna",
            "variant": "sna",
            "selection": "best_val",
            "task": "age",
            "seed": seed,
            "fc": 1,
            "cfc": 1,
        }
        table |= {"dataset": "mine", "n": 40 + seed, "fc_share": 0.1, "cfc_share": 0.1, "cfc_of_fc": 1.0}
        table |= {f"accuracy_T-{before}": 0.5 for before in (4, 3, 2, 1)}
        pd.DataFrame([table]).to_csv(folder_of(tmp_path, "08_reporting", f"sna{seed}") / "stability.csv", index=False)
    assert "stability" not in page_of(tmp_path).anchors
    for seed in (0, 1):
        path = folder_of(tmp_path, "08_reporting", f"sna{seed}") / "stability.csv"
        pd.read_csv(path).assign(task="expression").to_csv(path, index=False)
    with pytest.raises(DataError, match=r"the seeds of \{'dataset': 'mine'\} differ in n"):
        page_of(tmp_path)


def test_a_test_set_without_any_kind_of_groups_has_no_heading_among_them(tmp_path):
    run(tmp_path, "addl", [0])
    path = folder_of(tmp_path, "08_reporting", "addl") / "groups.csv"
    groups = pd.read_csv(path)
    groups[groups["by"] == "all"].to_csv(path, index=False)
    assert "Groups of mine" not in page_of(tmp_path).section("groups")


def test_each_method_has_a_number_which_is_its_colour(tmp_path):
    for name in ("addl", "baseline", "scn"):
        run(tmp_path, name, [0])
    entries = entries_of(find_runs(tmp_path))
    assert places(entries) == {"ADDL": 0, "Baseline": 1, "SCN": 2}


def test_a_selection_that_is_nobodys_main_one_of_two_is_not_compared(tmp_path):
    for name, wrong in (("baseline", 30), ("addl", 20)):
        named = {"method": name, "variant": name}
        own = pd.concat(
            answers_of(IDS, TRUE, CLASSES, dict.fromkeys(range(wrong), 0.6), selection=selection, **named)
            for selection in ("best_val", "last")
        )
        facts = [facts_of(**named, **MINES), facts_of(**named, **MINES, selection="last", main_selection=False)]
        write_run(tmp_path, name, own.assign(dataset="mine", subject=PEOPLE * 2), facts)
    rival = {"method": "rival", "variant": "rival", "selection": "last"}
    own = answers_of(IDS, TRUE, CLASSES, {}, **rival).assign(dataset="mine", subject=PEOPLE)
    write_run(tmp_path, "rival", own, [facts_of(**rival, **MINES)])
    page = page_of(tmp_path)
    shown = page.table("comparisons on mine (test)")
    pairs = shown[["method", "against", "selection"]].to_numpy().tolist()
    assert sorted(pairs) == [
        ["ADDL", "Baseline", "best_val"],
        ["RIVAL", "ADDL", "last"],
        ["RIVAL", "Baseline", "last"],
    ]
    assert "after correction for 3 comparisons" in page.section("comparison")
