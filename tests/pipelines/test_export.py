"""A finished run becomes a model file, by the pipeline and by `openfer export`."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from openfer.console import openfer
from openfer.errors import ExportError, ParameterError
from openfer.export import quantise
from openfer.faces.template import template_points
from openfer.inference.onnx_model import OnnxModel
from openfer.io.runs import Run
from openfer.pipelines import planned
from openfer.pipelines.export import export_pipeline
from openfer.pipelines.extras import extra_array
from openfer.runs.project import plan
from tests.conftest import TinyFaces
from tests.methods.trial import measured
from tests.pipelines.in_process import Workshop
from tests.pipelines.plans import project_plan
from tests.pipelines.tiny_project import METHOD, TinyProject

SCHEDULE = {"schedule": {"epochs": 5, "batch_size": 14, "learning_rate": 0.01}}
PARAMETERS = {"geometry": {**METHOD, "method": "geometry", "settings": SCHEDULE}}


@pytest.fixture(scope="module")
def workshop(tiny_faces: TinyFaces, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """A project in which geometry has been trained."""
    made = Workshop.new(tmp_path_factory.mktemp("export") / "project")
    project = TinyProject(made.path / "data")
    project.bring("a", tiny_faces)
    project.save("a_geometry", measured("geometry", tiny_faces.store))
    project.method("geometry", PARAMETERS)
    return made


def exported(workshop: Workshop, **block) -> list[str]:
    asked = plan({**PARAMETERS, "export": {"run": "geometry", **block}})
    return TinyProject(workshop.path / "data").run(export_pipeline(asked.exported, int8=asked.export.int8), asked)


def slug() -> str:
    return plan(PARAMETERS).exported[0].slug


def model_of(workshop: Workshop, name: str) -> OnnxModel:
    return OnnxModel(workshop.path / "data/06_models/exported" / name / "model.onnx", threads=1)


@pytest.mark.slow
def test_the_file_of_a_run_answers_what_its_predictions_say(workshop, tiny_faces) -> None:
    (workshop.path / f"data/06_models/exported/{slug()}/model.onnx").unlink(missing_ok=True)  # another test's
    assert exported(workshop) == [f"export.{slug()}.export"]
    assert exported(workshop) == []  # up to date
    model, run = model_of(workshop, slug()), Run(workshop.path / "data", slug())
    card, predictions = model.card, run.predictions.query("selection == 'best_val'")
    assert card.slug == slug()
    assert (card.input, card.selection, card.datasets, card.n_train) == ("geometry", "best_val", ("a",), 28)
    assert card.accuracy.n == len(predictions) == 14
    assert card.accuracy.value == (predictions["y_true"] == predictions["y_pred"]).mean()
    assert card.licences_of_data == ("CC0-1.0",)
    assert card.crop.size == 64
    np.testing.assert_allclose(card.crop.template, template_points(64), atol=1e-3)
    assert "not an emotion" in card.limits[0]
    features = extra_array("geometry", measured("geometry", tiny_faces.store), predictions["sample_id"])[:, 0]
    expected = predictions[[f"p_{name}" for name in card.classes]].to_numpy()
    np.testing.assert_allclose(model.probabilities(features), expected, atol=0.02)  # a run computes in bfloat16
    assert model.path.stat().st_size < 2_000_000


@pytest.mark.slow
def test_integers_that_lose_too_much_are_refused_unless_the_loss_is_accepted(workshop, monkeypatch) -> None:
    monkeypatch.setattr(quantise, "LARGEST_LOSS", -2.0)
    with pytest.raises(ExportError, match=r"8-bit integers lose .* n = 14.*accepts_loss to true"):
        exported(workshop, int8=True)
    assert Run(workshop.path / "data", slug()).is_done  # the run is as good as before
    assert not (workshop.path / f"data/06_models/exported/{slug()}-int8").exists()
    assert exported(workshop, int8=True, accepts_loss=True) == [f"export.{slug()}.quantise"]
    small, plain = (model_of(workshop, name) for name in (f"{slug()}-int8", slug()))
    assert small.card.quantised.float32 == plain.card.accuracy
    assert small.card.quantised.calibration_faces == 28
    assert small.path.stat().st_size < 0.5 * plain.path.stat().st_size


@pytest.mark.slow
def test_any_finished_run_is_exported_by_its_slug(workshop) -> None:
    def typed(*words: str) -> tuple[int, str]:
        try:
            with contextlib.chdir(workshop.path):
                done = CliRunner().invoke(openfer, ["export", *words])
        finally:
            planned._handed.clear()
        return done.exit_code, f"{done.output} {done.exception}"

    place = workshop.path / f"data/06_models/exported/{slug()}/model.onnx"
    place.unlink(missing_ok=True)
    status, said = typed(slug())
    assert status == 0, said
    assert f"{slug()}/model.onnx" in "".join(said.split())
    assert "accuracy" in said
    assert OnnxModel(place).card.slug == slug()
    status, said = typed(slug().replace("s0", "s7"))
    assert status == 1
    assert f"did you mean '{slug()}'" in said


def test_what_is_exported_is_a_method_or_a_present_run() -> None:
    addl = project_plan(export={"run": "addl"})
    assert [run.method for run in addl.exported] == ["addl"]
    assert project_plan(export={"run": addl.exported[0].slug}).exported[0].slug == addl.exported[0].slug
    with pytest.raises(ParameterError, match=r"export\.run is 'adl'.*did you mean 'addl'"):
        _ = project_plan(export={"run": "adl"}).exported
    with pytest.raises(ParameterError, match=r"export\.int4: there is no such parameter"):
        project_plan(export={"int4": True})


def test_a_folder_without_a_project_is_told(tmp_path: Path) -> None:
    with contextlib.chdir(tmp_path):
        done = CliRunner().invoke(openfer, ["export", "addl-s0-f0-abc123"])
    assert isinstance(done.exception, ParameterError)
    assert "is not a project" in str(done.exception)


@pytest.mark.slow
def test_the_file_of_a_run_that_averages_mirror_images_says_that_it_does_not(workshop) -> None:
    block = PARAMETERS["geometry"]
    averaged = {"geometry": block | {"training": block["training"] | {"average_mirrored": True}}}
    project = TinyProject(workshop.path / "data")
    project.method("geometry", averaged)
    asked = plan({**averaged, "export": {"run": "geometry"}})
    project.run(export_pipeline(asked.exported, int8=False), asked)
    (run,) = asked.exported
    assert set(Run(workshop.path / "data", run.slug).predictions["variant"]) == {"geometry mirror-averaged"}
    assert "from the face alone" in model_of(workshop, run.slug).card.limits[-1]
