"""Predictions of another program, typed as a person would."""

import numpy as np
import pandas as pd
import pytest

from openfer.errors import ParameterError
from tests.pipelines.conftest import Project
from tests.pipelines.in_process import typed
from tests.pipelines.plans import project_plan


@pytest.mark.slow
def test_foreign_predictions_are_scored_by_the_same_code_and_a_wrong_file_is_one_error(copy_of_finished: Project):
    project = copy_of_finished
    rows = pd.read_parquet(project.path / "data/02_intermediate/synthetic_fer/rows.parquet")
    tested = rows[rows["partition"] == "test"]
    shares = np.random.default_rng(0).dirichlet(np.ones(7), len(tested))
    names = [f"p_{name}" for name in sorted(tested["expression"].unique())]
    table = pd.DataFrame(shares, columns=names).assign(sample_id=tested["sample_id"].to_numpy())
    table.to_csv(project.path / "rival.csv", index=False)

    said = project.run("--pipelines", "evaluation", "--params", "predictions=rival.csv,predictions_name=rival")
    assert "RIVAL" in said
    reports = project.run_folder("08_reporting", "foreign")
    results = pd.read_csv(reports / "results.csv").iloc[0]
    right = np.array(names, dtype=object)[shares.argmax(axis=1)] == "p_" + tested["expression"].to_numpy()
    assert (results["method"], results["n"]) == ("rival", len(tested))
    assert results["accuracy"] == pytest.approx(right.mean())
    groups = pd.read_csv(reports / "groups.csv")
    assert {"gender", "race", "age", "illumination", "intensity", "occluder", "yaw"} <= set(groups["by"])
    assert {"confusion.png", "reliability.png", "groups.png", "gaps.csv"} <= {path.name for path in reports.iterdir()}

    again = typed(project.path, "--pipelines", "evaluation", "--params", "predictions=rival.csv,predictions_name=rival")
    assert "0 ran" in again
    table.assign(p_fear=1.0).to_csv(project.path / "rival.csv", index=False)
    said = project.run("--pipelines", "evaluation", "--params", "predictions=rival.csv", expect=1)
    assert "DataError: rival.csv has" in said
    assert "do not sum to 1" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("parameters", [{"predictions": 3}, {"predictions_name": "rival"}])
def test_a_file_s_name_must_be_one(parameters):
    with pytest.raises(ParameterError, match=r"predictions is .*; give the path of a \.parquet or \.csv file"):
        project_plan(**parameters)


def test_the_name_of_a_method_is_that_of_its_file_where_none_is_given():
    plan = project_plan(predictions="somewhere/rival_7.parquet")
    assert plan.parameters["predictions_name"] == plan.foreign.name == "rival_7"


def test_other_predictions_are_another_run(tmp_path):
    file = tmp_path / "rival.csv"
    slugs = []
    for content, name in (("one", "rival"), ("two", "rival"), ("two", "other")):
        file.write_text(content)
        slugs.append(project_plan(predictions=str(file), predictions_name=name).foreign.slug)
    moved = file.rename(tmp_path / "moved.csv")
    slugs.append(project_plan(predictions=str(moved), predictions_name="other").foreign.slug)
    assert len(set(slugs)) == 3
    assert slugs[2] == slugs[3]
