"""How long threads of a training step wait before they sleep: what OpenMP itself says that it has read."""

import os
import re
import subprocess
import sys

import pytest

OWN = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")


def errors_of(code: str, **settings: str) -> str:
    others = {name: value for name, value in os.environ.items() if name not in OWN}
    asked = others | settings
    return subprocess.run([sys.executable, "-c", code], env=asked, capture_output=True, text=True, check=True).stderr


@pytest.mark.skipif(sys.platform != "linux", reason="PyTorch for other systems has no GNU OpenMP")
def test_the_value_is_set_before_torch_is_loaded() -> None:
    said = errors_of("import openfer, torch", OMP_DISPLAY_ENV="verbose")
    assert re.findall(r"GOMP_SPINCOUNT = '(\d+)'", said) == ["5000"]


@pytest.mark.parametrize(("name", "value"), [("GOMP_SPINCOUNT", "70"), ("OMP_WAIT_POLICY", "active")])
def test_what_the_user_has_set_wins(name: str, value: str) -> None:
    show = f"import openfer, os, sys; print([os.environ.get(name) for name in {OWN}], file=sys.stderr)"
    assert errors_of(show, **{name: value}).split() == str([value if one == name else None for one in OWN]).split()
