"""What a command says before its first node."""

import logging

import pytest

from openfer.hooks import _warn_of_rendered_prerequisites
from openfer.pipelines import planned
from openfer.pipelines.run_pipeline import runs_pipeline
from tests.pipelines.plans import project_plan


@pytest.mark.parametrize(("environment", "warned"), [("base", True), ("paper", False)])
def test_a_run_on_real_faces_is_told_that_its_first_stage_learns_from_rendered_ones(
    environment: str, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    made = project_plan(environment, addl={"datasets": ["raf_db"]})
    planned.hand_over(made)
    try:
        with caplog.at_level(logging.WARNING):
            _warn_of_rendered_prerequisites(runs_pipeline(made.requested["addl"], made.datasets))
    finally:
        planned._handed.clear()
    said = "learns from raf_db, and dfem, which it needs, from rendered faces (synthetic_pie, synthetic_raf)"
    assert (said in caplog.text) == warned


def test_nothing_is_said_of_rendered_faces_alone(caplog: pytest.LogCaptureFixture) -> None:
    made = project_plan()
    planned.hand_over(made)
    try:
        _warn_of_rendered_prerequisites(runs_pipeline(made.requested["addl"], made.datasets))
    finally:
        planned._handed.clear()
    assert caplog.text == ""
