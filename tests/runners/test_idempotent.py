"""The runner on small real catalogs: what runs, what is skipped, what is refused."""

import gc
import json
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline, node
from kedro_datasets.json import JSONDataset
from pydantic import Field

from openfer.code_version import gathers
from openfer.errors import DataError, RunError
from openfer.io.datasets import WorkFolderDataset
from openfer.io.provenance import record_path
from openfer.io.runs import Run, RunDataset, RunRecord
from openfer.parameters import FILE, WITHOUT_EFFECT, Settings
from openfer.pipelines.bound import bound
from openfer.pipelines.by_name import by_name, named
from openfer.runners import IdempotentRunner
from openfer.runs.tags import run_tag

calls: list[str] = []


class Doubling(Settings):
    factor: int = 2
    workers: int = Field(1, json_schema_extra=WITHOUT_EFFECT)
    fresh: bool = Field(False, json_schema_extra=WITHOUT_EFFECT)
    weights: str = Field("none", json_schema_extra=FILE)


def double(raw: list[int], config: Doubling) -> list[int]:
    calls.append("double")
    return [config.factor * number for number in raw]


def count(doubled: list[int]) -> int:
    calls.append("count")
    return len(doubled)


def total(doubled: list[int]) -> int:
    calls.append("total")
    return sum(doubled)


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


class Circle:
    """Refers to itself, so that only a collection frees it."""

    def __init__(self) -> None:
        self.itself = self


def test_what_a_node_leaves_behind_is_freed_and_what_outlives_it_is_not_looked_at_again(folder: Path) -> None:
    left: list[weakref.ref[Circle]] = []
    kept = Circle()

    def leave(raw: list[int]) -> int:
        left.append(weakref.ref(Circle()))
        return len(raw)

    before = gc.get_freeze_count()
    run(folder, pipeline=Pipeline([node(leave, "raw", "number")]))
    assert left[0]() is None
    assert gc.get_freeze_count() > before
    assert all(found is not kept for found in gc.get_objects())


def test_a_copied_file_with_other_times_is_still_the_same(folder: Path) -> None:
    run(folder)
    content = (folder / "doubled.json").read_bytes()
    (folder / "doubled.json").write_bytes(content)
    assert run(folder) == []


def test_the_record_says_what_made_the_result(folder: Path) -> None:
    run(folder)
    record = json.loads(record_path(folder / "doubled.json").read_text())
    assert record["parameters"] == {"params:config": {"factor": 2, "weights": "none"}}
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


SLUGS = ("addl-s0-f0-aaaaaa", "addl-s1-f0-aaaaaa", "addl-s2-f0-aaaaaa")
BROKEN: dict[str, str] = {}
"""Errors by node, for one test."""


@pytest.fixture
def broken() -> Iterator[dict[str, str]]:
    yield BROKEN
    BROKEN.clear()


def train(slug: str, raw: list[int]) -> list[int]:
    calls.append(f"train {slug}")
    if f"train {slug}" in BROKEN:
        raise DataError(BROKEN[f"train {slug}"])
    return raw


def score(slug: str, trained: list[int]) -> RunRecord:
    calls.append(f"score {slug}")
    if f"score {slug}" in BROKEN:
        raise ValueError(BROKEN[f"score {slug}"])
    return RunRecord(slug=slug, state="done", settings={}, row="ADDL", scores={"expression": {"accuracy": 0.5}})


def gather(runs: dict[str, Run]) -> list[str]:
    calls.append("gather")
    return [f"{slug} {run.record.state if run.record else 'missing'}" for slug, run in runs.items()]


def models_of(trained: dict[str, list[int]]) -> list[str]:
    calls.append("models_of")
    return list(trained)


def count_of(trained: dict[str, list[int]]) -> int:
    calls.append("count_of")
    return len(trained)


def run_several(folder: Path, *, needs: dict[int, int] | None = None) -> list[str]:
    """Run three runs, and three nodes that gather them; returns what was called.

    Args:
        folder: of all files.
        needs: number of a run -> number of the run that it needs.
    """
    nodes, files = [], {name: JSONDataset(filepath=str(folder / f"{name}.json")) for name in _GATHERED}
    for number, slug in enumerate(SLUGS):
        source = "raw" if number not in (needs or {}) else f"{SLUGS[(needs or {})[number]]}_models"
        steps = ((train, source, f"{slug}_models"), (score, f"{slug}_models", f"{slug}_run"))
        nodes += [
            node(bound(function, slug), given, made, name=f"{slug}.{function.__name__}", tags=[run_tag(slug)])
            for function, given, made in steps
        ]
        files[f"{slug}_models"] = JSONDataset(filepath=str(folder / f"{slug}.json"))
        files[f"{slug}_run"] = RunDataset(path=str(folder), method="addl", slug=slug)
    runs = named("runs", {slug: f"{slug}_run" for slug in SLUGS})
    trained = named("trained", {slug: f"{slug}_models" for slug in SLUGS})
    nodes += [
        node(by_name(gathers(gather), "runs"), runs, "gathered"),
        node(by_name(gathers(models_of), "trained"), trained, "models"),
        node(by_name(count_of, "trained"), trained, "number"),
    ]
    calls.clear()
    IdempotentRunner().run(Pipeline(nodes), DataCatalog(files))
    return calls.copy()


_GATHERED = ("raw", "gathered", "models", "number")


def read(folder: Path, name: str) -> Any:
    return json.loads((folder / f"{name}.json").read_text())


def record_of(folder: Path, slug: str) -> RunRecord | None:
    return Run(folder, slug, "addl").record


def test_a_failing_run_of_several_leaves_the_others_done_and_ends_with_its_error(
    folder: Path, broken: dict[str, str]
) -> None:
    broken[f"train {SLUGS[1]}"] = "face a cannot be decoded; replace it"
    with pytest.raises(DataError, match="face a cannot be decoded"):
        run_several(folder)
    assert f"score {SLUGS[1]}" not in calls
    states = [record.state if record else None for record in (record_of(folder, slug) for slug in SLUGS)]
    assert states == ["done", "failed", "done"]
    failed = record_of(folder, SLUGS[1])
    assert failed is not None
    assert failed.error == "DataError: face a cannot be decoded; replace it"
    assert not record_path(Run(folder, SLUGS[1], "addl").folders[0] / "run.json").exists()


def test_a_gathering_node_goes_on_without_lost_inputs_and_with_the_records_of_failed_runs(
    folder: Path, broken: dict[str, str]
) -> None:
    broken[f"train {SLUGS[1]}"] = "broken"
    with pytest.raises(DataError):
        run_several(folder)
    assert read(folder, "gathered") == [f"{SLUGS[0]} done", f"{SLUGS[1]} failed", f"{SLUGS[2]} done"]
    assert read(folder, "models") == [SLUGS[0], SLUGS[2]]
    assert "count_of" not in calls  # it needs them all


def test_a_run_that_needs_a_failed_one_fails_with_its_reason(folder: Path, broken: dict[str, str]) -> None:
    broken[f"train {SLUGS[0]}"] = "broken"
    with pytest.raises(DataError, match="broken"):
        run_several(folder, needs={1: 0})
    assert {call for call in calls if SLUGS[1] in call} == set()
    record = record_of(folder, SLUGS[1])
    assert record is not None
    assert (record.state, record.error) == ("failed", f"{SLUGS[0]} failed: DataError: broken")
    assert read(folder, "gathered")[1:] == [f"{SLUGS[1]} failed", f"{SLUGS[2]} done"]


def test_several_failures_are_one_error_that_names_each(folder: Path, broken: dict[str, str]) -> None:
    broken |= {f"train {SLUGS[0]}": "one", f"score {SLUGS[2]}": "two"}
    words = rf"2 runs failed and all others are done. {SLUGS[0]}: DataError: one; {SLUGS[2]}: ValueError: two"
    with pytest.raises(RunError, match=words):
        run_several(folder)
    assert read(folder, "gathered") == [f"{SLUGS[0]} failed", f"{SLUGS[1]} done", f"{SLUGS[2]} failed"]


def test_a_repaired_run_runs_again_and_the_others_are_up_to_date(folder: Path, broken: dict[str, str]) -> None:
    broken[f"train {SLUGS[1]}"] = "broken"
    with pytest.raises(DataError):
        run_several(folder)
    broken.clear()
    again = [f"train {SLUGS[1]}", f"score {SLUGS[1]}", "gather", "models_of", "count_of"]
    assert sorted(run_several(folder)) == sorted(again)
    assert read(folder, "gathered") == [f"{slug} done" for slug in SLUGS]
    assert run_several(folder) == []


def test_the_only_run_of_a_command_fails_with_its_error_and_its_record_says_so(
    folder: Path, broken: dict[str, str]
) -> None:
    broken[f"train {SLUGS[0]}"] = "broken"
    record = f"{SLUGS[0]}_run"
    steps = ((train, "raw", "doubled"), (score, "doubled", record))
    pipeline = Pipeline([node(bound(f, SLUGS[0]), i, o, tags=[run_tag(SLUGS[0])]) for f, i, o in steps])
    with pytest.raises(DataError, match="broken"):
        run(folder, pipeline=pipeline, **{record: RunDataset(path=str(folder), method="addl", slug=SLUGS[0])})
    found = record_of(folder, SLUGS[0])
    assert found is not None
    assert (found.state, found.error) == ("failed", "DataError: broken")
