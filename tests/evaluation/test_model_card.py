"""A model's card names whose terms hold and what the model is not."""

from tests.evaluation.made_runs import facts_of
from tests.evaluation.test_limits import table

from openfer.evaluation.limits import STATEMENTS
from openfer.evaluation.model_card import model_card

CARD = {"run": "addl-s0-f0-3fa92c", "input": "float32 RGB", "output": "probabilities", "licence": "Apache-2.0"}
METRICS = {
    "expression.best_val": {"accuracy": 0.576, "standard_error": 0.022, "macro_f1": 0.57, "n": 500.0},
    "expression.oracle_test": {"accuracy": 0.7, "standard_error": 0.022, "macro_f1": 0.7, "n": 500.0},
}


def card(**facts):
    known = facts_of("addl", "addl", classes={"expression": ["fear", "anger"]}, **facts)
    return model_card(CARD, known, METRICS, table(none=200, mask=12))


def test_the_card_says_what_made_the_model_how_well_it_answers_and_what_it_is_not():
    text = card()
    for words in (
        "# ADDL",
        "the run `addl-s0-f0-3fa92c`",
        "tiny, version 54d38a51d84c",
        "0123456789abcdef (clean)",
        "57.6 ± 2.2",
        *STATEMENTS,
    ):
        assert words in text
    assert "70.0" not in text
    assert "occluder mask (12 of 20)" in text


def test_the_chain_of_licences_names_data_weights_and_code():
    text = card(licences_of_data=["research only"], initialisation="100 of 100 tensors from resnet18.pth")
    assert "- data: research only\n- first weights: unknown\n- openfer and what training adds: Apache-2.0" in text
    assert "- first weights: none" in card()


def test_of_a_method_that_gives_values_the_card_says_how_well_they_agree():
    agreement = {"n": 500.0, "ccc": 0.66, "rmse": 0.34}
    values = {f"{name}_{what}": number for name in ("valence", "arousal") for what, number in agreement.items()}
    known = facts_of("addl_va", "addl_va", classes={"expression": ["fear", "anger"]})
    text = model_card(CARD, known, METRICS | {"affect.best_val": values}, table(none=200, mask=12))
    assert "Values against ratings: valence CCC 0.660, RMSE 0.340 (n = 500); arousal CCC 0.660" in text
    assert "57.6 ± 2.2" in text
