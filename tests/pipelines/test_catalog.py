"""The project's frame: every name is a file with a layer, every stage a pipeline, every method a pipeline."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from kedro.framework.context import KedroContext
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import CatalogProtocol, DatasetError
from kedro.pipeline import Pipeline

from openfer.cli import readable
from openfer.errors import ParameterError
from openfer.methods.declaration import METHODS
from openfer.pipelines.in_use import choose
from tests.pipelines.conftest import ROOT


@pytest.fixture(scope="module")
def context() -> Iterator[KedroContext]:
    bootstrap_project(ROOT)
    with KedroSession.create(ROOT, env="base") as session:
        yield session.load_context()


@pytest.fixture(scope="module")
def catalog(context: KedroContext) -> CatalogProtocol:
    """The catalog once: Kedro builds another one each time that a context is asked for it."""
    return context.catalog


@pytest.fixture(scope="module")
def pipelines(context: KedroContext) -> dict[str, Pipeline]:
    from openfer.pipeline_registry import register_pipelines

    return register_pipelines()


def names_of(pipelines: dict[str, Pipeline]) -> list[str]:
    names = {name for pipeline in pipelines.values() for name in pipeline.datasets()}
    return sorted(name for name in names if not name.startswith("params:"))


def names_of_files(pipelines: dict[str, Pipeline]) -> list[str]:
    """Return all names but `runs`, which reads what others have written."""
    return [name for name in names_of(pipelines) if name not in ("runs", "studies")]


def test_no_name_falls_through_to_memory(catalog: CatalogProtocol, pipelines: dict[str, Pipeline]) -> None:
    names = names_of(pipelines)
    assert len(names) > 50
    assert [name for name in names if name not in catalog] == []


def test_every_dataset_has_a_layer(catalog: CatalogProtocol, pipelines: dict[str, Pipeline]) -> None:
    datasets = {name: catalog.get(name) for name in names_of(pipelines)}
    without = [name for name, d in datasets.items() if "layer" not in (d.metadata or {}).get("kedro-viz", {})]
    assert without == []


def test_no_two_names_share_a_file(catalog: CatalogProtocol, pipelines: dict[str, Pipeline]) -> None:
    datasets = [catalog.get(name) for name in names_of_files(pipelines)]
    places = [str(getattr(d, "_filepath", None) or d._path) for d in datasets]
    assert len(places) == len(set(places))


def test_every_method_has_a_pipeline_and_parameters(context: KedroContext, pipelines: dict[str, Pipeline]) -> None:
    for name in METHODS:
        assert f"{name}.train" in {node.name for node in pipelines[name].nodes}
        assert context.params[name].method == name


def test_addl_brings_all_that_it_needs_from_the_first_face(pipelines: dict[str, Pipeline]) -> None:
    outside = {name for name in pipelines["addl"].inputs() if not name.endswith(".work")}
    assert outside == {"params:addl", "params:dfem", "params:synthetic", "params:protocol"}


def test_every_method_gets_the_extras_that_it_asks_for(pipelines: dict[str, Pipeline]) -> None:
    for name in METHODS:
        nodes = {node.name: node for node in pipelines[name].nodes}
        expected = [f"synthetic_fer_known_{extra}" for extra in METHODS[name].extras]
        after = ("predict", "grad_cam", "publish") if METHODS[name].tasks else ()
        for node in ("train", "augmented", *after):
            assert [i for i in nodes[f"{name}.{node}"].inputs if "landmarks" in i] == expected, node


def test_landmarks_of_a_set_that_is_not_rendered_are_those_that_were_found() -> None:
    from openfer.pipelines.oadn import create_pipeline

    try:
        choose({"oadn": {"datasets": ["mine"]}})
        assert {"mine_landmarks", "mine_rows@table", "mine_faces"} <= create_pipeline().inputs()
    finally:
        choose({})


def test_missing_landmarks_are_one_error_with_the_command_that_finds_them(catalog: CatalogProtocol) -> None:
    with pytest.raises(DatasetError) as caught:
        catalog.load("nobodys_landmarks")
    command = "`kedro run --pipelines landmarks --params dataset=nobodys`"
    assert f"is not there; make it by {command}" in readable(caught.value)


def test_the_chosen_methods_are_trained_and_put_beside_each_other() -> None:
    from openfer.pipeline_registry import register_pipelines

    try:
        choose({"compared": ["baseline", "fdrl_eca", "oadn"]})
        pipelines = register_pipelines()
        compare = next(node for node in pipelines["evaluation"].nodes if node.name == "summary.compare")
        assert compare.inputs[::2] == ["baseline_predictions", "fdrl_eca_predictions", "oadn_predictions"]
        trained = {node.name for node in pipelines["__default__"].nodes if node.name.endswith(".train")}
        assert trained == {"baseline.train", "fdrl_eca.train", "oadn.train"}
    finally:
        choose({})


def test_the_default_run_renders_no_set_that_it_does_not_use(pipelines: dict[str, Pipeline]) -> None:
    def rendered(name: str) -> set[str]:
        return {node.name for node in pipelines[name].nodes if node.name.endswith(".render")}

    assert rendered("__default__") == {f"synthetic_{name}.render" for name in ("pie", "raf", "fer")}
    assert rendered("synthesize") == rendered("__default__") | {"synthetic_sequences.render"}


@pytest.mark.parametrize("compared", ["baseline", ["baseline"], ["baseline", "adl"], ["addl", "addl"]])
def test_a_choice_of_methods_that_cannot_be_compared_is_refused(compared: object) -> None:
    with pytest.raises(
        ParameterError, match=r"compared is .*; give a list of two or more methods.* addl, addl_va, baseline"
    ):
        choose({"compared": compared})


def test_the_chosen_dataset_is_the_one_in_the_lineage(pipelines: dict[str, Pipeline]) -> None:
    from openfer.pipelines.template import method_pipeline

    try:
        choose({"baseline": {"datasets": ["mine"]}})
        assert {"mine_rows@table", "mine_faces", "mine_split"} <= method_pipeline("baseline").inputs()
    finally:
        choose({})


def test_dvc_stages_run_pipelines_that_exist_and_own_their_outputs(
    catalog: CatalogProtocol, pipelines: dict[str, Pipeline]
) -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    for name, stage in stages.items():
        assert stage["cmd"] == f"kedro run --pipelines {name}"
        for dependency in stage["deps"]:
            assert dependency.startswith("data/") or (ROOT / dependency).exists(), dependency
    owned = [Path(out) for stage in stages.values() for entry in stage["outs"] for out in entry]
    for dataset in names_of_files(pipelines):
        if dataset.endswith(".work"):
            continue
        d = catalog.get(dataset)
        place = Path(getattr(d, "_filepath", None) or d._path)
        relative = place.relative_to(ROOT) if place.is_absolute() else place
        assert sum(relative.is_relative_to(out) for out in owned) == 1, f"{dataset} at {relative}"


def test_listing_pipelines_loads_no_torch() -> None:
    script = (
        "import sys; from openfer.pipeline_registry import register_pipelines; register_pipelines();"
        "heavy = {'torch', 'sklearn', 'plotly', 'matplotlib', 'mlflow', 'warp'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert said.strip() == "[]"
