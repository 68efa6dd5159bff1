"""`kedro run --pipelines report`: one page of whatever runs there are, made anew when one of them changes."""

import shutil

import pandas as pd
import pytest

from tests.pipelines.conftest import Project
from tests.pipelines.in_process import typed

pytestmark = pytest.mark.slow


def test_the_report_is_of_all_runs_and_is_made_anew_when_one_is_gone(copy_of_finished: Project) -> None:
    data = copy_of_finished.path / "data"
    said = copy_of_finished.run("--pipelines", "report")
    assert "Report of 3 runs" in said
    page = (data / "08_reporting/report/report.html").read_text()
    assert page.count('<section id="') == 12
    assert len(page.encode()) < 15e6
    ledger = pd.read_csv(data / "08_reporting/report/ledger.csv").set_index("run")
    addl = copy_of_finished.slug("addl")
    assert set(ledger.index) == {addl, copy_of_finished.slug("baseline"), copy_of_finished.slug("dfem")}
    own = pd.read_parquet(data / "07_model_output/addl" / addl / "predictions.parquet")
    own = own[own["selection"] == ledger.loc[addl, "selection"]]
    assert ledger.loc[addl, "accuracy"] == pytest.approx((own["y_true"] == own["y_pred"]).mean())
    assert not (ledger[["sampling", "device", "openfer", "commit", "augmentation"]] == "unknown").any().any()

    assert "1 of 1 nodes were up to date" in typed(copy_of_finished.path, "--pipelines", "report")
    shutil.rmtree(data / "07_model_output/dfem")
    assert "Report of 2 runs" in copy_of_finished.run("--pipelines", "report")


def test_without_any_run_the_report_is_one_error(copy_of_finished: Project) -> None:
    shutil.rmtree(copy_of_finished.path / "data/07_model_output")
    said = typed(copy_of_finished.path, "--pipelines", "report", expect=1)
    assert "no run has left predictions in" in said
    assert "Traceback" not in said
