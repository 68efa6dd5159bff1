"""Configuration in layers: conf/local is obeyed under every environment but base, and the command line above all."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from openfer.errors import ParameterError
from openfer.nn.weight_manifest import with_weights
from openfer.runs.project import Plan, plan
from openfer.settings import CONFIG_LOADER_ARGS, CONFIG_LOADER_CLASS
from tests.pipelines.conftest import ROOT

ENVIRONMENTS = [None, "local", "paper"]


@pytest.fixture(scope="module")
def conf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's own configuration, with a user's files in conf/local."""
    path = tmp_path_factory.mktemp("layers") / "conf"
    shutil.copytree(ROOT / "conf", path, ignore=shutil.ignore_patterns("local"))
    (path / "local").mkdir()
    for name, text in {
        "parameters.yml": "raf_db: {root: mine/raf_db}\ndfem: {datasets: [multi_pie, raf_db]}\naddl: {seeds: [0, 4]}\n",
        "weights.yml": "msceleb_resnet18: {path: mine/msceleb.pth}\n",
        "mlflow.yml": "enabled: false\n",
        "globals.yml": "data_root: mine/data\nimages: {crop: 200}\n",
        "catalog.yml": "runs: {type: MemoryDataset}\n",
    }.items():
        (path / "local" / name).write_text(text)
    return path


def loader(conf: Path, environment: str | None, **typed: Any) -> Any:
    return CONFIG_LOADER_CLASS(str(conf), env=environment, runtime_params=typed, **CONFIG_LOADER_ARGS)


def planned(conf: Path, environment: str | None, **typed: Any) -> Plan:
    read = loader(conf, environment, **typed)
    return plan(with_weights(read["parameters"], read["weights"]))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_local_parameters_are_obeyed_under_every_environment(conf: Path, environment: str | None) -> None:
    made = planned(conf, environment)
    assert made.datasets.blocks["raf_db"]["root"] == "mine/raf_db"
    assert [run.settings.seed for run in made.requested["addl"]] == [0, 4]
    assert made.requested["dfem"][0].settings.datasets == ("multi_pie", "raf_db")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_local_weights_tracking_catalog_and_globals_are_obeyed_under_every_environment(
    conf: Path, environment: str | None
) -> None:
    read = loader(conf, environment)
    weights = read["weights"]["msceleb_resnet18"]
    assert (weights["path"], weights["architecture"]) == ("mine/msceleb.pth", "resnet18")  # one key, not the entry
    assert read["mlflow"]["enabled"] is False
    assert read["catalog"]["runs"]["type"] == "MemoryDataset"
    assert read["catalog"]["landmarks_history"]["filepath"].startswith("mine/data/")
    assert read["globals"]["data_root"] == "mine/data"
    images = read["parameters"]["baseline"]["images"]
    assert (images["crop"], images["size"]) == (200, 256 if environment == "paper" else 112)


def test_the_command_line_stands_above_local_files(conf: Path) -> None:
    made = planned(conf, "paper", addl={"seeds": [7]}, raf_db={"root": "typed"})
    assert [run.settings.seed for run in made.requested["addl"]] == [7]
    assert made.datasets.blocks["raf_db"]["root"] == "typed"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_global_that_nothing_reads_is_one_mistake_with_the_nearest_name(
    tmp_path: Path, environment: str | None
) -> None:
    shutil.copytree(ROOT / "conf", tmp_path / "conf", ignore=shutil.ignore_patterns("local"))
    own = tmp_path / "conf/local/globals.yml"
    own.parent.mkdir()
    own.write_text("_side: 80\nimage_sise: ${_side}\n")
    with pytest.raises(
        ParameterError, match=r"conf/local have 'image_sise', .* did you mean 'image_size'\? The globals"
    ):
        loader(tmp_path / "conf", environment)
    own.write_text("_side: 80\nimage_size: ${_side}\n")
    assert loader(tmp_path / "conf", environment)["globals"]["image_size"] == 80


def test_a_global_of_an_environment_alone_is_a_mistake_there(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "conf", tmp_path / "conf", ignore=shutil.ignore_patterns("local"))
    with (tmp_path / "conf/paper/globals.yml").open("a") as file:
        file.write("backbones: none\n")
    with pytest.raises(ParameterError, match=r"conf/paper have 'backbones', .* did you mean 'backbone'\?"):
        loader(tmp_path / "conf", "paper")
    assert loader(tmp_path / "conf", "carried")["globals"]["image_size"] == 144


def test_base_asked_for_by_name_is_the_same_on_every_machine(conf: Path) -> None:
    assert loader(conf, "base")["globals"]["data_root"] == "data"
    assert planned(conf, "base").requested["dfem"][0].settings.datasets == ("synthetic_pie", "synthetic_raf")


def test_without_a_local_folder_the_environment_stands_alone(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "conf", tmp_path / "conf", ignore=shutil.ignore_patterns("local"))
    assert loader(tmp_path / "conf", "paper")["globals"]["image_size"] == 256
    assert loader(tmp_path / "conf", None)["globals"]["image_size"] == 72


def test_the_paper_s_results_lie_apart_from_the_default_s_and_read_the_same_copies() -> None:
    arguments = CONFIG_LOADER_ARGS | {"local_env": None}
    base, paper = (CONFIG_LOADER_CLASS(str(ROOT / "conf"), env=name, **arguments) for name in ("base", "paper"))
    assert Path(paper["globals"]["data_root"]) != Path(base["globals"]["data_root"])
    assert paper["parameters"]["raf_db"]["root"] == base["parameters"]["raf_db"]["root"] == "data/01_raw/raf_db/basic"
    assert paper["weights"]["imagenet_resnet18"]["path"] == base["weights"]["imagenet_resnet18"]["path"]
