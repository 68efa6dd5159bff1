"""The script that is prepared for a machine with a GPU runs on the CPU, and says what it does not know."""

import json
from pathlib import Path

import pytest
import torch

from tests.prepared import interpreter

pytestmark = pytest.mark.slow

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    file = tmp_path_factory.mktemp("gpu") / "gpu.json"
    with interpreter() as python, pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        patch.setattr("sys.executable", python)
        import gpu

        patch.setattr("sys.argv", ["gpu.py", "--small", "--methods", "baseline", "--out", str(file)])
        gpu.main()
    return file


@pytest.fixture(scope="module")
def result(file):
    return json.loads(file.read_text())


def records(result):
    for value in result.values():
        if isinstance(value, dict):
            yield value
        elif isinstance(value, list):
            yield from value


def test_every_part_has_records(result):
    assert result["complete"] is True
    studied = {"study", "study_nodes", "study_rows"}
    parts = {"machine", "tests", "limits", "input", "training_with_input", "training", *studied}
    assert {name for name, value in result.items() if isinstance(value, (dict, list))} == parts
    assert {row["arithmetic"] for row in result["training"]} == set(result["limits"]) - {"rows", "unknown"}


def test_a_figure_is_null_exactly_where_a_reason_says_why(result):
    found = list(records(result))
    for row in found:
        # which CUDA this torch was built for is a fact, and null is its value without one
        assert {name for name, value in row.items() if value is None} - {"cuda"} == set(row["unknown"])
        assert all(row["unknown"].values())
    assert any(row["unknown"] for row in found)


def test_float32_is_measured_on_every_machine(result):
    (row,) = (row for row in result["training"] if row["arithmetic"] == "float32")
    assert row["images_per_second"] > 0
    assert row["tflops"] == pytest.approx(row["share_of_limit"] * result["limits"]["float32"])
    assert row["unknown"].keys() == {"peak_bytes", "counted_bytes", "joules_per_image"}


def test_a_whole_study_is_rendered_trained_and_compared(result):
    (row,) = result["study_rows"]
    assert row["row"] == "Baseline"
    assert row["n"] == 2 * 7
    assert row["accuracy"] == pytest.approx(100 * round(row["accuracy"] * 14 / 100) / 14)
    seconds = {found["node"].rpartition(".")[2]: found["seconds"] for found in result["study_nodes"]}
    assert {"render", "train", "predict"} <= seconds.keys()
    assert 0 < row["training_seconds"] < seconds["train"] < result["study"][0]["seconds"]


def test_a_study_for_which_no_time_is_left_says_so(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from gpu_records import NO_TIME, Clock
    from gpu_study import SMALL, study_records

    found = list(study_records(SMALL, ["baseline", "addl", "geometry"], "cpu", Clock(0)))
    assert [part for part, _ in found] == ["study", *["study_rows"] * 3]
    assert {why for _, record in found for why in record["unknown"].values()} == {NO_TIME}
    assert {record["seconds"] if part == "study" else record["accuracy"] for part, record in found} == {None}


def test_an_arithmetic_leaves_no_trace(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from gpu_training import ARITHMETICS

    def precisions():
        return torch.backends.cuda.matmul.fp32_precision, torch.backends.cudnn.conv.fp32_precision

    before = precisions()
    for name, rounded in (("tf32", "tf32"), ("float32", "ieee")):
        with ARITHMETICS[name].used():
            assert precisions() == (rounded, rounded)
        assert precisions() == before


def test_the_cost_of_a_study_takes_the_measured_rate(file, result, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import cost

    (row,) = (row for row in result["training"] if row["arithmetic"] == "bfloat16")
    measured = cost.of_measured(file)
    assert measured == {"baseline": row["images_per_second"]}
    runs = [run for run in cost.studied("five_papers") if run.method == "baseline"]
    images = len(runs) * 40 * 12_271
    hours = images / measured["baseline"] / 3600
    line = cost.table(runs, cost.Assumptions(300, 0.25, 20, euros=2), measured)[2]
    assert line == f"| baseline | 3 | {images / 1e6:.1f} M | {hours:,.1f} | {2 * hours:,.0f} | measured |"
