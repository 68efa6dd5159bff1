"""Mistakes in parameters: one clear error before any node runs."""

import pytest

from tests.pipelines.conftest import ROOT, Project, new_project
from tests.pipelines.in_process import typed


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return new_project(tmp_path_factory.mktemp("mistaken") / "project")


@pytest.mark.slow
def test_a_mistake_ends_the_program_with_its_error_alone(project: Project) -> None:
    said = project.run("--pipelines", "addl", "--params", "adl.seed=1", expect=1)
    assert "parameter 'adl' belongs to no pipeline; did you mean 'addl'?" in said
    assert "Traceback" not in said
    assert "running " not in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        ("adl.seed=1", "parameter 'adl' belongs to no pipeline; did you mean 'addl'?"),
        ("addl.sed=1", "sed"),
        ("addl.settings.weights.adversarial=much", "adversarial"),
        ("addl.settings.weights.adverserial=1", "adverserial"),
        ("addl.method=adl", "the methods are addl, baseline, dfem"),
        ("addl.training.selections=[best]", "selections"),
        ("synthetic.fer.train_people=-3", "train_people"),
    ],
)
def test_a_mistake_is_one_error_and_no_node_runs(project: Project, parameter: str, words: str) -> None:
    said = typed(project.path, "--pipelines", "addl", "--params", parameter, expect=1)
    assert words in said
    assert "Traceback" not in said


def test_every_environment_validates() -> None:
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import bootstrap_project

    bootstrap_project(ROOT)
    for environment in ("base", "paper"):
        with KedroSession.create(ROOT, env=environment) as session:
            assert session.load_context().params["addl"].method == "addl"
