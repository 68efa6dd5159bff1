"""The published figures: those that can be recomputed, and those that contradict themselves."""

import numpy as np
import pandas as pd
import pytest

from openfer.errors import ParameterError
from openfer.evaluation.published import COLUMNS, published_number, published_table


@pytest.fixture(scope="module")
def table():
    return published_table()


def _of(figures, **values):
    return figures[(figures[list(values)] == pd.Series(values)).all(axis=1)]


def _shares(n):
    """Return all accuracies in % that n answers can have, as a paper may print them: rounded, or cut off."""
    exact = 100 * np.arange(n + 1) / n
    return {*np.round(exact, 2), *np.round(np.floor(100 * exact) / 100, 2)}


def test_all_five_papers_are_there_with_every_column(table):
    assert set(table["paper"]) == {"addl", "diversified", "oadn", "sna", "fdrl_eca"}
    assert list(table.columns) == [*COLUMNS, "number"]
    assert len(table) == 621
    assert not table["number"].isna().any()


def test_multiples_and_spreads_are_read_as_numbers():
    assert published_number("addl", "Table 12", "SCN", "ResNet-18", "RAF-DB", "Params") == 11.2e6
    assert published_number("addl", "Table 12", "ADDL", "MINE", "RAF-DB", "FLOPs") == 16.4e3
    assert published_number("addl", "Table 8", "TDGAN (Xie et al., 2020)", "", "CK+", "accuracy") == 97.53


def test_a_figure_that_no_paper_prints_is_an_error_that_names_what_there_is():
    with pytest.raises(ParameterError, match=r"0 published figures.*Table 4 of addl.*Baseline_at"):
        published_number("addl", "Table 4", "ADDL_XY", "", "RAF-DB", "NMI")


def test_no_figure_stands_there_twice(table):
    keys = ["paper", "table", "method", "variant", "dataset", "metric"]
    assert not table.duplicated(keys).any()


def test_the_scores_of_aff_wild2_follow_their_parts_but_for_two_known_rows(table):
    wild = _of(table, paper="addl", table="Table 10").pivot(
        index=["method", "variant"], columns="metric", values="number"
    )
    whole = wild.dropna()
    recomputed = 0.33 * whole["accuracy"] + 0.67 * whole["F1"]
    printed = whole["overall 0.33*acc+0.67*F1"]
    wrong = printed[(recomputed - printed).abs() > 0.05]  # some print one decimal
    assert len(whole) == 7
    assert [method.split(" (")[0] for method, _ in wrong.index] == ["DMACS", "LLAM"]


def test_lambda_rows_at_the_best_values_repeat_the_row_of_table_3(table):
    best = {"Table 7a": "lambda_1=1.0", "Table 7b": "lambda_2=0.10", "Table 7c": "lambda_3=0.0010"}
    for dataset in ("RAF-DB", "MMI"):
        full = published_number("addl", "Table 3", "ADDL", "", dataset, "accuracy")
        for name, variant in best.items():
            assert published_number("addl", name, "ADDL", variant, dataset, "accuracy") == full
        both = published_number("addl", "Table 5", "ADDL", "DFEM trained on Multi-PIE & RAF-DB", dataset, "accuracy")
        celebrities = published_number(
            "addl", "Table 6", "ADDL", "backbone pretrained on MS-Celeb-1M", dataset, "accuracy"
        )
        assert full == both == celebrities


def test_milliseconds_and_frames_per_second_of_table_13_agree(table):
    speed = _of(table, paper="addl", table="Table 13").pivot(index="method", columns="metric", values="number")
    np.testing.assert_allclose(1000 / speed["inference time"], speed["speed"], rtol=2e-3)


def test_accuracies_of_table_3_are_means_of_folds_and_no_shares_of_all_images(table):
    mmi = _of(table, paper="addl", table="Table 3", dataset="MMI")["number"]
    possible = [value for value in mmi if value in _shares(615)]
    assert len(mmi) == 13
    assert len(possible) == 1
    assert published_number("addl", "Table 8", "ADDL (proposed)", "", "CK+", "accuracy") not in _shares(981)


def test_fer_plus_of_the_diversified_paper_is_the_public_test_set(table):
    ours = _of(table, paper="diversified", table="Table 1", dataset="FER+")
    ours = ours[ours["note"] != "reported in the ESR paper"]["number"]
    assert len(ours) == 10
    assert all(value in _shares(3199) for value in ours)
    assert not all(value in _shares(3153) for value in ours)


def test_the_gain_quoted_for_esr_on_fer_plus_contradicts_the_table():
    plain = "attention=0;spatial_div=0;channel_div=0"
    reported = published_number("diversified", "Table 1", "ESR-9 [13]", plain, "FER+", "accuracy")
    reproduced = published_number("diversified", "Table 1", "ESR-9", plain, "FER+", "accuracy")
    assert reproduced - reported == pytest.approx(1.23)  # the text says 0.85


def test_fed_ro_figures_of_oadn_are_shares_of_392_faces_and_not_of_400():
    for variant in ("pretrained on a face-recognition set (VGGFace2 for OADN)", "ImageNet / same setting"):
        value = published_number("oadn", "Table 4", "OADN(ours)", variant, "FED-RO", "accuracy")
        assert value in _shares(392)
        assert value not in _shares(400)


def test_challenge_figures_of_oadn_on_affectnet_are_of_lists_without_contempt():
    sizes = {"Occlusion": (592, 682), "Pose>30": (1749, 1949), "Pose>45": (889, 985)}
    for name, (without, printed) in sizes.items():
        value = published_number("oadn", "Table 3", "OADN(ours)", "", f"{name}-AffectNet", "accuracy")
        assert value in _shares(without)
        assert value not in _shares(printed)


def test_the_diagonal_of_sna_gives_its_accuracy(table):
    cells = _of(table, paper="sna", table="Fig. 7a")
    names = cells["variant"].str.extract(r"actual=(?P<actual>\w+);predicted=(?P<predicted>\w+)")
    diagonal = cells["number"][(names["actual"] == names["predicted"]).to_numpy()]
    rows = cells.groupby(names["actual"].to_numpy())["number"].sum()
    assert len(diagonal) == 7
    assert round(diagonal.mean(), 1) == published_number(
        "sna", "Table III", "Our Method", "", "AffectNet-7", "average accuracy"
    )
    assert ((rows - 100).abs() < 0.7).all()  # cells below half a percent are not printed


def test_the_drops_quoted_by_fdrl_ecanet_follow_its_tables_and_not_its_abstract():
    full, without_eca, without_fdrl = (
        published_number("fdrl_eca", "Table 2", name, "", "RAF-DB", "accuracy")
        for name in ("FDRL-ECANet (proposed)", "w/o ECA (baseline)", "w/o FDRL")
    )
    abstract = published_number("fdrl_eca", "text (abstract)", "FDRL-ECANet (proposed)", "", "RAF-DB", "accuracy")
    assert full - without_fdrl == pytest.approx(5.70)
    assert full - without_eca == pytest.approx(0.66)  # the text says 0.65
    assert abstract - full == pytest.approx(0.04)
    for value in (full, without_eca, without_fdrl):
        assert value not in _shares(3068)  # so they are means over folds, and the text gives one official split


def test_the_switches_of_table_2_are_the_thirteen_rows_of_table_3(table):
    switches = _of(table, paper="addl", table="Table 2")
    assert list(dict.fromkeys(switches["method"])) == list(
        dict.fromkeys(_of(table, paper="addl", table="Table 3")["method"])
    )
    assert set(switches["value"]) == {"0", "1"}
