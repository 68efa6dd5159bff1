import numpy as np
import pandas as pd
import pytest

from openfer.errors import DataError
from openfer.evaluation.predictions import predictions_table
from openfer.evaluation.stability import answers_by_sequence, stability
from openfer.schemas import complete_rows

CLASSES = ("happiness", "sadness", "anger")
SEVENTH = 7  # frames of each sequence: T-6 to T; the protocol tests T-4 to T-1


def rows_of(sequences, dataset="ck_plus"):
    table = [
        {
            "sample_id": f"{dataset}/{sequence}/{frame}",
            "dataset": dataset,
            "path": "x",
            "sequence": sequence,
            "frame": frame,
            "licence": "none",
        }
        for sequence in sequences
        for frame in range(1, SEVENTH + 1)
    ]
    return complete_rows(pd.DataFrame(table))


def predicted(answers, true, dataset="ck_plus", seed=0, selection="best_val"):
    """Predictions of T-4 to T-1, frames 3 to 6; ``answers`` has four initials for each sequence, such as "hhsa"."""
    initials = {name[0]: place for place, name in enumerate(CLASSES)}
    names = [f"{dataset}/{sequence}/{frame}" for sequence in answers for frame in range(3, 7)]
    places = [initials[letter] for word in answers.values() for letter in word]
    shares = np.full((len(places), len(CLASSES)), 0.1)
    shares[range(len(places)), places] = 0.8
    labels = [next(name for name in CLASSES if name[0] == true[sequence]) for sequence in answers for _ in range(4)]
    return predictions_table(
        names,
        shares,
        CLASSES,
        labels,
        **{"fold": 0, "seed": seed, "method": "sna", "variant": "sna", "selection": selection, "task": "expression"},
    )


BY_HAND = {"a": "hhhh", "b": "shhh", "c": "ssss", "d": "ssaa", "e": "aaaa", "f": "hhhs"}
TRUE = dict.fromkeys("abcdef", "h") | {"e": "a"}


def test_failures_and_consistent_failures_counted_by_hand():
    """a and e are right; b and f fail once, d four times in two ways; only c is taken for sadness throughout."""
    (row,) = stability(predicted(BY_HAND, TRUE), rows_of("abcdef")).to_dict("records")
    assert (row["n"], row["fc"], row["cfc"]) == (6, 4, 1)
    assert (row["fc_share"], row["cfc_share"], row["cfc_of_fc"]) == pytest.approx((4 / 6, 1 / 6, 1 / 4))
    assert [row[f"accuracy_T-{before}"] for before in (4, 3, 2, 1)] == pytest.approx([3 / 6, 4 / 6, 4 / 6, 3 / 6])
    assert (row["method"], row["selection"], row["seed"], row["dataset"]) == ("sna", "best_val", 0, "ck_plus")


def naive(predictions, rows):
    """The definition, sequence by sequence and frame by frame."""
    answers = {row.sample_id: (row.y_true, row.y_pred) for row in predictions.itertuples()}
    frames = {}
    for row in rows.itertuples():
        if row.sample_id in answers:
            frames.setdefault(row.sequence, []).append((row.frame, *answers[row.sample_id]))
    failures = consistent = 0
    right = [0, 0, 0, 0]
    for group in frames.values():
        group.sort()
        wrong = [true != answer for _, true, answer in group]
        failures += any(wrong)
        consistent += all(wrong) and len({answer for _, _, answer in group}) == 1
        for place in range(4):
            right[place] += not wrong[place]
    return len(frames), failures, consistent, [count / len(frames) for count in right]


@pytest.mark.parametrize("seed", range(4))
def test_the_table_is_what_a_loop_over_sequences_counts(seed):
    generator = np.random.default_rng(seed)
    sequences = [f"q{number}" for number in range(40)]
    true = {name: str(generator.choice(list("hsa"))) for name in sequences}
    answers = {name: "".join(generator.choice(list("hsa"), 4, p=[0.7, 0.2, 0.1])) for name in sequences}
    rows = rows_of(sequences).sample(frac=1, random_state=seed)
    predictions = predicted(answers, true).sample(frac=1, random_state=seed + 1)
    (row,) = stability(predictions, rows).to_dict("records")
    n, failures, consistent, right = naive(predictions, rows)
    assert consistent > 0
    assert (row["n"], row["fc"], row["cfc"]) == (n, failures, consistent)
    assert [row[f"accuracy_T-{before}"] for before in (4, 3, 2, 1)] == pytest.approx(right)


def test_runs_and_datasets_stay_apart_and_other_faces_do_not_count():
    rows = pd.concat([rows_of("ab"), rows_of("ab", "oulu_casia")])
    tables = [
        predicted({"a": "hhhh", "b": "ssss"}, TRUE),
        predicted({"a": "hhhs", "b": "hhhh"}, TRUE, "oulu_casia"),
        predicted({"x": "ssss"}, {"x": "h"}, "raf_db"),  # no rows: tested, but not a recording
        predicted({"a": "ssss", "b": "ssss"}, TRUE, seed=1),
    ]
    table = stability(pd.concat(tables), rows).set_index(["seed", "dataset"])
    assert table[["n", "fc", "cfc"]].to_dict("index") == {
        (0, "ck_plus"): {"n": 2, "fc": 1, "cfc": 1},
        (0, "oulu_casia"): {"n": 2, "fc": 1, "cfc": 0},
        (1, "ck_plus"): {"n": 2, "fc": 2, "cfc": 2},
    }


def test_without_failures_no_share_of_them_is_consistent():
    (row,) = stability(predicted({"a": "hhhh"}, TRUE), rows_of("a")).to_dict("records")
    assert (row["fc"], row["cfc"]) == (0, 0)
    assert np.isnan(row["cfc_of_fc"])


def test_each_sequence_says_what_was_answered_in_order():
    shuffled = predicted(BY_HAND, TRUE).sample(frac=1, random_state=1)
    found = answers_by_sequence(shuffled, rows_of("abcdef")).set_index("sequence")
    assert found.loc["d", "y_pred"] == ["sadness", "sadness", "anger", "anger"]
    assert found.loc["d", "sample_ids"] == [f"ck_plus/d/{frame}" for frame in (3, 4, 5, 6)]
    assert found.index[found["failure"]].tolist() == ["b", "c", "d", "f"]
    assert found.index[found["consistent"]].tolist() == ["c"]


def test_a_sequence_with_a_missing_frame_is_an_error():
    whole = predicted(BY_HAND, TRUE)
    with pytest.raises(DataError, match=r"sequence c of ck_plus has the tested frames \[3, 4, 6\]"):
        stability(whole[whole["sample_id"] != "ck_plus/c/5"], rows_of("abcdef"))
    rows = rows_of("abcdef")
    later = rows.assign(frame=rows["frame"].mask(rows["sample_id"] == "ck_plus/c/6", 7))
    with pytest.raises(DataError, match=r"sequence c of ck_plus has the tested frames \[3, 4, 5, 7\]"):
        stability(whole, later)


def test_a_frame_twice_is_an_error():
    whole, rows = predicted(BY_HAND, TRUE), rows_of("abcdef")
    twice = rows.assign(frame=rows["frame"].mask(rows["sample_id"] == "ck_plus/b/5", 4))
    with pytest.raises(DataError, match=r"sequence b of ck_plus has the tested frames \[3, 4, 4, 6\]"):
        stability(whole, twice)
    with pytest.raises(DataError, match=r"samples of run .* are predicted more than once"):
        stability(pd.concat([whole, whole.assign(fold=1)]), rows)


def test_photographs_and_foreign_predictions_are_errors():
    whole, rows = predicted(BY_HAND, TRUE), rows_of("abcdef")
    with pytest.raises(DataError, match=r"24 samples of .* have no sequence or frame .* the first ck_plus/a/3"):
        stability(whole, rows.assign(sequence=None))
    with pytest.raises(DataError, match=r"none of the 24 predictions .* is of one of the 7 rows"):
        stability(whole, rows_of("z"))
    with pytest.raises(DataError, match="the predictions table is empty"):
        stability(whole.iloc[:0], rows)


def test_a_sequence_with_two_labels_is_an_error():
    whole = predicted(BY_HAND, TRUE)
    mixed = whole.assign(y_true=whole["y_true"].mask(whole["sample_id"] == "ck_plus/b/3", "anger"))
    with pytest.raises(DataError, match=r"sequence b of ck_plus has several labels, such as \['anger', 'happiness'\]"):
        stability(mixed, rows_of("abcdef"))


def test_tables_are_checked():
    whole, rows = predicted(BY_HAND, TRUE), rows_of("abcdef")
    with pytest.raises(DataError, match=r"the table of frames is not valid: .*frame"):
        stability(whole, rows.drop(columns="frame"))
    with pytest.raises(DataError, match=r"the table of predictions is not valid: .*best_of_all"):
        stability(whole.assign(selection="best_of_all"), rows)
