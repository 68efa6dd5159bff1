"""What is decided about a person before anything is drawn: age in detail, colours and hairstyle."""

from dataclasses import dataclass

import numpy as np

from openfer.labels import AGES
from openfer.seeds import generator_for
from openfer_faces.synthetic.colours import Colour, linear

_AGE_AXIS = {
    **{"0-3": (0.05, 0.15), "4-19": (0.24, 0.56), "20-39": (0.60, 0.72)},
    **{"40-69": (0.76, 0.90), "70+": (0.93, 1.0)},
}
"""Each age range on MakeHuman's axis: 0 baby, 1/3 child, 2/3 young adult, 1 old."""

_SKINS: dict[str, tuple[Colour, ...]] = {
    "caucasian": ((236, 196, 174), (226, 178, 150), (241, 205, 186), (212, 164, 134)),
    "asian": ((234, 196, 162), (222, 180, 142), (240, 206, 176), (205, 162, 124)),
    "african": ((124, 82, 58), (104, 68, 50), (150, 104, 76), (92, 60, 46)),
}
_HAIRS: dict[str, tuple[Colour, ...]] = {
    "caucasian": ((60, 40, 25), (25, 18, 14), (120, 85, 45), (170, 130, 80), (110, 50, 25)),
    "asian": ((18, 15, 14), (28, 20, 16)),
    "african": ((14, 12, 12), (22, 17, 15)),
}
_IRISES: dict[str, tuple[Colour, ...]] = {
    "caucasian": ((90, 62, 36), (96, 128, 150), (104, 120, 80), (70, 45, 28)),
    "asian": ((58, 36, 22), (45, 28, 18)),
    "african": ((45, 28, 18), (36, 22, 15)),
}
_CLOTHS: tuple[Colour, ...] = (
    *((40, 44, 60), (150, 150, 155), (120, 40, 40), (60, 90, 70), (200, 200, 205), (30, 30, 32), (90, 110, 150)),
)
_GREY: Colour = (190, 188, 185)


@dataclass(frozen=True)
class Traits:
    """A person in words and colours.

    Attributes:
        gender: "male" or "female".
        age: one of :data:`~openfer.labels.AGES`.
        race: one of :data:`~openfer.labels.RACES`.
        age_axis: 0 baby, 1/3 child, 2/3 young adult, 1 old.
        skin: mean albedo, linear, (3,).
        hair: albedo of the hair, linear, (3,).
        iris: albedo of the iris, linear, (3,).
        cloth: albedo of the clothes, linear, (3,).
        greyness: share of grey hair, in [0, 1].
        hairstyle: "bald", "buzz", "short", "tied" or "long".
    """

    gender: str
    age: str
    race: str
    age_axis: float
    skin: np.ndarray
    hair: np.ndarray
    iris: np.ndarray
    cloth: np.ndarray
    greyness: float
    hairstyle: str

    @property
    def is_female(self) -> bool:
        """True for women and girls."""
        return self.gender == "female"

    @property
    def is_adult(self) -> bool:
        """True from about 18 years on."""
        return self.age_axis > 0.56

    @property
    def ageing(self) -> float:
        """0 up to middle age, rising to 1."""
        return float(np.clip((self.age_axis - 0.72) / 0.28, 0, 1))

    @property
    def has_dark_skin(self) -> bool:
        """True where the skin reflects less than a fifth of the light."""
        return float(self.skin.mean()) < 0.2


def draw_traits(seed: int, gender: str, age: str, race: str) -> Traits:
    """Draw the details of a person of a given gender, age range and race.

    Raises:
        KeyError: if age or race is unknown.
    """
    generator = generator_for(seed, "traits")
    low, high = _AGE_AXIS[age]
    age_axis = float(generator.uniform(low, high))
    palette = np.array([linear(colour) for colour in _SKINS[race]])
    shares = generator.dirichlet(np.full(len(palette), 0.7))
    skin = (palette * shares[:, None]).sum(0) * generator.uniform(0.9, 1.08)
    hair = _pick(generator, _HAIRS[race]) * generator.uniform(0.8, 1.2)
    greyness = 0.0
    if AGES.index(age) >= AGES.index("40-69"):
        greyness = float(min(1.0, np.clip((age_axis - 0.76) / 0.2, 0, 1) * generator.uniform(0.4, 1.15)))
    return Traits(
        gender=gender,
        age=age,
        race=race,
        age_axis=age_axis,
        skin=skin.astype(np.float32),
        hair=(hair * (1 - greyness) + linear(_GREY) * greyness).astype(np.float32),
        iris=(_pick(generator, _IRISES[race]) * generator.uniform(0.8, 1.2)).astype(np.float32),
        cloth=_pick(generator, _CLOTHS),
        greyness=greyness,
        hairstyle=_hairstyle(generator.random(), gender, age),
    )


def _pick(generator: np.random.Generator, colours: tuple[Colour, ...]) -> np.ndarray:
    return linear(colours[generator.integers(len(colours))])


def _hairstyle(draw: float, gender: str, age: str) -> str:
    """Choose a hairstyle from a draw in [0, 1)."""
    if age == "0-3":
        styles = {"short": 0.4, "buzz": 0.4, "bald": 0.2} if gender == "female" else {"buzz": 0.6, "bald": 0.4}
    elif gender == "female":
        styles = {"short": 0.25, "tied": 0.25, "long": 0.5}
    else:
        bald = {"40-69": 0.2, "70+": 0.3}.get(age, 0.05)
        styles = {"bald": bald, "buzz": 0.25, "short": 0.75 - bald}
    edges = np.cumsum(list(styles.values()))
    return list(styles)[min(int(np.searchsorted(edges, draw, side="right")), len(styles) - 1)]
