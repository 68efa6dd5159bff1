"""The label contract: the names of expressions and of the six disturbing factors.

Labels travel as names in every table; an integer exists only inside a tensor, beside the tuple
of class names that gives it a meaning. Each real dataset has its own codes or words; their maps
onto these names stand at the end, and no reader has its own map.
"""

from collections.abc import Mapping

EXPRESSIONS = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")
"""The canonical order of the eight expressions; every class tuple is a subsequence of it."""

BASIC_EXPRESSIONS = EXPRESSIONS[:7]
"""The seven classes of RAF-DB, SFEW and Aff-Wild2: neutral and Ekman's six."""

ACTION_UNITS = (
    *("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    *("cheekPuff", "cheekSquintLeft", "cheekSquintRight"),
    *("eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight"),
    *("eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight"),
    *("eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight"),
    *("jawForward", "jawLeft", "jawOpen", "jawRight"),
    *("mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel"),
    *("mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker"),
    *("mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    *("mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight"),
    *("mouthUpperUpLeft", "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight"),
)
"""Facial movements by Apple's ARKit names, in MediaPipe's order. Left and right are the person's."""

GENDERS = ("male", "female", "unsure")
AGES = ("0-3", "4-19", "20-39", "40-69", "70+")
RACES = ("caucasian", "african", "asian")
"""RAF-DB's manual attributes, in the order of its codes (ADDL: 3 genders, 5 ages, 3 races)."""

POSES = (
    *(f"yaw{yaw:+d}" for yaw in range(-90, 91, 15)),
    "elevated-45",
    "elevated+45",
)
"""Multi-PIE's 15 viewpoints: thirteen at head height, 15 degrees apart, and two above."""

ILLUMINATIONS = tuple(f"light{number:02d}" for number in range(19))
"""Multi-PIE's 19 illuminations: room lights only, then one flash at a time."""

FACTORS = ("gender", "age", "race", "identity", "illumination", "pose")
"""ADDL's six disturbing factors, in the order of the paper's rows (g, a, r, id, il, p)."""

AFFECT = ("valence", "arousal")
"""The continuous labels, each in [-1, 1]."""

FACTOR_CLASSES: dict[str, tuple[str, ...]] = {
    "gender": GENDERS,
    "age": AGES,
    "race": RACES,
    "illumination": ILLUMINATIONS,
    "pose": POSES,
}
"""Closed vocabularies of the factors; identities are open and belong to a dataset."""


MISSING = -1
"""The class index of a sample that does not carry a label; no loss and no metric counts it."""


# --- the codes of each dataset -----------------------------------------------------------------

RAF_DB: Mapping[int, str] = {
    1: "surprise",
    2: "fear",
    3: "disgust",
    4: "happiness",
    5: "sadness",
    6: "anger",
    7: "neutral",
}
"""RAF-DB's basic expressions start with surprise at 1 (``list_patition_label.txt``)."""

RAF_DB_GENDER: Mapping[int, str] = dict(enumerate(GENDERS))
RAF_DB_RACE: Mapping[int, str] = dict(enumerate(RACES))
RAF_DB_AGE: Mapping[int, str] = dict(enumerate(AGES))
"""RAF-DB's manual attributes (``*_manu_attri.txt``, the three lines after the five points)."""

AFFECTNET: Mapping[int, str | None] = {
    0: "neutral",
    1: "happiness",
    2: "sadness",
    3: "surprise",
    4: "fear",
    5: "disgust",
    6: "anger",
    7: "contempt",
    8: None,
    9: None,
    10: None,
}
"""AffectNet's codes; 8 (none), 9 (uncertain) and 10 (no face) are not expressions."""

FER2013: Mapping[int, str] = {
    0: "anger",
    1: "disgust",
    2: "fear",
    3: "happiness",
    4: "sadness",
    5: "surprise",
    6: "neutral",
}
"""FER2013's codes (column ``emotion``)."""

FERPLUS: Mapping[str, str | None] = {
    "neutral": "neutral",
    "happiness": "happiness",
    "surprise": "surprise",
    "sadness": "sadness",
    "anger": "anger",
    "disgust": "disgust",
    "fear": "fear",
    "contempt": "contempt",
    "unknown": None,
    "NF": None,
}
"""FER+'s vote columns in their order; ``NF`` is "not a face"."""

CELEBA_ATTRIBUTES = (
    *("5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald", "Bangs", "Big_Lips"),
    *("Big_Nose", "Black_Hair", "Blond_Hair", "Blurry", "Brown_Hair", "Bushy_Eyebrows", "Chubby", "Double_Chin"),
    *("Eyeglasses", "Goatee", "Gray_Hair", "Heavy_Makeup", "High_Cheekbones", "Male", "Mouth_Slightly_Open"),
    *("Mustache", "Narrow_Eyes", "No_Beard", "Oval_Face", "Pale_Skin", "Pointy_Nose", "Receding_Hairline"),
    *("Rosy_Cheeks", "Sideburns", "Smiling", "Straight_Hair", "Wavy_Hair", "Wearing_Earrings", "Wearing_Hat"),
    *("Wearing_Lipstick", "Wearing_Necklace", "Wearing_Necktie", "Young"),
)
"""CelebA's 40 attributes in the order of ``list_attr_celeba.txt``."""

ATTRIBUTE = "attribute/"
"""Prefix of a task that asks whether a face has an attribute, such as ``attribute/Bald``."""

PRESENCE = ("absent", "present")
"""The classes of such a task."""

CELEBA_GENDER: Mapping[str, str] = {"1": "male", "-1": "female"}
"""CelebA says gender as the attribute ``Male``."""

EXPRESSION_WORDS: Mapping[str, str] = {
    **{name: name for name in EXPRESSIONS},
    **dict.fromkeys(("calm", "no_expression"), "neutral"),
    **dict.fromkeys(("happy", "joy"), "happiness"),
    **dict.fromkeys(("sad", "sorrow"), "sadness"),
    **dict.fromkeys(("surprised",), "surprise"),
    **dict.fromkeys(("fearful", "afraid", "scared"), "fear"),
    **dict.fromkeys(("disgusted",), "disgust"),
    **dict.fromkeys(("angry",), "anger"),
    **dict.fromkeys(("contemptuous",), "contempt"),
}
"""Words that people use for the expressions in their own data, in lower case."""

FED_RO: Mapping[str, str] = {
    **{word: name for word, name in EXPRESSION_WORDS.items() if name in BASIC_EXPRESSIONS},
    "neural": "neutral",
}
"""FED-RO's words in lower case; "neural" is the authors' own spelling, the others are what people call the folders."""

CK_PLUS: Mapping[int, str] = {
    0: "neutral",
    1: "anger",
    2: "contempt",
    3: "disgust",
    4: "fear",
    5: "happiness",
    6: "sadness",
    7: "surprise",
}
"""CK+'s emotion codes (``*_emotion.txt``)."""

MMI: Mapping[int, str | None] = {
    1: "anger",
    2: "disgust",
    3: "fear",
    4: "happiness",
    5: "sadness",
    6: "surprise",
    7: None,
    8: None,
    9: None,
}
"""MMI's emotion codes (the metatag ``Emotion``); 7 to 9 are scream, bored and sleepy, which have no name here."""

OULU_CASIA: Mapping[str, str] = {
    "Anger": "anger",
    "Disgust": "disgust",
    "Fear": "fear",
    "Happiness": "happiness",
    "Sadness": "sadness",
    "Surprise": "surprise",
}
"""Oulu-CASIA's folders."""

SFEW: Mapping[str, str] = {
    "Angry": "anger",
    "Disgust": "disgust",
    "Fear": "fear",
    "Happy": "happiness",
    "Neutral": "neutral",
    "Sad": "sadness",
    "Surprise": "surprise",
}
"""SFEW's folders."""

AFF_WILD2: Mapping[str, str | None] = {
    "Neutral": "neutral",
    "Anger": "anger",
    "Disgust": "disgust",
    "Fear": "fear",
    "Happiness": "happiness",
    "Sadness": "sadness",
    "Surprise": "surprise",
    "Other": None,
}
"""Aff-Wild2's class names, in the order of its codes from 0 (an annotation's first line); Other came in 2022."""

MULTI_PIE: Mapping[str, str | None] = {
    "01/01": "neutral",
    "01/02": "happiness",
    "02/01": "neutral",
    "02/02": "surprise",
    "02/03": None,
    "03/01": "neutral",
    "03/02": "happiness",
    "03/03": "disgust",
    "04/01": "neutral",
    "04/02": "neutral",
    "04/03": None,
}
"""Multi-PIE's expressions by session/recording; squint (02/03) and scream (04/03) have no name here."""

MULTI_PIE_CAMERA: Mapping[str, str] = {
    "11_0": "yaw-90",
    "12_0": "yaw-75",
    "09_0": "yaw-60",
    "08_0": "yaw-45",
    "13_0": "yaw-30",
    "14_0": "yaw-15",
    "05_1": "yaw+0",
    "05_0": "yaw+15",
    "04_1": "yaw+30",
    "19_0": "yaw+45",
    "20_0": "yaw+60",
    "01_0": "yaw+75",
    "24_0": "yaw+90",
    "08_1": "elevated-45",
    "19_1": "elevated+45",
}
"""Multi-PIE's cameras, signed as in papers on it: 11_0 is -90 degrees, 24_0 is +90."""

MULTI_PIE_LIGHT: Mapping[int, str] = {**dict(enumerate(ILLUMINATIONS)), 19: ILLUMINATIONS[0]}
"""Multi-PIE's 20 images of a recording: without flash, 18 flashes, without flash again; so 19 illuminations."""

MULTI_PIE_GENDER: Mapping[str, str] = {"Male": "male", "Female": "female"}
"""Multi-PIE's words in ``subject_list.txt``."""
