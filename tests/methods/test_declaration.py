"""What a method is stands beside it once, and needs no torch."""

import subprocess
import sys

import pytest
import torch
from tests.methods.networks import EXPRESSION

from openfer.errors import ParameterError
from openfer.labels import BASIC_EXPRESSIONS, CELEBA_ATTRIBUTES, FACTOR_CLASSES
from openfer.methods.contract import EXTRA_SHAPES
from openfer.methods.declaration import METHODS
from openfer.methods.declared.addl import ADDLSettings
from openfer.methods.declared.addl_va import ADDLVASettings
from openfer.methods.registry import build
from openfer.nn import choices
from openfer.nn.trunks import TRUNKS
from openfer.schemas import ROWS

FILE = {"weights": {"adversarial": 0.5, "information": 0.1}, "factors": ["pose"], "dropout": 0.3}


def test_all_declarations_load_without_torch():
    script = (
        "import sys; from openfer.methods.declaration import METHODS; names = [METHODS[name].name for name in METHODS];"
        "assert names == list(METHODS); print(sorted({'torch', 'torchvision'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"


@pytest.mark.parametrize("name", METHODS.names())
def test_its_names_agree_and_its_settings_build_its_network(name):
    declared = METHODS[name]
    settings = declared.settings()
    vocabulary = FACTOR_CLASSES | {"expression": BASIC_EXPRESSIONS, "identity": ("1", "2")}
    classes = {task: vocabulary[task] for task in declared.tasks_of(settings)}
    with torch.device("meta"):
        method = build(name, settings, classes)
    assert type(method) is declared.network()
    assert (declared.name, method.name) == (name, name)
    assert method.variant == declared.variant_name(settings)


@pytest.mark.parametrize("name", METHODS.names())
def test_what_it_names_exists(name):
    declared = METHODS[name]
    for row in [{}, *declared.variants.values()]:
        settings = declared.settings.model_validate(row)
        prerequisites = declared.prerequisites_of(settings)
        assert set(prerequisites) <= set(METHODS.names()) - {name}
        assert declared.initialised_from in (None, *prerequisites)
        assert set(declared.tasks_of(settings)) <= {"expression", *FACTOR_CLASSES, "identity", *CELEBA_ATTRIBUTES}
    assert set(declared.extras) <= set(EXTRA_SHAPES)
    assert set(declared.regression_targets) <= set(ROWS.columns)


def test_a_row_of_addl_without_dfem_requires_none():
    row = METHODS["addl"].variants["addl_mi_no_dfem"]
    assert METHODS["addl"].prerequisites_of(ADDLSettings()) == ("dfem",)
    assert METHODS["addl"].prerequisites_of(ADDLSettings.model_validate(row)) == ()
    assert METHODS["addl_va"].prerequisites_of(ADDLVASettings()) == ("dfem", "addl")
    assert METHODS["addl_va"].prerequisites_of(ADDLVASettings.model_validate(row)) == ("addl",)


def test_the_backbones_to_choose_from_are_the_trunks():
    assert tuple(TRUNKS) == choices.BACKBONES


def test_a_rows_settings_are_merged_deeply_over_the_others():
    merged = METHODS["addl"].with_variant("ddl_g", FILE)
    assert merged == {
        "weights": {"adversarial": 1.0, "attention_transfer": 0.1, "information": 0.0},
        "factors": ("gender",),
        "importance": "equal",
        "dropout": 0.3,
    }
    assert FILE["weights"] == {"adversarial": 0.5, "information": 0.1}


@pytest.mark.parametrize("row", METHODS["addl"].variants)
def test_it_is_that_row_whatever_the_others_say(row):
    assert build("addl", METHODS["addl"].with_variant(row, FILE), EXPRESSION).variant == row


def test_a_row_of_defaults_alone_takes_the_switches_of_other_rows_back():
    assert METHODS["baseline"].with_variant("baseline", {"attention": "multi_level", "dropout": 0.1}) == {
        "attention": "none",
        "dropout": 0.1,
    }


def test_an_unknown_row_is_refused_with_those_that_exist_the_nearest_first():
    with pytest.raises(ParameterError, match=r"'ddl_gar_id_ill', which addl does not have; .*first: ddl_gar_id_il, "):
        METHODS["addl"].with_variant("ddl_gar_id_ill", {})


def test_a_method_without_rows_says_so():
    with pytest.raises(ParameterError, match="two_scale has one row only"):
        METHODS["two_scale"].with_variant("two_scale", {})


def test_a_value_in_the_place_of_a_block_is_left_to_validation():
    assert METHODS["addl"].with_variant("addl_adfl", {"weights": 5})["weights"] == 5
