import io

import numpy as np
import pandas as pd
import pytest

from openfer.evaluation.figures import probe_picture
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


def panels(figure):
    return [axes for axes in figure.axes if axes.get_title(loc="left")]


def words(labels):
    return [label.get_text() for label in labels]


def test_colour_is_the_share_of_the_way_from_chance_and_text_the_mean_with_its_deviation_over_seeds(probes):
    baseline, addl = panels(probe_picture(probes))
    np.testing.assert_allclose(baseline.images[0].get_array(), [[0, 0.4], [0, 0.2 / 0.98]])
    assert words(addl.texts)[:2] == ["55%\n±7.1", "75%\n±7.1"]
    assert words(baseline.texts)[2:] == ["2%", "22%"]


def test_factors_say_their_chance_and_features_their_time(probes):
    baseline, addl = panels(probe_picture(probes))
    assert words(baseline.get_yticklabels()) == ["gender\n(chance 50%)", "identity\n(chance 2%, other images)"]
    assert words(baseline.get_xticklabels()) == ["$f^e$\nbefore", "$f^e$\nafter"]
    assert words(addl.get_xticklabels())[2:] == ["$f^d$\nbefore", "$f^d$\nafter"]


def test_the_picture_has_a_panel_for_each_variant_and_a_number_in_every_cell(probes):
    figure = probe_picture(probes)
    assert [axes.get_title(loc="left") for axes in panels(figure)] == ["Baseline", "ADDL, 2 seeds"]
    assert [len(axes.texts) for axes in panels(figure)] == [4, 8]
    assert "n = 500 faces of 50 people" in figure.get_suptitle()
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=40)
    assert buffer.getvalue()


def test_a_factor_that_one_run_could_not_be_asked_leaves_its_cells_empty(probes):
    without = probes[~((probes["method"] == "baseline") & (probes["factor"] == "gender"))]
    assert words(panels(probe_picture(without))[0].texts)[:2] == ["", ""]
