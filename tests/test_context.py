"""Parameters that only Kedro's nodes ask for, checked in openfer's words."""

from pathlib import Path

import pytest
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.pipeline import Pipeline, node

from openfer.context import typed_parameters
from openfer.errors import ParameterError
from openfer.protocols.config import DatasetProtocol
from tests.pipelines.conftest import new_project
from tests.pipelines.in_process import typed


def split(protocol: DatasetProtocol) -> int:
    return 1


SPLIT = {"ingest": Pipeline([node(split, "params:mine.protocol", "split")])}


@pytest.mark.parametrize(
    ("protocol", "words"),
    [
        ({"kind": "oficial"}, r"mine\.protocol\.kind: should be 'official', .*, found 'oficial'"),
        ({"validation_share": 15}, r"mine\.protocol\.validation_share: should be less than 1, found 15"),
        ({"sead": 1}, r"mine\.protocol\.sead: there is no such parameter; did you mean 'seed'\?"),
        (None, r"mine\.protocol: should be a valid dictionary .*, found None"),
    ],
)
def test_a_mistake_names_the_parameter_the_value_and_the_rule(protocol: object, words: str) -> None:
    with pytest.raises(ParameterError, match=words):
        typed_parameters(SPLIT, {"mine": {"protocol": protocol}})


def test_valid_parameters_become_what_nodes_ask_for() -> None:
    found = typed_parameters(SPLIT, {"mine": {"protocol": {"validation_share": 0.2}}})
    assert found["mine"]["protocol"] == DatasetProtocol(validation_share=0.2)


def test_the_catalog_holds_whole_blocks_and_the_nested_parameters_that_a_node_reads(tmp_path: Path) -> None:
    project = new_project(tmp_path / "project").path
    bootstrap_project(project)
    with KedroSession.create(project) as session:
        held = {name for name in session.load_context().catalog if name.startswith("params:")}
    assert {"params:synthetic", "params:landmarks.use"} <= held
    assert "params:synthetic.fer" not in held
    read = {name for pipeline in pipelines.values() for node in pipeline.nodes for name in node.inputs}
    assert {name for name in held if "." in name} <= read
    assert {name for name in read if name.startswith("params:")} <= held


@pytest.mark.slow
def test_a_command_says_it_in_one_line(tmp_path: Path) -> None:
    project = new_project(tmp_path / "project").path
    (project / "conf/local/parameters/mine.yml").write_text(
        "mine: {reader: folder, root: x, options: {tabel: y.csv}}\n"
    )
    said = typed(project, "--pipelines", "ingest", "--params", "dataset=mine", expect=1)
    assert "Error: ParameterError: mine.options.tabel: there is no such parameter; did you mean 'table'? The " in said
    assert "Traceback" not in said
