"""The faces that most methods get wrong."""

from tests.evaluation.made_runs import answers_of

from openfer.evaluation.hardest import hardest_faces

IDS, TRUE, CLASSES = ["a", "b", "c", "d"], ["fear", "anger", "fear", "anger"], ("fear", "anger")


def answers(wrong, **run):
    return answers_of(IDS, TRUE, CLASSES, wrong, method="m", variant="v", **run)


def test_most_methods_wrong_comes_first_and_then_the_most_confident_mistake():
    table = hardest_faces({"one": answers({0: 0.6, 1: 0.9, 2: 0.8}), "two": answers({0: 0.7, 2: 0.9})}, 10)
    assert table["sample_id"].tolist() == ["c", "a", "b"]
    assert table["wrong"].tolist() == [2, 2, 1]
    assert table["confidence"].round(3).tolist() == [0.85, 0.65, 0.9]
    assert table.loc[0, ["y_true", "answer"]].tolist() == ["fear", "anger"]


def test_a_method_of_several_seeds_is_wrong_where_most_of_them_are():
    import pandas as pd

    seeds = [answers({0: 0.6}, seed=0), answers({0: 0.8}, seed=1), answers({1: 0.9}, seed=2)]
    table = hardest_faces({"one": pd.concat(seeds, ignore_index=True)}, 10)
    assert table["sample_id"].tolist() == ["a"]
    assert table["wrong"].tolist() == [1]


def test_only_faces_that_all_methods_answered_are_compared():
    table = hardest_faces({"one": answers({0: 0.6}), "two": answers({0: 0.6}).iloc[1:]}, 10)
    assert table.empty


def test_the_confidence_is_that_of_the_answer_which_another_program_may_not_take_from_the_largest():
    table = answers({0: 0.9})
    table.loc[0, ["p_fear", "p_anger"]] = [0.9, 0.1]
    assert hardest_faces({"one": table}, 1)["confidence"].round(3).tolist() == [0.1]


def test_wrong_answers_that_differ_are_told_with_their_shares():
    classes = ("fear", "anger", "sadness")
    named = [0, 1, 1, 2]  # who says what of a face that shows fear: right, anger, anger, sadness
    tables = {}
    for number, place in enumerate(named):
        table = answers_of(["a"], ["fear"], classes, {}, method="m", variant="v")
        tables[str(number)] = table.assign(y_pred=classes[place])
    (row,) = hardest_faces(tables, 5).to_dict("records")
    assert (row["wrong"], row["methods"], row["answer"]) == (3, 4, "anger 67 %, sadness 33 %")
