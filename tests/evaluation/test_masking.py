"""Who was masked, counted by hand."""

import io

import pandas as pd
import pytest

from openfer.evaluation.figures import masked_picture
from openfer.evaluation.masking import masked_shares


@pytest.fixture
def masked():
    """Two epochs of four faces; one label was made wrong, and one face is not shown in the second epoch."""
    rows = [
        ("a", 1, 0.1, True, "fear", False),
        ("b", 1, 0.3, False, "fear", True),
        ("c", 1, 0.2, False, "anger", False),
        ("d", 1, 0.0, True, "anger", False),
        ("a", 2, 0.5, True, "fear", False),
        ("b", 2, 0.7, False, "fear", True),
        ("c", 2, 0.6, True, "anger", False),
    ]
    return pd.DataFrame(rows, columns=["sample_id", "epoch", "divergence", "kept", "label", "flipped"])


def test_shares_are_those_counted_by_hand(masked):
    table = masked_shares(masked).set_index(["epoch", "kind", "group"])
    assert table.loc[(1, "all", "all")].tolist() == [4, 0.5, pytest.approx(0.15), 1.0]
    assert table.loc[(2, "all", "all"), "masked"] == pytest.approx(1 / 3)
    assert table.loc[(1, "class", "fear"), "masked"] == 0.5
    assert table.loc[(2, "class", "anger"), "n"] == 1
    wrong = table.loc[(1, "flipped", "label made wrong")]
    assert (wrong["n"], wrong["masked"], wrong["share_of_masked"]) == (1, 1.0, 0.5)
    assert table.loc[(2, "flipped", "label made wrong"), "share_of_masked"] == 1.0


def test_without_noise_there_is_no_group_of_it(masked):
    table = masked_shares(masked.assign(flipped=False))
    assert set(table["kind"]) == {"all", "class"}


@pytest.mark.parametrize(("noise", "panels"), [(True, 3), (False, 2)])
def test_the_figure_has_a_panel_for_each_kind(masked, noise, panels):
    figure = masked_picture(masked_shares(masked if noise else masked.assign(flipped=False)))
    assert len(figure.axes) == panels
    figure.savefig(io.BytesIO(), dpi=40)
    lines = {line.get_label(): list(line.get_ydata()) for line in figure.axes[1].lines}
    assert lines["fear (n = 2)"] == [0.5, 0.5]
