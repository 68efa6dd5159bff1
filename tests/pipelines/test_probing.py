"""A run's features are asked before and after, on people whom it has never seen."""

import numpy as np
import pytest
import torch

from openfer.errors import DataError
from openfer.io.checkpoint import Checkpoint
from openfer.pipelines.probing import probe_run
from openfer.pipelines.sources import Source
from openfer.pipelines.train import fresh
from openfer.runs.settings import RunSettings
from openfer.schemas import INDEPENDENCE, PROBES
from openfer_faces.synthetic.truths import truths
from tests.methods.networks import build_dfem, checkpoint_of

TRAINED = 3
"""People who train; five are left to be asked about."""


def run_of(method, seed=0, **settings):
    images, training = {"crop": 64}, {"device": "cpu", "precision": "float32", "workers": 0, "selections": ["last"]}
    given = {"method": method, "datasets": ["synthetic_fer"], "seed": seed, "images": images, "training": training}
    return RunSettings.model_validate(given | {"settings": settings})


def models_of(run, classes):
    """Weights of another seed stand for what training has made of the first ones."""
    trained, _ = fresh(run.model_copy(update={"seed": 1}), classes)
    facts = {"classes": {task: list(names) for task, names in classes.items()}, "selection": "last"}
    return {"last": lambda: Checkpoint(trained.own_state(), facts | {"main_selection": True})}


@pytest.fixture
def tables(tiny_faces):
    rows = tiny_faces.scenes.assign(licence="none", subject=tiny_faces.scenes["person"])
    role = np.where(np.arange(len(rows)) < 7 * TRAINED, "train", "test")
    return rows, tiny_faces.store, rows[["sample_id"]].assign(fold=0, role=role)


def probed(run, classes, tables, known):
    """Return what was measured of a run of one dataset, without prerequisites."""
    (name,) = run.datasets
    return probe_run(run, models_of(run, classes), {name: Source(*tables)}, {name: known}, {})


@pytest.fixture
def known(tiny_faces):
    return truths("synthetic_fer", tiny_faces.scenes)


def test_addl_is_asked_for_both_features_before_and_after_without_its_dfem(tables, known, tiny_faces):
    run, classes = run_of("addl"), {"expression": tiny_faces.classes("expression")}
    found = probed(run, classes, tables, known)
    probes, independence = PROBES.validate(found.probes), INDEPENDENCE.validate(found.independence)
    assert set(zip(probes["when"], probes["part"], strict=True)) == {
        (when, part) for when in ("before", "after") for part in ("expression", "disturbance")
    }
    assert {"expression", "identity"} <= set(probes["factor"])
    assert (probes.loc[probes["factor"] == "expression", "n"] == 35).all()
    assert (probes["people"] <= 5).all()
    assert independence["measure"].tolist() == ["hsic", "mine"] * 2
    assert independence.loc[independence["measure"] == "hsic", "p_value"].notna().all()


def test_a_method_with_one_feature_has_nothing_to_be_independent_of(tables, known, tiny_faces):
    run, classes = run_of("baseline"), {"expression": tiny_faces.classes("expression")}
    found = probed(run, classes, tables, known)
    assert set(found.probes["part"]) == {"expression"}
    assert INDEPENDENCE.validate(found.independence).empty


def test_the_weights_before_training_are_those_that_training_begins_with(tiny_faces):
    """The DFEM that training loads draws random numbers too, behind all of the method's own."""
    run, classes = run_of("addl"), {"expression": tiny_faces.classes("expression")}
    alone, with_dfem = fresh(run, classes)[0], fresh(run, classes, {"dfem": checkpoint_of(build_dfem())})[0]
    one, other = alone.own_state(), with_dfem.own_state()
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_people_who_train_too_are_refused(tables, known, tiny_faces):
    rows, store, split = tables
    mixed = split.assign(role=np.where(np.arange(len(split)) % 2, "train", "test"))
    run, classes = run_of("baseline"), {"expression": tiny_faces.classes("expression")}
    with pytest.raises(DataError, match="8 of the tested people of synthetic_fer train too, the first person_00000"):
        probed(run, classes, (rows, store, mixed), known)
