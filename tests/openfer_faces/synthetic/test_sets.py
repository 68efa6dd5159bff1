from typing import Any

import pandas as pd
import pytest

from openfer.errors import ParameterError
from openfer.labels import AGES, BASIC_EXPRESSIONS, EXPRESSIONS, FACTORS, ILLUMINATIONS, POSES, RACES
from openfer.schemas import ROWS
from openfer_faces.synthetic.config import LandmarkSet, SyntheticConfig
from openfer_faces.synthetic.scene.viewpoints import VIEWPOINTS
from openfer_faces.synthetic.sets import SETS, plan, plan_landmarks, rows

LABELLED = {
    "synthetic_pie": {"identity", "illumination", "pose"},
    "synthetic_raf": {"gender", "age", "race"},
    "synthetic_fer": {"expression"},
    "synthetic_sequences": {"expression"},
}


def changed(config: SyntheticConfig, **changes: Any) -> SyntheticConfig:
    return SyntheticConfig.model_validate(config.model_dump() | changes)


@pytest.mark.parametrize("name", SETS)
def test_rows_carry_exactly_the_labels_of_the_set(config: SyntheticConfig, name: str) -> None:
    table = ROWS.validate(rows(name, plan(name, config)))
    for column in (*FACTORS, "expression"):
        if column in LABELLED[name]:
            assert table[column].notna().all(), column
        else:
            assert table[column].isna().all(), column
    assert table["subject"].notna().all()
    assert (table["licence"] == "CC0-1.0").all()


@pytest.mark.parametrize("name", SETS)
def test_the_same_seed_plans_the_same_scenes_and_another_seed_others(config: SyntheticConfig, name: str) -> None:
    scenes = plan(name, config)
    pd.testing.assert_frame_equal(scenes, plan(name, config))
    others = plan(name, changed(config, seed=1))
    assert not set(scenes["sample_id"]) & set(others["sample_id"])


def test_a_scene_is_named_by_its_content_and_not_by_the_size_of_the_set(config: SyntheticConfig) -> None:
    larger = changed(config, fer=config.fer.model_dump() | {"test_people": 5})
    scenes = plan("synthetic_fer", config)
    assert list(scenes["sample_id"]) == list(plan("synthetic_fer", larger)["sample_id"][: len(scenes)])


def test_sets_share_no_person(config: SyntheticConfig) -> None:
    people = [set(plan(name, config)["person_seed"]) for name in SETS]
    assert sum(len(group) for group in people) == len(set.union(*people))


def test_training_and_test_people_are_disjoint(config: SyntheticConfig) -> None:
    table = rows("synthetic_fer", plan("synthetic_fer", config))
    people = table.groupby("partition")["subject"].agg(set)
    assert set(people.index) == {"train", "test"}
    assert (len(people["train"]), len(people["test"])) == (4, 2)
    assert not people["train"] & people["test"]


@pytest.mark.parametrize("images", [7, 10, 3])
def test_expressions_are_balanced_within_people_and_over_them(config: SyntheticConfig, images: int) -> None:
    sizes = config.fer.model_dump() | {"images_per_person": images, "train_people": 9}
    table = rows("synthetic_fer", plan("synthetic_fer", changed(config, fer=sizes)))
    within = pd.crosstab(table["subject"], table["expression"]).reindex(columns=BASIC_EXPRESSIONS, fill_value=0)
    assert (within.max(axis=1) - within.min(axis=1)).max() <= 1
    over = within.sum()
    assert over.max() - over.min() <= 1


def test_pie_people_are_seen_from_every_viewpoint(config: SyntheticConfig) -> None:
    scenes = plan("synthetic_pie", config)
    assert all(set(group["pose"]) == set(POSES) for _, group in scenes.groupby("person"))
    assert all(VIEWPOINTS[row.pose] == (row.yaw, row.pitch) for row in scenes.itertuples())
    assert set(scenes["illumination"]) == set(ILLUMINATIONS)


def test_raf_people_go_through_all_attributes(config: SyntheticConfig) -> None:
    people = plan("synthetic_raf", config).drop_duplicates("person")
    assert len(people.groupby(["gender", "age", "race"])) == 2 * len(AGES) * len(RACES)


def test_wild_scenes_are_named_by_the_nearest_viewpoint(config: SyntheticConfig) -> None:
    scenes = plan("synthetic_raf", config)
    nearest = scenes["pose"].str.removeprefix("yaw").astype(float)
    assert (scenes["yaw"] - nearest).abs().max() <= 7.5
    assert set(scenes["pose"]) <= set(POSES)


def test_the_share_of_occluded_faces_is_as_asked(config: SyntheticConfig) -> None:
    sizes = config.fer.model_dump() | {"train_people": 100}
    scenes = plan("synthetic_fer", changed(config, fer=sizes))
    assert abs((scenes["occluder"] != "none").mean() - 0.3) < 0.05
    assert (plan("synthetic_pie", config)["occluder"] == "none").all()


def test_an_unknown_set_is_refused(config: SyntheticConfig) -> None:
    with pytest.raises(ParameterError, match="synthetic_pie, synthetic_raf, synthetic_fer"):
        plan("synthetic_web", config)


def test_landmarks_are_learned_from_people_of_their_own_in_three_groups(config: SyntheticConfig) -> None:
    sizes = LandmarkSet(
        **{"seed": 0, "image_size": 48, "train_people": 5, "calibration_people": 2, "test_people": 3},
        images_per_person=2,
        mixture=config.fer.mixture,
    )
    scenes = plan_landmarks(sizes)
    people = scenes.groupby("partition")["person_seed"].unique()
    assert {name: len(seeds) for name, seeds in people.items()} == {"train": 5, "val": 2, "test": 3}
    everybody = set(scenes["person_seed"])
    assert len(everybody) == 10
    assert not any(everybody & set(plan(name, config)["person_seed"]) for name in SETS)


def test_a_set_may_hold_every_factor_still_but_identity(config: SyntheticConfig) -> None:
    mixture = config.fer.mixture.model_dump() | {
        **dict.fromkeys(("yaw_std", "pitch_std", "roll_std", "zoom_std", "shift_std"), 0.0),
        **{"occluded_share": 0.0, "flash_share": 0.0, "illumination": "light00"},
    }
    who = {"genders": ["female"], "ages": ["20-39"], "races": ["asian"]}
    scenes = plan("synthetic_fer", changed(config, fer=config.fer.model_dump() | who | {"mixture": mixture}))
    told_apart = {"sample_id", "person", "number", "person_seed", "seed", "expression", "intensity", "partition"}
    assert scenes["person_seed"].nunique() == config.fer.train_people + config.fer.test_people
    assert scenes["expression"].nunique() == len(BASIC_EXPRESSIONS)
    assert {column for column in scenes if scenes[column].nunique() > 1} == told_apart
    first = scenes.iloc[0]
    assert (first["gender"], first["age"], first["race"]) == ("female", "20-39", "asian")
    assert (first["pose"], first["illumination"], first["occluder"]) == ("yaw+0", "light00", "none")


def test_a_share_of_the_images_shows_everyday_movements(config: SyntheticConfig) -> None:
    mixture = config.fer.mixture.model_dump() | {"everyday_share": 0.5}
    sizes = config.fer.model_dump() | {"mixture": mixture, "train_people": 20}
    some = plan("synthetic_fer", changed(config, fer=sizes))["manner"]
    assert 0.35 < (some == "everyday").mean() < 0.65
    assert plan("synthetic_fer", config)["manner"].isna().all()


def test_observers_call_a_weak_expression_partly_neutral_unless_it_is_always_recognised(
    config: SyntheticConfig,
) -> None:
    mixture = config.fer.mixture.model_dump() | {"intensity": {"low": 0.1, "high": 1.0}}
    sizes = config.fer.model_dump() | {"mixture": mixture, "clear_at": {"fear": 0.5, "anger": 0.8}}
    scenes = plan("synthetic_fer", changed(config, fer=sizes))
    votes = pd.DataFrame(ROWS.validate(rows("synthetic_fer", scenes))["votes"].tolist(), columns=list(EXPRESSIONS))
    assert votes.sum(axis=1).tolist() == pytest.approx([1.0] * len(scenes))
    for row, scene in enumerate(scenes.itertuples()):
        clear_at = {"fear": 0.5, "anger": 0.8}.get(scene.expression)
        seen = 1.0 if clear_at is None else min(1.0, scene.intensity / clear_at)
        assert votes.loc[row, scene.expression] == pytest.approx(seen)
        assert scene.expression == "neutral" or votes.loc[row, "neutral"] == pytest.approx(1 - seen)
    assert 0 < votes.loc[scenes["expression"] == "anger", "neutral"].max() < 1


def test_without_observers_rows_hold_no_votes(config: SyntheticConfig) -> None:
    assert rows("synthetic_fer", plan("synthetic_fer", config))["votes"].isna().all()
