import pandas as pd
import pytest

from openfer.errors import DataError, ParameterError
from openfer.protocols.holdout import image_holdout
from openfer.schemas import SPLIT


def faces(identities=12, images=9, dataset="toy", known=True):
    table = [
        {
            "sample_id": f"{dataset}-{person:02d}-{image}",
            "dataset": dataset,
            "identity": f"p{person:02d}" if known else None,
            "subject": None,
            "partition": "train",
        }
        for person in range(identities)
        for image in range(images)
    ]
    return pd.DataFrame(table)


def test_every_identity_is_on_both_sides_with_its_share_rounded_up_or_down():
    rows = faces()
    split = image_holdout(rows, 0.2, seed=0)
    SPLIT.validate(split)
    held = (rows.merge(split, on="sample_id").set_index("identity").role == "val").groupby(level=0).sum()
    assert set(held) <= {1, 2}
    assert abs(held.sum() - 0.2 * len(rows)) <= 1


def test_the_whole_share_holds_although_no_identity_has_enough_images_for_it():
    split = image_holdout(faces(40, 3), 0.1, seed=0)
    assert (split.role == "val").sum() == pytest.approx(12, abs=1)


def test_an_identity_with_one_image_stays_in_training():
    rows = pd.concat([faces(5, 4), faces(200, 1, dataset="singles")], ignore_index=True)
    split = image_holdout(rows, 0.5, seed=0).set_index("sample_id")
    assert (split.loc[rows.sample_id[rows.dataset == "singles"], "role"] == "train").all()


def test_an_identity_never_loses_all_its_training_images():
    rows = faces(50, 2)
    for seed in range(5):
        joined = rows.merge(image_holdout(rows, 0.5, seed), on="sample_id")
        assert (joined.groupby("identity").role.nunique() == 2).all()


def test_unknown_identities_are_held_out_per_dataset():
    rows = pd.concat([faces(10, 10), faces(10, 10, "other", known=False)], ignore_index=True)
    joined = rows.merge(image_holdout(rows, 0.15, seed=0), on="sample_id")
    assert (joined.role == "val").groupby(joined.dataset).sum().between(14, 16).all()


def test_the_subject_stands_in_for_a_missing_identity():
    rows = faces(known=False)
    rows["subject"] = rows.sample_id.str.slice(0, 6)
    joined = rows.merge(image_holdout(rows, 0.3, seed=0), on="sample_id")
    assert (joined.role == "val").groupby(joined.subject).sum().between(2, 3).all()


def test_images_of_the_test_partition_get_no_role():
    rows = faces()
    rows.loc[:20, "partition"] = "test"
    split = image_holdout(rows, 0.2, seed=0)
    assert set(split.role) == {"train", "val"}
    assert not set(rows.sample_id[:21]) & set(split.sample_id)


def test_the_holdout_is_the_same_for_the_same_seed_and_for_any_order_of_rows():
    rows = faces()
    first = image_holdout(rows, 0.2, seed=1).sort_values("sample_id", ignore_index=True)
    again = image_holdout(rows.sample(frac=1, random_state=3), 0.2, seed=1).sort_values("sample_id", ignore_index=True)
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(image_holdout(rows, 0.2, seed=2).sort_values("sample_id", ignore_index=True))


def test_a_share_above_one_half_is_a_parameter_error():
    with pytest.raises(ParameterError, match=r"up to 0\.5"):
        image_holdout(faces(), 0.6, seed=0)


def test_test_images_alone_cannot_be_held_out():
    with pytest.raises(DataError, match="none of the 108 rows is outside the test partition"):
        image_holdout(faces().assign(partition="test"), 0.2, seed=0)


def test_a_share_that_holds_out_nothing_is_an_error():
    with pytest.raises(DataError, match="holds out none of 4 images"):
        image_holdout(faces(4, 1), 0.2, seed=0)
