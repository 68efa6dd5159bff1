import numpy as np
import pandas as pd
import pytest

from openfer.errors import DataError
from openfer.evaluation.probes import TARGETS, probe, probe_summary, probe_table
from openfer.labels import EXPRESSIONS
from openfer.schemas import PROBES, TRUTHS

PEOPLE, EACH, SIZE = 20, 6, 16
RUN = {"method": "addl", "variant": "addl", "selection": "last", "seed": 0}


@pytest.fixture(scope="module")
def truths():
    person = np.repeat(np.arange(PEOPLE), EACH)
    names = [f"person_{number:02d}" for number in person]
    table = pd.DataFrame(
        {
            "sample_id": [f"s{number}" for number in range(len(person))],
            "person": [f"set/{name}" for name in names],
            "expression": np.array(EXPRESSIONS)[np.tile(np.arange(EACH) % 3, PEOPLE)],
            "gender": np.where(person % 2, "male", "female"),
            "age": np.where(person == 0, "70+", "20-39"),  # one old person: nobody to learn from
            "race": np.array(["caucasian", "african", "asian"])[person // 2 % 3],
            "identity": names,
            "illumination": np.where(np.arange(len(person)) % 5, "soft", "hard"),
            "pose": "frontal",
            "occluder": "none",
            "action_units": None,
        }
    )
    return TRUTHS.validate(table)


def of(labels, spread, seed=0):
    """Features that are a point for each class, and noise."""
    draw = np.random.default_rng(seed)
    _, codes = np.unique(labels, return_inverse=True)
    return 3 * draw.normal(size=(codes.max() + 1, SIZE))[codes] + spread * draw.normal(size=(len(codes), SIZE))


def test_what_a_feature_holds_is_read_from_unseen_people_and_what_it_does_not_hold_is_not(truths):
    feature = of(truths["expression"], spread=0.5)
    knows = probe(feature, truths["expression"], truths["person"])
    assert (knows.accuracy, knows.balanced_accuracy) == (1, 1)
    assert (knows.n, knows.people, knows.classes, knows.held_out) == (PEOPLE * EACH, PEOPLE, 3, "people")
    other = probe(feature, truths["race"], truths["person"])
    assert other.balanced_low < other.balanced_chance < other.balanced_high


def test_a_feature_that_knows_people_says_nothing_of_a_label_dealt_to_people_at_random(truths):
    """Faces of one person on both sides would be recognised, and their label with them."""
    feature = of(truths["person"], spread=0.1)
    dealt = np.random.default_rng(1).permutation(PEOPLE) % 2
    labels = pd.Series(np.where(np.repeat(dealt, EACH), "one", "other"))
    assert probe(feature, labels, truths["person"], held_out="images").accuracy == 1
    assert probe(feature, labels, truths["person"]).accuracy < 0.75


def test_identity_is_read_from_other_images_of_the_same_people(truths):
    found = probe(of(truths["person"], spread=0.3), truths["identity"], truths["person"], held_out="images")
    assert (found.accuracy, found.classes, found.held_out) == (1, PEOPLE, "images")
    assert found.chance == found.balanced_chance == pytest.approx(1 / PEOPLE)


def test_noise_gives_chance_the_largest_class_for_one_accuracy_and_one_in_k_for_the_other(truths):
    feature = np.random.default_rng(1).normal(size=(len(truths), SIZE))
    found = probe(feature, truths["illumination"], truths["person"])
    assert (found.chance, found.balanced_chance) == (0.8, 0.5)
    assert found.accuracy == pytest.approx(0.8, abs=0.05)
    assert found.balanced_low < 0.5 < found.balanced_high


def test_a_rare_class_that_is_known_in_part_raises_the_balanced_accuracy_alone(truths):
    """Going by frequencies, a weak sign of a rare class does not outweigh how rare it is."""
    draw = np.random.default_rng(0)
    rare = (truths["illumination"] == "hard").to_numpy()
    feature = draw.normal(size=(len(truths), 1)) + 1.2 * rare[:, None]
    found = probe(feature, truths["illumination"], truths["person"])
    assert found.balanced_accuracy > 0.6
    assert found.accuracy < 0.9


def test_the_interval_is_wider_where_a_label_belongs_to_people_than_where_it_belongs_to_faces(truths):
    """Six faces of one person are right or wrong together."""
    noise = np.random.default_rng(0).normal(size=(len(truths), SIZE))
    gender = probe(of(truths["person"], 0.1), truths["gender"], truths["person"])
    expression = probe(noise, truths["expression"], truths["person"])
    assert gender.balanced_high - gender.balanced_low > expression.balanced_high - expression.balanced_low


def test_the_table_has_a_row_for_every_time_part_and_factor_that_can_be_probed(truths):
    known, noise = of(truths["expression"], 0.5), np.random.default_rng(0).normal(size=(len(truths), SIZE))
    features = {
        "before": {"expression": noise, "disturbance": noise},
        "after": {"expression": known, "disturbance": noise},
    }
    shuffled = truths.sample(frac=1, random_state=0)
    table = PROBES.validate(probe_table(features, truths["sample_id"], shuffled, **RUN))
    probed = [target for target in TARGETS if target not in ("age", "pose")]  # one class; a second one of one person
    assert table["factor"].tolist() == probed * 4
    scores = table.set_index(["when", "part", "factor"])["accuracy"]
    assert scores["after", "expression", "expression"] == 1
    assert scores["before", "disturbance", "race"] == scores["after", "disturbance", "race"]
    assert (table["held_out"] == np.where(table["factor"] == "identity", "images", "people")).all()


def test_two_people_are_enough_for_a_table(truths):
    """One of them trains the probe; there is nobody left to choose its penalty by."""
    few = truths.iloc[: 2 * EACH]
    table = probe_table({"before": {"expression": of(few["expression"], 0.1)}}, few["sample_id"], few, **RUN)
    assert table["factor"].tolist() == ["expression", "identity", "illumination"]
    assert table["accuracy"].iloc[0] == 1


def test_faces_without_truths_and_features_that_are_no_numbers_are_refused(truths):
    feature = np.ones((2, SIZE))
    with pytest.raises(DataError, match="1 of 2 faces have no truths, the first stranger"):
        probe_table({"after": {"expression": feature}}, ["s0", "stranger"], truths, **RUN)
    feature[1, 0] = np.nan
    with pytest.raises(DataError, match="1 of 2 features are not finite"):
        probe(feature, pd.Series(["a", "b"]), pd.Series(["p", "q"]))
    with pytest.raises(DataError, match=r"0 of 2 classes \(a, b\) are shown by 2 people or more"):
        probe(np.ones((2, SIZE)), pd.Series(["a", "b"]), pd.Series(["p", "q"]))


def test_seeds_are_summarised_by_mean_and_deviation(truths):
    features = [of(truths["expression"], spread, seed) for seed, spread in enumerate((0.5, 6))]
    tables = [
        probe_table({"after": {"expression": feature}}, truths["sample_id"], truths, **RUN | {"seed": seed})
        for seed, feature in enumerate(features)
    ]
    scores = [table["accuracy"].iloc[0] for table in tables]
    summary = probe_summary(pd.concat(tables, ignore_index=True))
    first = summary.iloc[0]
    assert (first["factor"], first["seeds"], first["n"]) == ("expression", 2, PEOPLE * EACH)
    assert first["accuracy"] == pytest.approx(np.mean(scores))
    assert first["accuracy_std"] == pytest.approx(np.std(scores, ddof=1))
    tables[1]["n"] -= 1
    with pytest.raises(DataError, match=r"differ in n; .* on the same faces"):
        probe_summary(pd.concat(tables, ignore_index=True))
