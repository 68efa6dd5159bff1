import io

import numpy as np
import pandas as pd
import pytest

from openfer.evaluation.figures import probe_picture, probe_plot
from openfer.schemas import PROBES


@pytest.fixture
def probes():
    """Two seeds of a run with both features, one of a run with one, each asked for two factors."""
    rows = []
    for method, parts, seeds in (("baseline", ("expression",), (0,)), ("addl", ("expression", "disturbance"), (0, 1))):
        for seed in seeds:
            for when, gain in (("before", 0.0), ("after", 0.2)):
                for part in parts:
                    for factor, classes in (("gender", 2), ("identity", 50)):
                        score = 1 / classes + gain + 0.1 * seed
                        run = {"method": method, "variant": method, "selection": "last", "seed": seed, "when": when}
                        held_out = "images" if factor == "identity" else "people"
                        about = {"part": part, "factor": factor, "held_out": held_out}
                        size = {"n": 500, "people": 50, "classes": classes, "chance": 0.5, "accuracy": 0.6}
                        rows.append(run | about | size | {"balanced_accuracy": score, "balanced_chance": 1 / classes})
    return PROBES.validate(pd.DataFrame(rows).assign(balanced_low=0.1, balanced_high=0.9)[list(PROBES.columns)])


def test_colour_is_the_share_of_the_way_from_chance_and_text_the_mean_with_its_deviation_over_seeds(probes):
    baseline, addl = probe_plot(probes).data
    np.testing.assert_allclose(baseline.z, [[0, 0.4], [0, 0.2 / 0.98]])
    assert list(addl.text[0][:2]) == ["55%<br>±7.1", "75%<br>±7.1"]
    assert list(baseline.text[1]) == ["2%", "22%"]


def test_factors_say_their_chance_and_features_their_time(probes):
    baseline, addl = probe_plot(probes).data
    assert baseline.y == ("gender<br>(chance 50%)", "identity<br>(chance 2%, other images)")
    assert baseline.x == ("f<sup>e</sup> before", "f<sup>e</sup> after")
    assert addl.x == (*baseline.x, "f<sup>d</sup> before", "f<sup>d</sup> after")


def test_the_picture_has_a_panel_for_each_variant_and_a_number_in_every_cell(probes):
    figure = probe_picture(probes)
    panels = [axes for axes in figure.axes if axes.get_title(loc="left")]
    assert [axes.get_title(loc="left") for axes in panels] == ["Baseline", "ADDL, 2 seeds"]
    assert [len(axes.texts) for axes in panels] == [4, 8]
    assert "n = 500 faces of 50 people" in figure.get_suptitle()
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=40)
    assert buffer.getvalue()


def test_a_factor_that_one_run_could_not_be_asked_leaves_its_cells_empty(probes):
    without = probes[~((probes["method"] == "baseline") & (probes["factor"] == "gender"))]
    assert list(probe_plot(without).data[0].text[0]) == ["", ""]
