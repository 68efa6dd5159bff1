"""Where the parts of a face lie in an aligned crop."""

import numpy as np

from openfer.faces.template import Frame, template_points

REGIONS = ("brows", "eyes", "nose", "mouth", "rest")


def region_masks(size: int, crop: int, frame: Frame = "face") -> dict[str, np.ndarray]:
    """Return which pixels of a centre crop are a part of the face: boxes around the canonical five points.

    They need no landmarks, and so fit every dataset. A turned head leaves them: of rendered faces, turned by 20 degrees
    (deviation), each box holds about six tenths of its part's landmarks, and more of them than any other box.

    Args:
        size: side of the aligned face that the crop is taken from, pixels.
        crop: side of the crop.
        frame: how much is around the five points.

    Returns:
        By name of :data:`REGIONS` bool (crop, crop); no two share a pixel, all of them together are the crop.
    """
    left_eye, right_eye, nose, left_mouth, right_mouth = template_points(size, frame) - (size - crop) / 2
    eyes, between = (left_eye[1] + right_eye[1]) / 2, right_eye[0] - left_eye[0]
    mouth = (left_mouth[1] + right_mouth[1]) / 2
    sides = (left_eye[0] - 0.45 * between, right_eye[0] + 0.45 * between)
    boxes = {
        "brows": (*sides, eyes - 0.62 * between, eyes - 0.13 * between),
        "eyes": (*sides, eyes - 0.13 * between, eyes + 0.22 * between),
        "nose": (nose[0] - 0.45 * between, nose[0] + 0.45 * between, eyes + 0.22 * between, mouth - 0.3 * between),
        "mouth": (
            *(left_mouth[0] - 0.2 * between, right_mouth[0] + 0.2 * between),
            *(mouth - 0.3 * between, mouth + 0.5 * between),
        ),
    }
    centres = np.arange(crop) + 0.5
    masks = {}
    for name, (x0, x1, y0, y1) in boxes.items():
        masks[name] = np.outer((centres >= y0) & (centres < y1), (centres >= x0) & (centres < x1))
    masks["rest"] = ~np.logical_or.reduce(list(masks.values()))
    return masks
