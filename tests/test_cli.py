"""The words of errors on the terminal."""

import errno
from pathlib import Path

import click
import pytest
from kedro.io.core import DatasetError

from openfer.cli import cli, parameters_of, readable
from openfer.errors import DataError, ParameterError, did_you_mean
from openfer.methods.declaration import METHODS
from tests.pipelines.conftest import new_project
from tests.pipelines.in_process import typed

CONTEXT = click.Context(cli.commands["run"])
(OPTION,) = (parameter for parameter in cli.commands["run"].params if parameter.name == "params")


def chained(outer: Exception, inner: Exception) -> Exception:
    try:
        raise outer from inner
    except Exception as error:  # noqa: BLE001  (any of the two kinds under test)
        return error


def test_the_error_behind_a_dataset_error_is_the_one_that_is_shown() -> None:
    error = chained(DatasetError("Failed while loading"), DataError("face a cannot be decoded; replace it"))
    assert readable(error) == "DataError: face a cannot be decoded; replace it"


def test_a_full_disk_behind_a_dataset_error_says_what_to_do() -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "data/table.csv")
    said = readable(chained(DatasetError("Failed while saving"), full))
    assert said.startswith("StorageError: data/table.csv could not be written: no room left")
    assert "run the same command again" in said


def test_a_full_disk_whose_error_has_no_file_names_the_file_of_the_dataset() -> None:
    saving = "mine_split: Failed while saving data to dataset ParquetDataset(filepath=PurePosixPath('data/a.parquet'))"
    said = readable(chained(DatasetError(saving), OSError(errno.ENOSPC, "No space left on device")))
    assert said.startswith("StorageError: data/a.parquet could not be written: no room left")


def test_a_read_only_disk_behind_a_dataset_error_says_what_to_do() -> None:
    refused = OSError(errno.EROFS, "Read-only file system", "data/table.csv")
    said = readable(chained(DatasetError("Failed while saving"), refused))
    assert said.startswith("StorageError: data/table.csv could not be written: Read-only file system")
    assert "run the same command again" in said


def test_a_library_s_error_keeps_its_first_words_and_the_traceback_goes_to_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = readable(
        chained(DatasetError("\n".join(["No such file", *("a line " * 200 for _ in range(50))])), KeyError("x"))
    )
    lines = said.splitlines()
    assert lines[0] == "DatasetError: No such file"
    assert len(lines) <= 8
    assert max(map(len, lines)) < 400
    (log,) = (tmp_path / "logs").iterdir()
    assert lines[-1] == f"The traceback is in {log}"
    assert "Traceback (most recent call last)" in log.read_text()
    assert "KeyError: 'x'" in log.read_text()


def test_a_name_is_found_whatever_its_case() -> None:
    assert did_you_mean("ADDL", ["baseline", "addl"], "the methods are") == "did you mean 'addl'? The methods are"


def test_where_no_name_is_near_the_sentence_goes_on() -> None:
    with pytest.raises(ParameterError, match=r"method 'zzz' does not exist; the methods are addl, addl_va"):
        METHODS["zzz"]


@pytest.mark.slow
def test_an_unknown_pipeline_is_one_line_with_the_nearest_name(tmp_path: Path) -> None:
    said = typed(new_project(tmp_path / "project").path, "--pipelines", "Baseline", expect=1)
    assert "--pipelines names 'Baseline', which does not exist; did you mean 'baseline'? The pipelines are" in said
    assert len(said) < 500


@pytest.mark.slow
@pytest.mark.parametrize(
    ("option", "name", "words"),
    [
        (
            "--env",
            "papr",
            "which is not a folder of {path}/conf; did you mean 'paper'? The environments are base, ",
        ),
        ("--runner", "openfer.runners.RayRuner", "which does not exist; did you mean 'RayRunner'? The runners of"),
        ("--nodes", "baseline.trian", "nodes named ['baseline.trian']; `kedro registry describe baseline` lists"),
        ("--to-outputs", "nothing", "datasets named ['nothing']; `kedro registry describe baseline` lists"),
    ],
)
def test_a_wrong_option_names_what_there_is(tmp_path: Path, option: str, name: str, words: str) -> None:
    project = new_project(tmp_path / "project").path
    said = typed(project, "--pipelines", "baseline", option, name, expect=1)
    assert words.format(path=project) in said


def test_a_list_of_several_values_can_be_typed() -> None:
    typed = "addl.datasets=[raf_db, affectnet],addl.seeds=[0,4],"
    typed += "baseline.training.neighbourhood_mask={threshold: 0.1, noise: 0.3}"
    assert parameters_of(CONTEXT, OPTION, typed) == {
        "addl": {"datasets": ["raf_db", "affectnet"], "seeds": [0, 4]},
        "baseline": {"training": {"neighbourhood_mask": {"threshold": 0.1, "noise": 0.3}}},
    }


def test_parameters_without_brackets_are_read_as_before() -> None:
    assert parameters_of(CONTEXT, OPTION, "dataset=raf_db, addl.seed=1,") == {"dataset": "raf_db", "addl": {"seed": 1}}
    assert parameters_of(CONTEXT, OPTION, "") == {}


def test_a_parameter_without_a_value_is_refused() -> None:
    with pytest.raises(click.UsageError, match="which is not key=value"):
        parameters_of(CONTEXT, OPTION, "addl.seed")


@pytest.mark.parametrize("typed", ["baseline.datasets=[a", 'addl.seed=1,baseline.seed="1', "baseline.settings={a: 1"])
def test_a_value_that_is_not_yaml_is_refused(typed: str) -> None:
    with pytest.raises(click.UsageError, match=r"whose value is not YAML; close its brackets and quotes"):
        parameters_of(CONTEXT, OPTION, typed)
