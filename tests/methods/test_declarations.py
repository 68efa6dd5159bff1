"""What a method is stands beside it once, and needs no torch."""

import subprocess
import sys

import pytest
import torch

from openfer.labels import BASIC_EXPRESSIONS, CELEBA_ATTRIBUTES, FACTOR_CLASSES
from openfer.methods.contract import EXTRA_SHAPES
from openfer.methods.declaration import METHODS
from openfer.methods.declared.addl import ADDLSettings
from openfer.methods.declared.addl_va import ADDLVASettings
from openfer.methods.registry import build
from openfer.nn import choices
from openfer.nn.trunks import TRUNKS
from openfer.schemas import ROWS


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
