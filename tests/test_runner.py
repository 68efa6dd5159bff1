"""The runner on small real catalogs: what runs, what is skipped, what is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline, node
from kedro_datasets.json import JSONDataset
from pydantic import Field

from openfer.code_version import trains
from openfer.errors import DataError
from openfer.io.datasets import WorkFolderDataset
from openfer.io.provenance import record_path
from openfer.parameters import FILE, ONLY_PREDICTION, WITHOUT_EFFECT, Settings
from openfer.runner import IdempotentRunner

calls: list[str] = []


class Doubling(Settings):
    factor: int = 2
    workers: int = Field(1, json_schema_extra=WITHOUT_EFFECT)
    fresh: bool = Field(False, json_schema_extra=WITHOUT_EFFECT)
    weights: str = Field("none", json_schema_extra=FILE)
    shown: int = Field(3, json_schema_extra=ONLY_PREDICTION)


def double(raw: list[int], config: Doubling) -> list[int]:
    calls.append("double")
    return [config.factor * number for number in raw]


def count(doubled: list[int]) -> int:
    calls.append("count")
    return len(doubled)


def total(doubled: list[int]) -> int:
    calls.append("total")
    return sum(doubled)


def shown(doubled: list[int], config: Doubling) -> list[int]:
    calls.append("shown")
    return doubled[: config.shown]


PIPELINE = Pipeline(
    [
        node(double, ["raw", "params:config"], "doubled"),
        node(count, "doubled", "number"),
        node(total, "doubled", "sum"),
    ]
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "raw.json").write_text("[1, 2, 3]")
    calls.clear()
    return tmp_path


def run(folder: Path, config: Doubling | None = None, pipeline: Pipeline = PIPELINE, **more: Any) -> list[str]:
    names = ("raw", "doubled", "number", "sum")
    files = {name: JSONDataset(filepath=str(folder / f"{name}.json")) for name in names}
    catalog = DataCatalog({**files, **more, "params:config": MemoryDataset(config or Doubling())})
    calls.clear()
    IdempotentRunner().run(pipeline, catalog)
    return calls.copy()


def test_a_second_run_does_nothing(folder: Path) -> None:
    assert run(folder) == ["double", "count", "total"]
    assert run(folder) == []
    assert json.loads((folder / "sum.json").read_text()) == 12


def test_a_removed_result_is_made_again_and_nothing_else(folder: Path) -> None:
    run(folder)
    (folder / "number.json").unlink()
    assert run(folder) == ["count"]


def test_what_depends_on_a_change_runs_again(folder: Path) -> None:
    run(folder)
    assert run(folder, Doubling(factor=3)) == ["double", "count", "total"]
    (folder / "raw.json").write_text("[5]")
    assert run(folder, Doubling(factor=3)) == ["double", "count", "total"]


def test_a_result_that_comes_out_the_same_changes_nothing_behind_it(folder: Path) -> None:
    run(folder)
    (folder / "doubled.json").unlink()
    assert run(folder) == ["double"]


def test_a_number_of_workers_makes_no_result_stale(folder: Path) -> None:
    run(folder)
    assert run(folder, Doubling(workers=8)) == []


def test_how_a_model_predicts_makes_predictions_stale_and_no_training(folder: Path) -> None:
    training = Pipeline(
        [node(trains(double), ["raw", "params:config"], "doubled"), node(shown, ["doubled", "params:config"], "number")]
    )
    assert run(folder, pipeline=training) == ["double", "shown"]
    assert run(folder, Doubling(shown=1), training) == ["shown"]
    assert run(folder, Doubling(shown=1, factor=5), training) == ["double", "shown"]


def test_a_file_named_by_a_parameter_counts_by_its_content(folder: Path) -> None:
    weights = folder / "weights.pth"
    weights.write_bytes(b"one")
    run(folder, Doubling(weights=str(weights)))
    assert run(folder, Doubling(weights=str(weights.rename(folder / "moved.pth")))) == []
    (folder / "moved.pth").write_bytes(b"two")
    assert run(folder, Doubling(weights=str(folder / "moved.pth"))) == ["double"]


def test_fresh_forces_a_node_but_not_those_behind_it(folder: Path) -> None:
    run(folder)
    assert run(folder, Doubling(fresh=True)) == ["double"]
    assert run(folder) == []


def test_a_result_changed_by_hand_is_refused_with_the_remedy(folder: Path) -> None:
    run(folder)
    (folder / "doubled.json").write_text("[0]")
    with pytest.raises(DataError, match=r"doubled.json has changed since openfer made it .*dvc checkout"):
        run(folder)


def test_a_copied_file_with_other_times_is_still_the_same(folder: Path) -> None:
    run(folder)
    content = (folder / "doubled.json").read_bytes()
    (folder / "doubled.json").write_bytes(content)
    assert run(folder) == []


def test_the_record_says_what_made_the_result(folder: Path) -> None:
    run(folder)
    record = json.loads(record_path(folder / "doubled.json").read_text())
    assert record["parameters"] == {"params:config": {"factor": 2, "weights": "none", "shown": 3}}
    assert list(record["inputs"]) == ["raw"]


def test_a_killed_node_finds_its_work_again_and_a_done_one_leaves_none(folder: Path) -> None:
    def half(raw: list[int], config: Doubling, work: Path) -> list[int]:
        calls.append("resumed" if (work / "half").exists() else "began")
        (work / "half").touch()
        if config.factor == 2 and calls == ["began"]:
            raise KeyboardInterrupt
        return raw

    pipeline = Pipeline([node(half, ["raw", "params:config", "work"], "doubled")])
    work = WorkFolderDataset(filepath=str(folder / "work"))
    with pytest.raises(KeyboardInterrupt):
        run(folder, pipeline=pipeline, work=work)
    assert run(folder, pipeline=pipeline, work=work) == ["resumed"]
    assert not (folder / "work").exists()


def test_work_begun_with_other_parameters_is_not_continued(folder: Path) -> None:
    def half(raw: list[int], config: Doubling, work: Path) -> list[int]:
        calls.append("resumed" if (work / "half").exists() else "began")
        (work / "half").touch()
        if config.factor == 2:
            raise KeyboardInterrupt
        return raw

    pipeline = Pipeline([node(half, ["raw", "params:config", "work"], "doubled")])
    work = WorkFolderDataset(filepath=str(folder / "work"))
    with pytest.raises(KeyboardInterrupt):
        run(folder, pipeline=pipeline, work=work)
    assert run(folder, Doubling(factor=3), pipeline=pipeline, work=work) == ["began"]
