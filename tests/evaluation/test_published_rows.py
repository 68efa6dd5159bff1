"""A published figure stands beside ours only if dataset, classes, partition, folds and n agree."""

import pytest

from openfer.evaluation.conditions import Measured, conditions_of
from openfer.evaluation.metrics import METRICS
from openfer.evaluation.published import published_table
from openfer.evaluation.published_rows import nearest, own_figures, own_rows, printed_figure


@pytest.fixture(scope="module")
def published():
    return published_table()


def measured(source, classes, n, partitions=("test",), folds=1, trained_on=None):
    return Measured((source,), trained_on or (source,), classes, partitions, folds, n)


@pytest.mark.parametrize(
    ("method", "variant", "ours", "value"),
    [
        ("esr", "esr-9 cbam spatial", measured("raf_db", 7, 3068), 82.92),
        ("esr", "esr-15", measured("affectnet", 8, 4000), 58.7),
        ("manet", "manet branch spatial channel", measured("ferplus", 8, 3199, ("val",)), 88.34),
        ("manet", "manet", measured("raf_db", 7, 3068), 88.68),
        ("baseline", "baseline_mat", measured("raf_db", 7, 3068), 87.61),
        ("addl", "ddl_gar_id_il", measured("raf_db", 7, 3068), 88.14),
        ("addl", "addl_mi_no_dfem", measured("raf_db", 7, 3068), 88.01),
        ("addl", "addl", measured("affectnet", 7, 3500), 66.2),
        ("addl", "addl", measured("ck_plus", 7, 981, (), 10), 99.64),
        ("addl", "addl", measured("aff_wild2", 7, 322080, ("val",)), 64.73),
        ("addl", "addl", measured("sfew", 7, 436, ("val",)), 62.16),
        ("sna", "sna", measured("ck_plus", 6, 927, (), 10), 98.58),
        ("two_scale", "two_scale", measured("affectnet", 7, 3500), 61.3),
        ("fdrl_eca", "fdrl_eca_without_fdrl", measured("raf_db", 7, 15339, ("test", "train"), 10), 83.43),
        ("oadn", "oadn", measured("fed_ro", 7, 392, trained_on=("raf_db", "affectnet", "fed_ro")), 68.11),
    ],
)
def test_every_methods_own_figure_stands_beside_the_paper_protocol(published, method, variant, ours, value):
    figure = nearest(own_figures(published, method, variant), ours)
    assert figure.value == value
    assert figure.differences(ours) == ()


@pytest.mark.parametrize(
    ("method", "variant", "ours", "words"),
    [
        (  # FER+: the paper's figures are those of PublicTest
            *("esr", "esr-9 cbam spatial channel", measured("ferplus", 8, 3153)),
            ("partition: test here, val in the paper", "n: 3,153 faces here, 3,199 in the paper"),
        ),
        (
            *("addl", "addl", measured("affectnet", 8, 4000)),
            ("classes: 8 here, 7 in the paper", "n: 4,000 faces here, 3,500 in the paper"),
        ),
        (
            *("sna", "sna", measured("affectnet", 8, 4000)),
            ("classes: 8 here, 7 in the paper", "n: 4,000 faces here, 3,500 in the paper"),
        ),
        (
            *("fdrl_eca", "fdrl_eca", measured("raf_db", 7, 3068)),
            (
                "partition: test here, test, train in the paper",
                "folds: 1 here, 10 in the paper",
                "n: 3,068 faces here, 15,339 in the paper",
            ),
        ),
        (
            *("addl", "addl", measured("mmi", 6, 553, (), 9)),
            ("folds: 9 here, 10 in the paper", "n: 553 faces here, 615 in the paper"),
        ),
        (
            *("sna", "sna", measured("ck_plus", 7, 981, (), 10)),
            ("classes: 7 here, 6 in the paper", "n: 981 faces here, 927 in the paper"),
        ),
        (
            *("oadn", "oadn", measured("fed_ro", 7, 400)),
            ("trained on: fed_ro here, affectnet, fed_ro, raf_db in the paper",),
        ),
    ],
)
def test_a_wrong_pairing_says_what_differs(published, method, variant, ours, words):
    assert nearest(own_figures(published, method, variant), ours).differences(ours) == words


@pytest.mark.parametrize(
    ("method", "variant"),
    [
        ("manet", "manet spatial channel"),  # not the last row, which diversifies the branches too
        ("manet", "manet branch"),
        ("manet", "manet branch spatial"),
        ("manet", "manet mask"),
        ("esr", "esr-9 cbam channel"),
        ("esr", "esr-3 cbam spatial channel"),
        ("esr", "esr-9 cbam spatial channel exit 3"),
        ("sna", "sna noise 20 %"),
        ("addl", "addl lambda_1 0.5"),
        ("addl_va", "addl_va"),
        ("scn", "scn"),
        ("scn", "ADDL"),
        ("probe", "Baseline"),
        ("foreign", "ADDL"),
        ("foreign", "SCN"),
    ],
)
def test_a_variant_that_is_no_row_of_its_paper_has_no_figure(published, method, variant):
    assert own_rows(method, variant) is None
    assert own_figures(published, method, variant) == []


@pytest.mark.parametrize(
    ("column", "table", "ours"),
    [
        ("Occlusion-AffectNet", "Table 3", measured("affectnet", 7, 592)),
        ("Pose>30-AffectNet", "Table 3", measured("affectnet", 7, 1749)),
        ("Pose>45-AffectNet", "Table 3", measured("affectnet", 7, 889)),
        ("Occlusion-FERPlus", "Table 5", measured("ferplus", 8, 605)),
        ("Pose>30-FERPlus", "Table 5", measured("ferplus", 8, 1170)),
        ("Pose>45-FERPlus", "Table 5", measured("ferplus", 8, 633)),
    ],
)
def test_challenge_lists_of_oadn_have_classes_though_their_names_do_not_say_them(column, table, ours):
    figure = printed_figure("oadn", table, "OADN(ours)", "", column, "accuracy")
    assert figure.differences(ours) == ()
    more = Measured(ours.sources, ours.trained_on, 15 - ours.classes, ours.partitions, 1, ours.n)
    assert figure.differences(more) == (f"classes: {15 - ours.classes} here, {ours.classes} in the paper",)


def test_valence_and_arousal_are_of_4500_rated_faces_and_a_model_of_seven_classes():
    figure = printed_figure("addl", "Table 14", "ADDL (proposed)", "", "AffectNet-VA", "valence_ccc")
    assert figure.differences(measured("affectnet", 7, 4500)) == ()
    assert figure.differences(measured("affectnet", 8, 4000)) == (
        "classes: 8 here, 7 in the paper",
        "n: 4,000 rated faces here, 4,500 in the paper",
    )


def test_failures_over_a_sequence_are_of_sequences_and_not_of_their_frames():
    figure = printed_figure("sna", "Table VII", "SNA", "with Ours", "Oulu-CASIA", "fc")
    assert figure.differences(measured("oulu_casia", 6, 480, ())) == ()
    assert figure.differences(measured("oulu_casia", 6, 4 * 480, ())) == ("n: 1,920 sequences here, 480 in the paper",)


def test_a_run_that_does_not_say_its_partition_is_not_compared():
    ours = Measured.of_run(["raf_db"], ["raf_db"], None, classes=7, folds=1, n=3068)
    figure = printed_figure("addl", "Table 3", "ADDL", "", "RAF-DB", "accuracy")
    assert figure.differences(ours) == ("partition: unknown here, test in the paper",)


def test_a_dataset_of_another_name_is_known_by_its_reader():
    faces = {"affectnet_7": {"reader": "affectnet", "partitions": ["test"]}}
    ours = Measured.of_run(["affectnet_7"], ["affectnet_7"], faces, classes=7, folds=1, n=3500)
    figure = printed_figure("sna", "Table III", "Our Method", "", "AffectNet-7", "accuracy")
    assert figure.differences(ours) == ()


def test_the_authors_way_to_evaluate_esr_is_said_beside_its_figures(published):
    (figure, *_) = own_figures(published, "esr", "esr-9 cbam")
    assert figure.source.startswith("Heidari and Iosifidis, 2022, Table 1: ESR-9, attention=1;spatial_div=0")
    assert "in training mode, with the statistics of the test batch, and reports the best test epoch" in figure.source
    (other, *_) = own_figures(published, "manet", "manet")
    assert "training mode" not in other.source


def test_every_figure_of_faces_says_what_it_was_measured_on(published):
    names = {name for metric in METRICS.values() for name in metric.printed}
    scored = published[published["metric"].isin(names)]
    without = {
        (line.paper, line.table, line.dataset)
        for line in scored.itertuples()
        if conditions_of(line.paper, line.table, line.dataset) is None
    }
    assert without == set()
    assert len(scored) > 300
