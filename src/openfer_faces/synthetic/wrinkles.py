"""Wrinkles: height maps on the texture, folded by action units and deepened by age."""

from collections.abc import Callable, Sequence

import numpy as np

from openfer_faces.synthetic.texture_space import Point, TextureSpace, smooth_noise

_DEPTH = 0.016
"""Height of a full fold in decimetres."""

_TEXTURE_WIDTH = 4.2
_TEXTURE_HEIGHT = 2.8
"""Size of the texture on the head in decimetres."""

_SIDES = (-1, 1)


class WrinkleMaps:
    """The folds of the reference head.

    Args:
        space: the texture.
        points: the 68 landmarks on the reference head, decimetres, (68, 3).

    Attributes:
        names: the folds' names.
        maps: (folds, height / 2, width / 2, 3), float32: slope across, slope upwards, depth.
    """

    def __init__(self, space: TextureSpace, points: np.ndarray) -> None:
        self._space = space
        self._points = points
        folds: dict[str, np.ndarray] = {
            **self._brow_folds(),
            **self._nose_and_cheek_folds(),
            **self._eye_folds(),
            **self._mouth_and_chin_folds(),
        }
        pores = smooth_noise(np.random.default_rng(5), space.height, space.width, 200, 2)
        folds["pores"] = -0.12 * pores
        self.names = tuple(folds)
        self.maps = _slopes(-np.stack(list(folds.values())) * np.float32(_DEPTH))

    def blend(self, units: dict[str, float], age: float) -> np.ndarray:
        """Return the folds of a face, summed, (height / 2, width / 2, 3), float32.

        Args:
            units: action units of the expression.
            age: position on the age axis, 0 baby to 1 old.
        """
        weights = fold_weights(units, age)
        total = np.zeros(self.maps.shape[1:], np.float32)
        for name, layer in zip(self.names, self.maps, strict=True):
            if weights[name] > 0.02:
                total += np.float32(weights[name]) * layer
        return total

    def _lines(
        self, lines: Sequence[Sequence[tuple[float, float]]], width: float, blur: float, strength: float = 1.0
    ) -> np.ndarray:
        """Sum of soft lines through points (x, y) of the reference head, decimetres."""
        place: Callable[[float, float], Point] = self._space.place
        curves = (self._space.curve([place(x, y) for x, y in line], width, blur, strength) for line in lines)
        return np.stack(list(curves)).sum(0, dtype=np.float32)

    def _brow_folds(self) -> dict[str, np.ndarray]:
        brow = self._points[19, 1]
        across = [
            [
                (x, brow + up + 0.035 * np.cos(9 * x) - 0.05 * x * x + 0.012 * np.sin(23 * x + row))
                for x in np.linspace(-0.46 + 0.03 * row, 0.46 - 0.03 * row, 9)
            ]
            for row, up in enumerate((0.13, 0.22, 0.31, 0.40))
        ]
        inner = [
            [(side * x, brow + up + 0.05 * (1 - x / 0.25)) for x in (0, 0.06, 0.12, 0.18, 0.25)]
            for side in _SIDES
            for up in (0.06, 0.13, 0.20)
        ]
        frown = [
            [(side * 0.055, brow - 0.11), (side * 0.062, brow - 0.02), (side * 0.075, brow + 0.10)] for side in _SIDES
        ]
        outer_frown = [
            [(side * 0.13, brow + 0.02), (side * 0.14, brow + 0.06), (side * 0.15, brow + 0.12)] for side in _SIDES
        ]
        return {
            "forehead": self._lines(across, 2, 1.8),
            "inner_forehead": self._lines(inner, 2, 1.6),
            "glabella": self._lines(frown, 2, 1.6, 1.3) + self._lines(outer_frown, 2, 1.5, 0.5),
        }

    def _nose_and_cheek_folds(self) -> dict[str, np.ndarray]:
        points = self._points
        eye = (points[36, 1] + points[39, 1]) / 2
        root = [
            [(x, eye - 0.02 + up + 0.12 * x * x) for x in (-0.11, -0.05, 0, 0.05, 0.11)] for up in (-0.03, 0.03, 0.09)
        ]
        flanks = [
            [
                (side * (0.09 + 0.02 * row), eye - 0.08 - 0.05 * row),
                (side * (0.16 + 0.015 * row), eye - 0.15 - 0.05 * row),
            ]
            for side in _SIDES
            for row in range(3)
        ]
        nasolabial = []
        for side, wing, corner in ((-1, points[31], points[48]), (1, points[35], points[54])):
            nasolabial.append(
                [
                    *((wing[0] + side * out, wing[1] + up) for out, up in ((0.045, 0.10), (0.10, 0.03), (0.17, -0.08))),
                    *((corner[0] + side * out, corner[1] + up) for out, up in ((0.12, 0.06), (0.125, -0.05))),
                ]
            )
        sagging = []
        for row in range(7):
            side, out, down = _SIDES[row % 2], 0.45 + 0.05 * (row // 2), 0.06 * row
            sagging.append([(side * (out + bow), y - down) for bow, y in ((0, 6.95), (0.03, 6.8), (0.01, 6.65))])
        return {
            "nose": self._lines(root, 2, 1.4, 0.7) + self._lines(flanks, 2, 1.3, 0.8),
            "nasolabial": self._lines(nasolabial, 3, 2.6, 1.6),
            "cheek": self._lines(sagging, 2, 1.6, 0.6),
        }

    def _eye_folds(self) -> dict[str, np.ndarray]:
        points = self._points
        crow = [
            [(outer[0] + side * out, outer[1] + slope * bend) for out, bend in ((0.05, 0.4), (0.11, 1.0), (0.19, 1.7))]
            for side, outer in ((-1, points[36]), (1, points[45]))
            for slope in (0.06, 0.0, -0.06, -0.11)
        ]
        under: np.ndarray = np.zeros((self._space.height, self._space.width), np.float32)
        for up, strength in ((-0.065, 1.0), (-0.12, 0.7)):
            bags = [
                [
                    (inner[0] + side * 0.01, inner[1] + 0.6 * up),
                    ((inner[0] + outer[0]) / 2, (inner[1] + outer[1]) / 2 - 0.055 + up),
                    (outer[0] + side * 0.02, outer[1] + 0.7 * up),
                ]
                for side, outer, inner in ((-1, points[36], points[39]), (1, points[45], points[42]))
            ]
            under = under + self._lines(bags, 2, 1.5, strength)
        return {"crow_feet": self._lines(crow, 2, 1.2, 0.8), "under_eye": under}

    def _mouth_and_chin_folds(self) -> dict[str, np.ndarray]:
        points, space = self._points, self._space
        corners = {"Right": (-1, points[48]), "Left": (1, points[54])}
        marionette = [
            [(corner[0] + side * out, corner[1] + up) for out, up in ((0.015, 0), (0.04, -0.06), (0.05, -0.15))]
            for side, corner in corners.values()
        ]
        dimples = {
            f"dimple{name}": self._lines(
                [[(corner[0] + side * out, corner[1] + up) for out, up in ((0.05, 0.06), (0.06, 0.01), (0.05, -0.04))]],
                *(4, 2.0, 1.3),
            )
            for name, (side, corner) in corners.items()
        }
        lower_lip = points[57, 1]
        chin = space.discs([(space.place(0, lower_lip - 0.19), 20, 17)])
        dents = smooth_noise(np.random.default_rng(3), space.height, space.width, 60, 1)
        crease = [[(-0.12, lower_lip - 0.075), (0, lower_lip - 0.06), (0.12, lower_lip - 0.075)]]
        return {
            "marionette": self._lines(marionette, 3, 1.9, 1.3),
            **dimples,
            "chin": self._lines(crease, 3, 2.0, 0.8) - 0.5 * chin * dents,
        }


def fold_weights(units: dict[str, float], age: float) -> dict[str, float]:
    """Return how deep each fold is for a face.

    Args:
        units: action units of the expression.
        age: position on the age axis, 0 baby to 1 old.
    """

    def strongest(*names: str) -> float:
        return max([units.get(name, 0.0) for name in names] + [0.0])

    def pair(stem: str) -> float:
        return strongest(f"{stem}Left", f"{stem}Right")

    ageing = float(np.clip((age - 0.62) / 0.38, 0, 1))
    firmness = 0.35 + 0.65 * float(np.clip((age - 0.2) / 0.4, 0, 1))
    raised = max(pair("browOuterUp"), 0.35 * strongest("browInnerUp"))
    grieving = min(strongest("browInnerUp"), 1.5 * pair("browDown"))
    cheeks = {"mouthSmile": 0.65, "noseSneer": 0.8, "mouthUpperUp": 0.6, "mouthStretch": 0.4}
    lifted = max(share * pair(stem) for stem, share in cheeks.items())
    return {
        "forehead": 1.1 * raised * firmness + 0.8 * ageing,
        "inner_forehead": grieving * firmness,
        # a frown folds even a child's brow: without it their anger looks like attention
        "glabella": 1.25 * pair("browDown") * (0.5 + 0.5 * firmness) + 0.35 * ageing,
        "nose": 1.3 * pair("noseSneer") * firmness,
        "nasolabial": lifted * firmness + 0.75 * ageing,
        "cheek": 0.9 * ageing**2,
        "crow_feet": max(pair("cheekSquint"), 0.5 * pair("eyeSquint")) * firmness * (0.5 + 0.8 * ageing) + 0.6 * ageing,
        "under_eye": 0.6 * max(pair("cheekSquint"), pair("eyeSquint")) * firmness + 0.8 * ageing,
        "marionette": 0.9 * pair("mouthFrown") * firmness + 0.3 * ageing,
        "dimpleRight": strongest("mouthDimpleRight") * firmness,
        "dimpleLeft": strongest("mouthDimpleLeft") * firmness,
        "chin": 1.2 * strongest("mouthShrugLower") * firmness,
        "pores": 0.20 + 0.15 * ageing,
    }


def _slopes(heights: np.ndarray) -> np.ndarray:
    """Turn height maps (K, H, W) in decimetres into slopes and depth at half the resolution."""
    _, rows, columns = heights.shape
    across = np.zeros_like(heights)
    upwards = np.zeros_like(heights)
    across[:, :, 1:-1] = (heights[:, :, 2:] - heights[:, :, :-2]) * (columns / (2 * _TEXTURE_WIDTH))
    upwards[:, 1:-1] = (heights[:, :-2] - heights[:, 2:]) * (rows / (2 * _TEXTURE_HEIGHT))
    full = np.stack([across, upwards, heights / _DEPTH], -1)
    halved = (full[:, ::2, ::2] + full[:, 1::2, ::2] + full[:, ::2, 1::2] + full[:, 1::2, 1::2]) / 4
    return np.ascontiguousarray(halved, np.float32)
