import numpy as np
import pandas as pd
import pytest
from tests.protocols.people import laboratory, names

from openfer.errors import DataError
from openfer.protocols.deduplicated import deduplicated
from openfer.protocols.folds import subject_folds


def pairs_of(*couples):
    return pd.DataFrame(couples, columns=["sample_id_1", "sample_id_2"]).assign(distance=3)


def split_of(**roles):
    return pd.DataFrame({"sample_id": list(roles), "fold": 0, "role": list(roles.values())})


def test_a_test_image_with_a_copy_in_train_or_val_is_taken_out(caplog):
    caplog.set_level("INFO")
    split = split_of(a="train", b="val", c="test", d="test", e="test", f="test")
    kept = deduplicated(split, pairs_of(("a", "c"), ("d", "b"), ("e", "f"), ("a", "b")))
    assert list(kept.sample_id) == ["a", "b", "e", "f"]
    assert "2 of 4 test images" in caplog.text


def test_each_fold_is_cleaned_by_its_own_training_side():
    split = pd.concat([split_of(a="train", b="test", c="test"), split_of(a="test", b="test", c="train").assign(fold=1)])
    kept = deduplicated(split, pairs_of(("a", "b")))
    assert list(kept[kept.fold == 0].sample_id) == ["a", "c"]
    assert list(kept[kept.fold == 1].sample_id) == ["a", "b", "c"]


@pytest.mark.parametrize("seed", range(3))
def test_training_is_untouched_and_no_test_image_keeps_a_copy_there(seed):
    rows = laboratory(names(30), seed)
    split = subject_folds(rows, 5, 0.2, seed)
    generator = np.random.default_rng(seed)
    couples = [tuple(sorted(generator.choice(rows.sample_id, 2, replace=False))) for _ in range(60)]
    kept = deduplicated(split, pairs_of(*couples))
    learned = split[split.role != "test"].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept[kept.role != "test"].reset_index(drop=True), learned)
    for fold, whole in split.groupby("fold"):
        role = dict(zip(whole.sample_id, whole.role, strict=True))
        copied = {
            name
            for couple in couples
            for name, other in (couple, couple[::-1])
            if role[name] == "test" and role[other] != "test"
        }
        tested = set(kept[(kept.fold == fold) & (kept.role == "test")].sample_id)
        assert tested == {name for name, part in role.items() if part == "test"} - copied


def test_without_pairs_nothing_changes():
    split = split_of(a="train", b="val", c="test")
    pd.testing.assert_frame_equal(deduplicated(split, pairs_of()), split)


def test_an_emptied_test_set_is_an_error():
    with pytest.raises(DataError, match="all test images of fold 0"):
        deduplicated(split_of(a="train", b="val", c="test"), pairs_of(("a", "c")))
