"""A row's settings go over those of the parameters file, whatever these say."""

import pytest
from tests.methods.networks import EXPRESSION

from openfer.errors import ParameterError
from openfer.methods.addl import ADDL
from openfer.methods.baseline import Baseline
from openfer.methods.registry import build
from openfer.methods.rows import with_row
from openfer.methods.two_scale import TwoScale

FILE = {"weights": {"adversarial": 0.5, "information": 0.1}, "factors": ["pose"], "dropout": 0.3}


def test_a_rows_settings_are_merged_deeply_over_the_others():
    merged = with_row(ADDL, "ddl_g", FILE)
    assert merged == {
        "weights": {"adversarial": 1.0, "attention_transfer": 0.1, "information": 0.0},
        "factors": ("gender",),
        "importance": "equal",
        "dropout": 0.3,
    }
    assert FILE["weights"] == {"adversarial": 0.5, "information": 0.1}


@pytest.mark.parametrize("row", ADDL.variants)
def test_it_is_that_row_whatever_the_others_say(row):
    assert build("addl", with_row(ADDL, row, FILE), EXPRESSION).variant == row


def test_a_row_of_defaults_alone_takes_the_switches_of_other_rows_back():
    assert with_row(Baseline, "baseline", {"attention": "multi_level", "dropout": 0.1}) == {
        "attention": "none",
        "dropout": 0.1,
    }


def test_an_unknown_row_is_refused_with_those_that_exist_the_nearest_first():
    with pytest.raises(ParameterError, match=r"'ddl_gar_id_ill', which addl does not have; .*first: ddl_gar_id_il, "):
        with_row(ADDL, "ddl_gar_id_ill", {})


def test_a_method_without_rows_says_so():
    with pytest.raises(ParameterError, match="two_scale has one row only"):
        with_row(TwoScale, "two_scale", {})


def test_a_value_in_the_place_of_a_block_is_left_to_validation():
    assert with_row(ADDL, "addl_adfl", {"weights": 5})["weights"] == 5
