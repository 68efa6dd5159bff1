"""Failures over sequences: measured where a dataset is split for it, from the first face to the picture."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from openfer.evaluation.predictions import predictions_table
from openfer.labels import BASIC_EXPRESSIONS
from openfer.pipelines.run_pipeline import runs_pipeline
from openfer.protocols.stability import stability_split
from openfer_faces.synthetic.sets import rows
from tests.conftest import TinyFaces
from tests.pipelines.conftest import Project
from tests.pipelines.in_process import Workshop
from tests.pipelines.plans import method_nodes, project_plan
from tests.pipelines.raw_folders import Pictures, ck_plus

SET = "synthetic_sequences"
SIX = tuple(name for name in BASIC_EXPRESSIONS if name != "neutral")


def measures(name: str = "baseline", **changes: Any) -> set[str]:
    return {node for node in method_nodes(name, **changes) if "stability" in node}


def test_stability_is_measured_where_a_dataset_in_use_is_split_for_it() -> None:
    assert measures() == set()
    chosen = {"baseline": {"datasets": [SET]}}
    assert measures(**chosen) == {"baseline.stability", "baseline.stability_picture"}
    assert measures("addl", **chosen) == set()
    both = method_nodes("baseline", baseline={"datasets": ["synthetic_fer", SET]})
    tables = [name for name in both["baseline.stability"].inputs if name.endswith("_rows@table")]
    assert tables == [f"{SET}_rows@table"]


def test_a_read_dataset_is_split_for_it_by_its_own_protocol() -> None:
    block = {"reader": "ck_plus", "root": "x"}
    chosen = {"addl": {"datasets": ["ck_plus"]}}
    assert measures("addl", ck_plus=block | {"protocol": {"kind": "subject_folds"}}, **chosen) == set()
    stable = measures("addl", ck_plus=block | {"protocol": {"kind": "stability", "lists": False}}, **chosen)
    assert stable == {"addl.stability", "addl.stability_picture"}
    assert measures("addl", ck_plus=block, **chosen) == set()


def measured(faces: TinyFaces, wrong: dict[int, str]) -> tuple[pd.DataFrame, list[str], str]:
    """Run both nodes on predictions that are right but in some sequences; returns table, captions, title.

    Args:
        faces: rendered sequences.
        wrong: number of a tested sequence -> four letters: w answers the next expression, any other the true one.
    """
    table = rows(SET, faces.scenes)
    split = stability_split(table, 0.3, 0)
    tested = table[table["sample_id"].isin(split.loc[split["role"] == "test", "sample_id"])]
    true = np.array([SIX.index(name) for name in tested["expression"]])
    shift = np.zeros(len(tested), int)
    for number, letters in wrong.items():
        shift[4 * number : 4 * number + 4] = [letter == "w" for letter in letters]
    shares = np.full((len(tested), 6), 0.02)
    shares[range(len(tested)), (true + shift) % 6] = 0.9
    run = {"fold": 0, "seed": 3, "method": "baseline", "variant": "baseline", "task": "expression"}
    predictions = predictions_table(
        tested["sample_id"].tolist(), shares, SIX, tested["expression"].tolist(), selection="best_val", **run
    )
    plan = project_plan(baseline={"datasets": [SET]})
    (own,) = plan.requested["baseline"]
    given = {
        f"{own.slug}_predictions": predictions.sample(frac=1, random_state=0),
        f"{own.slug}_facts": [{"selection": "best_val", "main_selection": True}],
        f"{SET}_rows@table": table,
        f"{SET}_faces": faces.store,
        f"{SET}_split": split,
    }
    whole = runs_pipeline([own], plan.datasets)
    names = [f"{own.namespace}.{name}" for name in ("stability", "stability_picture")]
    pipeline = whole.filter(node_names=names)
    catalog = DataCatalog({name: MemoryDataset(value, copy_mode="assign") for name, value in given.items()})
    made = SequentialRunner().run(pipeline, catalog)
    figure = made[f"{own.namespace}.stability_picture"].load()
    captions = [axes.get_xlabel() for axes in figure.axes]
    return made[f"{own.namespace}.stability_table"].load(), captions, figure.get_suptitle()


def test_consistent_failures_are_shown_frame_by_frame_up_to_the_peak(tiny_sequences: TinyFaces) -> None:
    table, captions, title = measured(tiny_sequences, {0: "wwww", 2: "wrrr", 3: "rrww"})
    (row,) = table.to_dict("records")
    assert (row["dataset"], row["seed"], row["fc"], row["cfc"]) == (SET, 3, 3, 1)
    assert row["n"] == 6  # twelve sequences; three people, who show each expression once, validate
    assert title.startswith("1 of 1 consistent failure cases of Baseline (best_val, seed 3): of 6 sequences 3 fail, 1")
    assert len(captions) == 5
    assert all(caption.startswith("✗ WRONG: ") for caption in captions[:4])
    assert captions[4] in SIX
    assert captions[0] != f"✗ WRONG: {captions[4]}"


def test_without_consistent_failures_others_are_shown(tiny_sequences: TinyFaces) -> None:
    table, captions, title = measured(tiny_sequences, {2: "wrrr", 3: "rrww"})
    assert table["cfc"].tolist() == [0]
    assert title.startswith("2 of 2 failure cases of Baseline")
    assert [caption[0] for caption in captions] == [*"✗✓✓✓", captions[4][0], *"✓✓✗✗", captions[9][0]]


def test_without_failures_the_picture_says_so(tiny_sequences: TinyFaces) -> None:
    table, captions, title = measured(tiny_sequences, {})
    assert table["fc"].tolist() == [0]
    assert captions == []
    assert "of 6 sequences 0 fail" in title


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop.new(tmp_path_factory.mktemp("stability") / "project")


@pytest.mark.slow
def test_a_method_on_rendered_sequences_ends_with_its_failures(workshop: Workshop) -> None:
    ran = workshop.run("baseline", "synthetic_fer", baseline={"datasets": [SET]}, twice=True)
    assert len(ran) == len(set(ran)), "the second time, all was to be up to date"
    assert any(name.endswith(".stability") for name in ran)
    assert not any(name.startswith("synthetic_fer") for name in ran)
    report = Project(workshop.path).run_folder("08_reporting", "baseline")
    table = pd.read_csv(report / "stability.csv")
    assert set(table["selection"]) == {"best_val", "last"}
    assert ((table["n"] >= table["fc"]) & (table["fc"] >= table["cfc"])).all()
    assert (report / "stability.png").is_file()
    leakage = workshop.table("05_model_input", SET, "leakage.csv").set_index(["kind", "roles"])["verdict"]
    assert leakage[("sequence", "train/test")] == "expected by design"
    assert leakage[("subject", "train/val")] == "none found"


@pytest.mark.slow
def test_the_doctor_knows_the_rendered_sequences(workshop: Workshop, capsys: pytest.CaptureFixture[str]) -> None:
    workshop.run("doctor", SET)
    assert f"This is the expected copy of the embedded set {SET}" in " ".join(capsys.readouterr().out.split())


@pytest.mark.slow
def test_ck_plus_is_split_for_it_by_its_parameters(workshop: Workshop, tiny_sequences: TinyFaces) -> None:
    ck_plus(workshop.raw("ck_plus"), Pictures(tiny_sequences), frames=5)
    protocol = {"kind": "stability", "lists": False, "validation_share": 0.3}
    workshop.describe("ck_plus", protocol=protocol, options={"frames": "all"})
    workshop.run("ingest", "ck_plus")
    split = workshop.split("ck_plus").merge(workshop.rows("ck_plus"), on="sample_id")
    counts = split["role"].value_counts()
    assert counts["test"] == 4 * counts["train"]
    assert set(split.loc[split["role"] == "train", "frame"]) == {5}
    leakage = workshop.table("05_model_input", "ck_plus", "leakage.csv").set_index(["kind", "roles"])["verdict"]
    assert leakage[("near_duplicate", "train/test")] == "expected by design"
    assert workshop.table("05_model_input", "ck_plus", "split_deduplicated.parquet").equals(workshop.split("ck_plus"))
