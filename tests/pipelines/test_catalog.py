"""The project's frame: every name is a file with a layer, every stage a pipeline, every method a pipeline."""

import inspect
import subprocess
import sys
from collections.abc import Iterator

import pytest
from kedro.framework import project
from kedro.framework.context import KedroContext
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.io import CatalogProtocol, DatasetError
from kedro.pipeline import Pipeline

from openfer.cli import readable
from openfer.errors import ParameterError
from openfer.methods.contract import EXTRA_SHAPES
from openfer.methods.declaration import METHODS
from openfer.pipelines import planned
from openfer.pipelines.evaluation.pipeline import comparison_pipeline
from openfer.pipelines.run_pipeline import runs_pipeline
from tests.pipelines.conftest import ROOT
from tests.pipelines.plans import project_plan, unslugged

EXTRAS = tuple(f"_{name}" for name in EXTRA_SHAPES)


@pytest.fixture(scope="module")
def context() -> Iterator[KedroContext]:
    bootstrap_project(ROOT)
    with KedroSession.create(ROOT, env="base") as session:
        yield session.load_context()
    planned._handed.clear()


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


def test_kedro_viz_can_show_the_code_of_every_node(pipelines: dict[str, Pipeline]) -> None:
    from kedro_viz.models.flowchart.model_utils import _extract_wrapped_func

    functions = {node.func.__name__: node.func for pipeline in pipelines.values() for node in pipeline.nodes}
    assert len(functions) > 40
    for name, function in functions.items():
        assert f"def {name}(" in inspect.getsource(_extract_wrapped_func(function))


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


def test_every_method_has_a_pipeline_of_its_requested_run(
    context: KedroContext, pipelines: dict[str, Pipeline]
) -> None:
    for name in METHODS:
        (trains,) = [node.name for node in pipelines[name].nodes if unslugged(node.name) == f"{name}.train"]
        slug = trains.split(".")[1]
        assert context.params["runs"][slug].method == name


def test_addl_brings_all_that_it_needs_from_the_first_face(pipelines: dict[str, Pipeline]) -> None:
    outside = {name for name in pipelines["addl"].inputs() if not name.endswith(".work")}
    kinds = sorted(name.removeprefix("params:runs.").partition("-")[0] for name in outside if "runs." in name)
    assert kinds == ["addl", "dfem"]
    assert {name for name in outside if "runs." not in name} == {"params:synthetic", "params:protocol"}


def test_every_method_gets_the_extras_that_it_asks_for(pipelines: dict[str, Pipeline]) -> None:
    for name in METHODS:
        nodes = {unslugged(node.name): node for node in pipelines[name].nodes}
        declared = METHODS[name]
        known = {"landmarks": "known_landmarks"}  # the renderer says them
        expected = [f"synthetic_fer_{known.get(extra, extra)}" for extra in declared.extras]
        after = ("predict", "publish", *(["grad_cam"] if declared.looks_at_pixels else [])) if declared.tasks else ()
        for node in ("train", "augmented", *after):
            assert [i for i in nodes[f"{name}.{node}"].inputs if i.endswith(EXTRAS)] == expected, node
        assert (f"{name}.grad_cam" in nodes) == (bool(declared.tasks) and declared.looks_at_pixels)
        made = {f"synthetic_fer_{extra}" for extra in declared.extras if extra != "landmarks"}
        assert made <= {output for node in nodes.values() for output in node.outputs}


def test_landmarks_of_a_set_that_is_not_rendered_are_those_that_were_found() -> None:
    plan = project_plan(oadn={"datasets": ["mine"]})
    inputs = runs_pipeline(plan.requested["oadn"], plan.datasets).inputs()
    assert {"mine_landmarks", "mine_rows@table", "mine_faces"} <= inputs


def test_nodes_of_a_run_lie_in_a_box_of_the_method_with_the_run_within(pipelines: dict[str, Pipeline]) -> None:
    slug = project_plan().requested["baseline"][0].slug
    own = [node for node in pipelines["baseline"].nodes if f"run-{slug}" in node.tags]
    assert {node.namespace for node in own} == {f"baseline.{slug}"}
    assert {f"baseline.{slug}.{name}" for name in ("train", "predict", "evaluate", "finish")} <= {n.name for n in own}


def test_each_seed_is_a_run_of_its_own_beside_the_others_and_what_all_need_is_there_once() -> None:
    plan = project_plan(addl={"seeds": 2}, dfem={"datasets": ["synthetic_raf"]})
    nodes = [node.name for node in runs_pipeline(plan.requested["addl"], plan.datasets).nodes]
    count = {name: len([node for node in nodes if unslugged(node) == name]) for name in ("addl.train", "dfem.train")}
    assert count == {"addl.train": 2, "dfem.train": 2}  # a prerequisite has the seed of its run
    assert len([node for node in nodes if node == "synthetic_fer.render"]) == 1
    assert len(set(nodes)) == len(nodes)


def test_missing_landmarks_are_one_error_with_the_command_that_finds_them(catalog: CatalogProtocol) -> None:
    with pytest.raises(DatasetError) as caught:
        catalog.load("nobodys_landmarks")
    command = "`kedro run --pipelines landmarks --params dataset=nobodys,landmarks.use.landmarker=heatmap`"
    assert f"is not there; make it by {command}" in readable(caught.value)


def test_the_compared_methods_are_trained_and_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    from openfer.pipeline_registry import register_pipelines

    plan = project_plan(compared_methods=["baseline", "fdrl_eca", "oadn"], oadn={"seeds": 2})
    (compare,) = [node for node in comparison_pipeline(plan).nodes if node.name == "summary.compare"]
    assert [name.partition("-s")[0] for name in compare.inputs] == ["baseline", "fdrl_eca", "oadn", "oadn"]
    monkeypatch.setattr(planned, "_handed", [plan])
    nodes = [node.name for node in register_pipelines()["__default__"].nodes]
    trained = sorted(unslugged(name) for name in nodes if name.endswith(".train"))
    assert trained == ["baseline.train", "fdrl_eca.train", "oadn.train", "oadn.train"]
    assert "summary.compare" in nodes


def test_a_command_makes_those_pipelines_alone_that_it_names(pipelines: dict[str, Pipeline]) -> None:
    from openfer.pipeline_registry import pipeline_names, register_pipelines

    assert set(pipelines) == set(pipeline_names())
    try:
        project.pipelines.set_requested(["report", "baseline", "nowhere"])
        found = register_pipelines()
        project.pipelines.set_requested(["report", "__default__"])
        assert set(register_pipelines()) == set(pipelines)
    finally:
        project.pipelines.set_requested(None)
    assert set(found) == {"report", "baseline"}
    assert found["baseline"].nodes == pipelines["baseline"].nodes


def test_the_default_run_renders_no_set_that_it_does_not_use(pipelines: dict[str, Pipeline]) -> None:
    def rendered(name: str) -> set[str]:
        return {node.name for node in pipelines[name].nodes if node.name.endswith(".render")}

    assert rendered("__default__") == {f"synthetic_{name}.render" for name in ("pie", "raf", "fer")}
    assert rendered("synthesize") == rendered("__default__") | {"synthetic_sequences.render"}


@pytest.mark.parametrize("compared", ["baseline", ["baseline"], ["baseline", "adl"], ["addl", "addl"]])
def test_a_choice_of_methods_that_cannot_be_compared_is_refused(compared: object) -> None:
    with pytest.raises(
        ParameterError, match=r"compared_methods is .*; give a list of two or more methods.* addl, addl_va, baseline"
    ):
        project_plan(compared_methods=compared)


def test_the_chosen_dataset_is_the_one_in_the_lineage() -> None:
    plan = project_plan(baseline={"datasets": ["mine"]})
    inputs = runs_pipeline(plan.requested["baseline"], plan.datasets).inputs()
    assert {"mine_rows@table", "mine_faces", "mine_split"} <= inputs


def test_listing_pipelines_loads_no_torch() -> None:
    script = (
        "import sys; from openfer.pipeline_registry import register_pipelines; register_pipelines();"
        "heavy = {'torch', 'sklearn', 'plotly', 'matplotlib', 'mlflow', 'warp'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert said.splitlines()[-1] == "[]"  # below what Kedro says of its log
