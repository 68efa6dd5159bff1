"""`dvc.yaml`: it is what `kedro dvc` writes, and each output lies in exactly one stage's folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from kedro.framework.context import KedroContext
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from openfer.dvc_stages import Stage, Stages, dvc_yaml
from openfer.methods.declaration import METHODS

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def context() -> Iterator[KedroContext]:
    bootstrap_project(ROOT)
    with KedroSession.create(ROOT, env="base") as session:
        yield session.load_context()


@pytest.fixture(scope="module")
def catalog(context: KedroContext):
    return context.catalog


@pytest.fixture(scope="module")
def stages(catalog) -> dict[str, Stage]:
    return {stage.name: stage for stage in Stages(pipelines, catalog, ROOT).all()}


def test_the_committed_file_is_what_the_command_writes(stages: dict[str, Stage]) -> None:
    committed = (ROOT / "dvc.yaml").read_text()
    assert committed == dvc_yaml(stages.values()), "run `kedro dvc`"
    read = yaml.safe_load(committed)["stages"]
    assert list(read) == list(stages)
    assert read["addl"]["cmd"] == "kedro run --pipelines addl"


def test_every_pipeline_has_a_stage(stages: dict[str, Stage]) -> None:
    assert set(stages) == set(pipelines) - {"__default__", "ingest", "predict"}
    assert set(METHODS) <= set(stages)


def test_every_output_lies_in_exactly_one_stage(catalog, stages: dict[str, Stage]) -> None:
    owned = [Path(out) for stage in stages.values() for out in stage.outs]
    assert len(owned) == len(set(owned))
    staged = (pipeline for name, pipeline in pipelines.items() if name != "predict")
    outputs = {name for pipeline in staged for name in pipeline.all_outputs()}
    for name in outputs:
        dataset = catalog.get(name)
        place = Path(getattr(dataset, "_filepath", None) or dataset._path).relative_to(ROOT)
        assert sum(place.is_relative_to(out) for out in owned) == 1, f"{name} at {place}"


def test_a_stage_depends_on_what_other_stages_write_and_on_code_that_exists(stages: dict[str, Stage]) -> None:
    owned = {out for stage in stages.values() for out in stage.outs}
    for stage in stages.values():
        for dependency in stage.deps:
            assert dependency in owned - set(stage.outs) or (ROOT / dependency).exists(), dependency
        assert "src/openfer/pipelines" in stage.deps
    assert "data/06_models/dfem" in stages["addl"].deps
    assert "data/03_primary/synthetic_fer" in stages["baseline"].deps
    assert "data/06_models/sna_generator" in stages["sna"].deps
    assert {"data/06_models/addl", "data/07_model_output/baseline"} <= set(stages["study"].deps)


def test_a_method_depends_on_its_own_files_and_on_no_other_method(stages: dict[str, Stage]) -> None:
    own = {path for path in stages["baseline"].deps if path.startswith("src/openfer/methods/declared/")}
    assert own == {"src/openfer/methods/declared/baseline.py"}
    assert "src/openfer/methods/esr.py" not in stages["baseline"].deps
    assert "src/openfer/methods/two_scale.py" in stages["sna"].deps


def test_a_stage_names_the_parameters_that_its_nodes_read(stages: dict[str, Stage]) -> None:
    assert stages["baseline"].params == {
        "conf/base/globals.yml": ("backbone", "images", "seed", "trunk"),
        "conf/base/parameters/baseline.yml": ("baseline",),
    }
    assert stages["study"].params["conf/base/parameters/studies/first_study.yml"] == ("first_study",)
    assert stages["evaluation"].params == {"conf/base/parameters/evaluation.yml": ("compared_methods",)}
    assert stages["synthesize"].params["conf/base/parameters/protocol.yml"] == ("protocol",)
