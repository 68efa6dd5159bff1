"""The label contract: each dataset's own codes and words, by name."""

import pytest

from openfer import labels
from openfer.labels import AGES, EXPRESSIONS, GENDERS, RACES

MAPS = (labels.RAF_DB, labels.AFFECTNET, labels.FER2013, labels.FERPLUS, labels.FED_RO, labels.EXPRESSION_WORDS)


@pytest.mark.parametrize("codes", MAPS)
def test_every_code_means_an_expression_or_none(codes) -> None:
    assert set(codes.values()) - {None} <= set(EXPRESSIONS)


def test_raf_db_counts_from_surprise() -> None:
    order = ("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral")
    assert dict(labels.RAF_DB) == dict(enumerate(order, start=1))
    assert tuple(labels.RAF_DB_GENDER.values()) == GENDERS
    assert tuple(labels.RAF_DB_RACE.values()) == RACES
    assert tuple(labels.RAF_DB_AGE.values()) == AGES


def test_affectnet_has_disgust_before_anger_and_three_codes_without_a_name() -> None:
    order = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt", None, None, None)
    assert dict(labels.AFFECTNET) == dict(enumerate(order))


def test_fer2013_starts_with_anger_and_ends_with_neutral() -> None:
    order = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
    assert dict(labels.FER2013) == dict(enumerate(order))


def test_ferplus_has_its_own_order_of_columns() -> None:
    order = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF")
    assert tuple(labels.FERPLUS) == order
    assert tuple(labels.FERPLUS.values()) == (*order[:8], None, None)


def test_fed_ro_knows_the_authors_own_spelling() -> None:
    words = {"neural": "neutral", "happy": "happiness", "sad": "sadness", "surprise": "surprise"}
    assert {word: labels.FED_RO[word] for word in words} == words
    assert {labels.FED_RO[word] for word in ("fear", "disgust", "anger")} == {"fear", "disgust", "anger"}


def test_fed_ro_knows_the_usual_words_for_its_seven_expressions() -> None:
    usual = {"angry": "anger", "surprised": "surprise", "happiness": "happiness", "fearful": "fear"}
    assert {word: labels.FED_RO[word] for word in usual} == usual
    assert set(labels.FED_RO.values()) == set(labels.BASIC_EXPRESSIONS)


def test_celeba_has_forty_attributes_in_alphabetical_order() -> None:
    assert len(labels.CELEBA_ATTRIBUTES) == 40
    assert list(labels.CELEBA_ATTRIBUTES) == sorted(labels.CELEBA_ATTRIBUTES, key=str.lower)
    assert dict(labels.CELEBA_GENDER) == {"1": "male", "-1": "female"}


def test_usual_words_for_expressions() -> None:
    usual = {"happy": "happiness", "angry": "anger", "sad": "sadness", "surprised": "surprise"}
    usual |= {"fearful": "fear", "disgusted": "disgust", "neutral": "neutral", "contempt": "contempt"}
    assert {word: labels.EXPRESSION_WORDS[word] for word in usual} == usual
    assert all(word == word.lower() for word in labels.EXPRESSION_WORDS)


LABORATORY = (labels.CK_PLUS, labels.MMI, labels.OULU_CASIA, labels.SFEW, labels.AFF_WILD2, labels.MULTI_PIE)


@pytest.mark.parametrize("codes", LABORATORY)
def test_every_code_of_posed_faces_films_and_videos_means_an_expression_or_none(codes) -> None:
    assert set(codes.values()) - {None} <= set(EXPRESSIONS)


def test_ck_plus_has_contempt_between_anger_and_disgust() -> None:
    order = ("neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
    assert dict(labels.CK_PLUS) == dict(enumerate(order))


def test_mmi_counts_from_anger_and_has_three_codes_without_a_name() -> None:
    order = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", None, None, None)
    assert dict(labels.MMI) == dict(enumerate(order, start=1))


def test_oulu_casia_and_sfew_name_their_folders_differently() -> None:
    assert {word: labels.OULU_CASIA[word] for word in ("Anger", "Happiness", "Sadness")} == {
        "Anger": "anger",
        "Happiness": "happiness",
        "Sadness": "sadness",
    }
    assert "neutral" not in labels.OULU_CASIA.values()
    assert [labels.SFEW[word] for word in ("Angry", "Happy", "Sad")] == ["anger", "happiness", "sadness"]
    assert len(set(labels.SFEW.values())) == 7


def test_aff_wild2_counts_its_classes_in_the_order_of_an_annotations_first_line() -> None:
    order = ("Neutral", "Anger", "Disgust", "Fear", "Happiness", "Sadness", "Surprise", "Other")
    assert tuple(labels.AFF_WILD2) == order
    assert [labels.AFF_WILD2[word] for word in order[3:]] == ["fear", "happiness", "sadness", "surprise", None]


def test_multi_pie_has_names_for_nine_of_eleven_recordings() -> None:
    assert [recording for recording, name in labels.MULTI_PIE.items() if name is None] == ["02/03", "04/03"]
    assert [labels.MULTI_PIE[key] for key in ("01/02", "02/02", "03/02", "03/03", "04/02")] == [
        "happiness",
        "surprise",
        "happiness",
        "disgust",
        "neutral",
    ]


def test_multi_pie_cameras_and_lights_cover_all_poses_and_illuminations() -> None:
    assert sorted(labels.MULTI_PIE_CAMERA.values()) == sorted(labels.POSES)
    assert labels.MULTI_PIE_CAMERA["05_1"] == "yaw+0"
    assert sorted(labels.MULTI_PIE_LIGHT) == list(range(20))
    assert labels.MULTI_PIE_LIGHT[0] == labels.MULTI_PIE_LIGHT[19] == labels.ILLUMINATIONS[0]
    assert set(labels.MULTI_PIE_LIGHT.values()) == set(labels.ILLUMINATIONS)
    assert dict(labels.MULTI_PIE_GENDER) == {"Male": "male", "Female": "female"}
