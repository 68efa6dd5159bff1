"""A project's runs, written once."""

from pathlib import Path

import pandas as pd
import pytest
from tests.conftest import TinyFaces
from tests.evaluation.made_runs import answers_of, facts_of, write_faces, write_run

from openfer.io.runs import Run, find_runs


@pytest.fixture(scope="session")
def layers(tmp_path_factory: pytest.TempPathFactory, tiny_faces: TinyFaces) -> Path:
    """The folders of three runs on the same faces: a baseline with an oracle, ADDL with two seeds."""
    root = tmp_path_factory.mktemp("layers")
    write_faces(root, tiny_faces.store)
    classes = tiny_faces.classes("expression")
    samples = tiny_faces.scenes["sample_id"].tolist(), tiny_faces.scenes["expression"].tolist(), classes
    baseline = {"method": "baseline", "variant": "baseline"}
    addl = {"method": "addl", "variant": "addl"}
    tables = [
        answers_of(*samples, dict.fromkeys(range(0, 40, 2), 0.6) | {1: 0.95}, **baseline),
        answers_of(*samples, dict.fromkeys(range(0, 20, 2), 0.6), **baseline, selection="oracle_test"),
    ]
    facts = [
        facts_of(**baseline),
        facts_of(**baseline, selection="oracle_test", main_selection=False, epoch=2),
    ]
    write_run(root, "baseline", pd.concat(tables, ignore_index=True), facts, tiny_faces.store)
    for seed in (0, 1):
        wrong = dict.fromkeys(range(0, 10 + 4 * seed, 2), 0.8) | {1: 0.9}
        own = answers_of(*samples, wrong, **addl, seed=seed)
        write_run(root, f"addl_{seed}", own, [facts_of(**addl, seed=seed)], tiny_faces.store)
    return root


@pytest.fixture(scope="session")
def made_runs(layers: Path) -> list[Run]:
    """Those runs."""
    return find_runs(layers)
