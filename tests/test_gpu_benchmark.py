"""The script that is prepared for a machine with a GPU runs on the CPU, and says what it does not know."""

import json
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    file = tmp_path_factory.mktemp("gpu") / "gpu.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
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
    parts = {"machine", "tests", "limits", "input", "training_with_input", "training"}
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
