"""From rows, faces and splits to what is trained on."""

import pandas as pd
import pytest

from openfer.errors import DataError
from openfer.methods.contract import MISSING
from openfer.pipelines.extras import extra_array
from openfer.pipelines.sources import Source, classes_of, data_version, faces_for, sources_of, with_tested_sides
from openfer.runs.settings import RunSettings
from openfer.training.batches import training_batches
from openfer.training.config import ImageSettings
from openfer.training.sampling import Sampler


@pytest.fixture
def tables(tiny_faces):
    rows = tiny_faces.scenes[["sample_id", "dataset", "expression"]]
    names = rows["sample_id"].to_numpy()
    folds = [
        pd.DataFrame(
            {"sample_id": names, "fold": fold, "role": ["test" if i % 2 == fold else "train" for i in range(56)]}
        )
        for fold in (0, 1)
    ]
    return rows, tiny_faces.store, pd.concat(folds, ignore_index=True)


def test_one_fold_of_a_split_is_trained_and_tested(tables):
    first, second = (Source(*tables).in_fold(fold) for fold in (0, 1))
    assert set(first.role("test")["sample_id"]) == set(second.role("train")["sample_id"])
    assert len(first.role("test")) + len(first.role("train")) == 56


def test_a_fold_that_does_not_exist_is_named_with_those_that_do(tables):
    with pytest.raises(DataError, match=r"has no fold 2, its folds are 0, 1; set the method's fold"):
        Source(*tables).in_fold(2)


def landmarks_of(store):
    return store.table(["sample_id", "points68", "confidence68"])


def test_landmarks_are_found_by_name_whatever_their_order(tiny_faces):
    table = landmarks_of(tiny_faces.store)
    wanted = table["sample_id"].iloc[[5, 2]].reset_index(drop=True)
    found = extra_array("landmarks", table.sample(frac=1, random_state=0), wanted)
    assert found.shape == (2, 68, 3)
    for place, row in enumerate((5, 2)):
        assert (found[place, :, :2].ravel() == table["points68"].iloc[row]).all()
        assert (found[place, :, 2] == table["confidence68"].iloc[row]).all()


def test_faces_without_landmarks_are_named_with_the_command_that_finds_them(tiny_faces):
    table = landmarks_of(tiny_faces.store)
    with pytest.raises(DataError, match=r"2 of 3 faces have no landmarks.*kedro run --pipelines landmarks --params"):
        extra_array("landmarks", table.iloc[2:], table["sample_id"].head(3))


def test_landmarks_without_confidence_are_refused_with_the_landmarker_that_has_one(tiny_faces):
    table = landmarks_of(tiny_faces.store).assign(confidence68=None)
    with pytest.raises(DataError, match=r"landmarks of 3 of 3 faces have no confidence.*landmarker=heatmap"):
        extra_array("landmarks", table, table["sample_id"].head(3))


def test_extras_go_with_their_dataset_and_into_its_version(tables, tiny_faces):
    table = landmarks_of(tiny_faces.store)
    moved = table.assign(points68=[points + 1 for points in table["points68"]])
    kinds = ({}, {"landmarks": table}, {"landmarks": moved})
    plain, seeing, other = ([Source(*tables, extras=extras).in_fold(0)] for extras in kinds)
    versions = [data_version(data) for data in (plain, seeing, other)]
    assert len(set(versions)) == 3
    faces = faces_for(seeing, "train", {}, ImageSettings(crop=64), 0)
    assert (faces.extras["landmarks"] == extra_array("landmarks", table, seeing[0].role("train")["sample_id"])).all()
    assert faces_for(plain, "train", {}, ImageSettings(crop=64), 0).extras == {}


def run_of(method, datasets, **changes):
    block = {"method": method, "datasets": datasets, "seed": 0, "images": {"crop": 64}, "settings": {}}
    return RunSettings.model_validate(block | changes)


def test_an_expression_that_is_left_out_neither_trains_nor_tests(tables):
    run = run_of("baseline", ["a"], leave_out=["fear", "disgust"])
    (source,) = sources_of(run, {"a": Source(*tables)})
    for role in ("train", "test"):
        assert not {"fear", "disgust"} & set(source.role(role)["expression"])
    assert classes_of([source], run.tasks)["expression"] == ("neutral", "happiness", "sadness", "surprise", "anger")
    assert len(source.role("train")) + len(source.role("test")) == 56 * 5 // 7


def test_a_rated_face_of_an_expression_that_is_left_out_stays_without_its_label(tables):
    rows, store, split = tables
    run = run_of("addl_va", ["a"], leave_out=["fear"])
    (source,) = sources_of(run, {"a": Source(rows.assign(valence=0.5, arousal=0.1), store, split)})
    shown = pd.concat([source.role(role) for role in ("train", "test")])
    assert len(shown) == 56
    assert shown["expression"].isna().sum() == 8
    assert "fear" not in set(shown["expression"].dropna())


def test_carved_validation_faces_train_where_none_are_held_out(tables):
    rows, store, split = tables
    first = split[split["fold"] == 0].reset_index(drop=True)
    split = first.assign(role=["val" if i % 4 < 2 else role for i, role in enumerate(first["role"])])
    held = split.loc[split["role"] == "val", "sample_id"]
    published = held.iloc[:5]
    rows = rows.assign(partition=rows["sample_id"].isin(published).map({True: "val", False: "train"}))
    run = run_of("baseline", ["a"], hold_out_validation=False, training={"selections": ["last"]})
    (source,) = sources_of(run, {"a": Source(rows, store, split)})
    assert set(source.role("val")["sample_id"]) == set(published)
    assert set(held) - set(published) <= set(source.role("train")["sample_id"])


def test_best_val_is_refused_where_no_face_is_held_out():
    with pytest.raises(ValueError, match="leaves no face to choose best_val by"):
        run_of("baseline", ["a"], hold_out_validation=False)


def test_what_is_no_expression_cannot_be_left_out():
    with pytest.raises(ValueError, match=r"'joy' is not an expression; the expressions are neutral, happiness"):
        run_of("baseline", ["a"], leave_out=["joy"])


def test_so_many_training_faces_are_drawn_by_the_seed_and_the_tested_ones_stay(tables):
    sources = {"a": Source(*tables)}
    (whole,) = sources_of(run_of("baseline", ["a"]), sources)
    drawn = {}
    for method, seed in (("baseline", 0), ("manet", 0), ("baseline", 1)):
        (source,) = sources_of(run_of(method, ["a"], train_faces=9, seed=seed), sources)
        assert source.role("test").equals(whole.role("test"))
        drawn[method, seed] = source.role("train")["sample_id"].tolist()
        assert len(drawn[method, seed]) == 9
        assert set(drawn[method, seed]) <= set(whole.role("train")["sample_id"])
    assert drawn["baseline", 0] == drawn["manet", 0] != drawn["baseline", 1]


def test_more_training_faces_than_there_are_is_an_error_with_their_number(tables):
    with pytest.raises(DataError, match="train_faces is 29, but there are 28 training faces"):
        sources_of(run_of("baseline", ["a"], train_faces=29), {"a": Source(*tables)})


@pytest.fixture
def of_two_sets(tiny_faces):
    """One set that labels all factors and has no test side, and one that has, with other factors."""
    scenes, store = tiny_faces.scenes, tiny_faces.store
    columns = ["sample_id", "expression", "gender", "race", "identity"]
    rows = scenes[columns].assign(age="20-39", illumination="01", pose="05_1")
    roles = {"pie": ["train", "val"] * 28, "raf": ["train"] * 28 + ["val"] * 14 + ["test"] * 14}
    splits = {name: pd.DataFrame({"sample_id": rows["sample_id"], "fold": 0, "role": of}) for name, of in roles.items()}
    return {name: Source(rows.assign(dataset=name), store, split) for name, split in splits.items()}


LABELS = {"pie": ["identity"], "raf": ["gender", "race"]}


def test_a_dataset_is_learned_for_its_own_factors_alone(of_two_sets):
    run = run_of("dfem", ["pie", "raf"], labels_of=LABELS)
    pie, raf = sources_of(run, of_two_sets)
    assert pie.rows[["gender", "race", "age", "pose"]].isna().all(axis=None)
    assert pie.rows["identity"].notna().all()
    assert raf.rows["identity"].isna().all()
    assert raf.rows["gender"].notna().all()


def test_labels_of_a_task_that_the_method_does_not_learn_are_refused():
    with pytest.raises(ValueError, match="labels_of names shoes, which dfem does not learn; its tasks are gender, age"):
        run_of("dfem", ["pie"], labels_of={"pie": ["shoes"]})


def test_each_factor_is_tested_on_a_dataset_that_labels_it(of_two_sets):
    data, said = with_tested_sides(sources_of(run_of("dfem", ["pie", "raf"], labels_of=LABELS), of_two_sets))
    assert said == "test; val of pie"
    pie, raf = (source.role("test") for source in data)
    assert pie["sample_id"].tolist() == of_two_sets["pie"].role("val")["sample_id"].tolist()
    assert raf["sample_id"].tolist() == of_two_sets["raf"].role("test")["sample_id"].tolist()
    assert pie["identity"].notna().all()
    assert pie["gender"].isna().all()


def test_validation_faces_test_nothing_that_a_test_side_is_labelled_for(of_two_sets):
    data, said = with_tested_sides(sources_of(run_of("baseline", ["pie", "raf"]), of_two_sets))
    assert said == "test"
    assert [len(source.role("test")) for source in data] == [0, 14]


MIXED = {"kind": "by_dataset", "ratio": {"pie": 3, "raf": 1}}


def dfem_of_both(sampling):
    schedule = {"epochs": 1, "batch_size": 8, "learning_rate": 1e-3, "sampling": sampling}
    return run_of("dfem", ["pie", "raf"], labels_of=LABELS, settings={"schedule": schedule})


def test_batches_of_two_sets_hold_the_stated_part_of_each(of_two_sets):
    run = dfem_of_both(MIXED)
    data = sources_of(run, of_two_sets)
    faces = faces_for(data, "train", classes_of(data, run.tasks), run.images, 0)
    sampler = Sampler(run.schedule.sampling, faces.labels["gender"], 0, "dfem", 8, faces.datasets)
    batches = training_batches(sampler, 8, epoch=0, start=0)
    assert len(batches) == len(faces) // 8
    for batch in batches:
        labels = [faces[key].labels for key in batch]
        assert sum(of["identity"] != MISSING for of in labels) == 6
        assert sum(of["gender"] != MISSING for of in labels) == 2


def test_a_ratio_names_the_training_datasets_and_no_others():
    with pytest.raises(ValueError, match=r"ratio names pie, other, but the training datasets are pie, raf"):
        dfem_of_both(MIXED | {"ratio": {"pie": 3, "other": 1}})
