import pandas as pd
import pytest

from openfer.errors import DataError
from openfer.evaluation.cost import TIMED, beside_published, latency_table
from openfer.evaluation.figures import cost_picture


def times(**by_model):
    rows = [(model, number, took) for model, all_took in by_model.items() for number, took in enumerate(all_took)]
    return pd.DataFrame(rows, columns=["model", "round", "milliseconds"])


def test_published_frames_a_second_are_those_of_the_published_milliseconds():
    table = latency_table(times(**{model: [1.0] for model in TIMED}))
    assert table["published_fps"].notna().all()
    assert table["published_fps"].tolist() == pytest.approx(
        (1000 / table["published_milliseconds"]).tolist(), rel=0.002
    )


def test_counts_stand_beside_the_published_ones_with_their_relative_difference():
    counted = pd.DataFrame({"model": ["SCN", "Mine"], "params": [11_088_000, 5], "macs": [1_838_200_000, 7]})
    table = beside_published(counted).set_index("model")
    assert table.loc["SCN", ["published_params", "published_macs"]].tolist() == [11.2e6, 1.82e9]
    assert table.loc["SCN", "params_difference"] == pytest.approx(-0.01)
    assert table.loc["SCN", "macs_difference"] == pytest.approx(0.01)
    assert table.loc["Mine", "published_params":].isna().all()


def test_times_are_medians_and_ratios_are_taken_within_rounds():
    """The third round is slow for all, the ratios do not see it."""
    timed = times(SCN=[10, 20, 100], Baseline_mat=[20, 30, 150], ADDL=[20, 36, 150])
    table = latency_table(timed).set_index("model")
    assert table["milliseconds"].tolist() == [20, 30, 36]
    assert table.loc["SCN", ["low", "high", "fps"]].tolist() == [15, 60, 50]
    assert table["against_scn"].tolist() == [1, 1.5, 1.8]
    assert table["against_baseline_mat"].tolist() == pytest.approx([2 / 3, 1, 1])
    assert table.loc["ADDL", "against_baseline_mat_high"] == pytest.approx(1.1)
    assert table["published_milliseconds"].tolist() == [3.72, 5.17, 5.21]
    assert set(table["rounds"]) == {3}


def test_a_model_without_published_times_has_none():
    table = latency_table(times(SCN=[1.0], Baseline_mat=[1.0], ESR=[2.0])).set_index("model")
    assert table.loc["ESR", ["published_milliseconds", "published_fps"]].isna().all()


@pytest.mark.parametrize(
    ("timed", "words"),
    [
        (times(SCN=[1.0, 2.0], ADDL=[1.0, 2.0]), "Baseline_mat is missing"),
        (times(SCN=[1.0, 2.0], Baseline_mat=[1.0]), "not timed in every round"),
    ],
)
def test_times_that_cannot_be_compared_are_refused(timed, words):
    with pytest.raises(DataError, match=words):
        latency_table(timed)


@pytest.fixture
def measured():
    table = latency_table(times(SCN=[10, 20, 100], Baseline_mat=[20, 30, 150]))
    return table.assign(side=224, params=[11_180_616, 16_237_467], macs=[1.8e9, 2.8e9], threads=2, device="a processor")


def test_the_figures_show_each_model_once_with_all_three_costs(measured):
    figure = cost_picture(measured)
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["Baseline_mat, 224 px", "SCN, 224 px"]
    assert all(len(axes.patches) == 2 for axes in figure.axes)
    assert [bar.get_width() for bar in figure.axes[2].patches] == [30, 20]
    assert "a processor, threads: 2; median of 3 rounds" in figure.get_suptitle()
