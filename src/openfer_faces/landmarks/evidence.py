"""How good a landmarker is: distance from given points, and whether its confidence knows what is covered."""

from collections.abc import Sequence

import numpy as np

from openfer.faces.template import EYES_68, apply, five_of_68, similarity, template_points
from openfer.seeds import generator_for
from openfer_faces.landmarks.calibrate import auc, calibration_error
from openfer_faces.landmarks.contract import GROUPS, Crops, Landmarker, Landmarks
from openfer_faces.landmarks.pasted import KINDS, Pasted, paste

_OUTER_CORNERS = (36, 45)


def known_points(found: Landmarks, points: np.ndarray, visible: np.ndarray) -> dict[str, float]:
    """Compare with the truth on faces whose 68 points and visibility are known.

    Args:
        found: on N crops.
        points: the truth in the same pixels, (N, 68, 2).
        visible: (N, 68), bool.

    Returns:
        ``nme``: mean distance of visible points over the distance of the outer eye corners, as in 300-W, with
        ``nme_<group>`` for the parts of the face; ``nme_hidden`` of hidden points; of a landmarker with confidence
        its ``auc`` and ``calibration_error``.
    """
    distance = np.linalg.norm(found.points - points, axis=2)
    eyes = np.linalg.norm(points[:, _OUTER_CORNERS[0]] - points[:, _OUTER_CORNERS[1]], axis=1)
    # on a profile the corners nearly coincide; then the canonical distance of the eye centres is the unit
    share = distance / np.maximum(eyes, np.median(eyes) / 2)[:, None]
    values = {"nme": float(share[visible].mean())}
    for name, group in GROUPS.items():
        values[f"nme_{name}"] = float(share[:, group][visible[:, group]].mean())
    values["nme_hidden"] = float(share[~visible].mean()) if not visible.all() else float("nan")
    if found.with_confidence:
        values["auc"] = auc(found.confidence, visible)
        values["calibration_error"] = calibration_error(found.confidence, visible)
    return values


def pupils(points: np.ndarray, given: np.ndarray) -> dict[str, float]:
    """Compare the centres of the lids with given pupils.

    Args:
        points: found, (N, 68, 2).
        given: pupils in the same pixels, left of the image first, (N, 2, 2).

    Returns:
        Median, 95 % and largest distance in pixels and as a share of the pupils' distance, the mean offset
        (lids' centres lie below pupils on open eyes), and the median distance once that offset is taken off.
    """
    centres = np.stack([points[:, lid].mean(1) for lid in EYES_68], axis=1)
    offset = (centres - given).mean((0, 1))
    unit = np.linalg.norm(given[:, 0] - given[:, 1], axis=1)[:, None]
    distance = np.linalg.norm(centres - given, axis=2)
    centred = np.linalg.norm(centres - given - offset, axis=2)
    return {
        **_spread("pupil_px", distance),
        **_spread("pupil_nme", distance / unit),
        "pupil_offset_x": float(offset[0]),
        "pupil_offset_y": float(offset[1]),
        **_spread("pupil_centred_px", centred),
    }


def alignment(found: np.ndarray, given: np.ndarray, size: int) -> dict[str, float]:
    """Measure where given pupils come to lie when faces are aligned by found points.

    Args:
        found: eye centres, nose tip, mouth corners in pixels, (N, 5, 2), or the eye centres alone, (N, 2, 2).
        given: pupils in the same pixels, (N, 2, 2).
        size: side of the crop that they are aligned to.

    Returns:
        Median, 95 % and largest distance of pupils from where the template has eyes, pixels, as it is and about
        its mean, and the pupils' tilt against level, degrees.
    """
    template = template_points(size)
    target = template[: found.shape[1]]
    placed = np.stack([apply(similarity(own, target), eyes) for own, eyes in zip(found, given, strict=True)])
    offsets = placed - template[:2]
    along = placed[:, 1] - placed[:, 0]
    return {
        **_spread("aligned_px", np.linalg.norm(offsets, axis=2)),
        **_spread("aligned_centred_px", np.linalg.norm(offsets - offsets.mean(0), axis=2)),
        **_spread("aligned_tilt", abs(np.degrees(np.arctan2(along[:, 1], along[:, 0])))),
    }


def five_of(points: np.ndarray) -> np.ndarray:
    """Return the five points of each face: (N, 68, 2) -> (N, 5, 2)."""
    return np.stack([five_of_68(own) for own in points])


def paste_all(crops: Crops, kind: str, seed: int) -> list[Pasted]:
    """Paste an occluder on every crop, its surface taken from another one of them."""
    pasted = []
    for number, crop in enumerate(crops):
        generator = generator_for(seed, "pasted", kind, number)
        other = (number + int(generator.integers(1, max(2, len(crops))))) % len(crops)
        pasted.append(paste(crop, crops[other], kind, generator))
    return pasted


def occlusion(landmarker: Landmarker, crops: Crops, reference: np.ndarray, seed: int) -> dict[str, float]:
    """Measure whether the confidence tells covered points from visible ones.

    Args:
        landmarker: to be measured.
        crops: faces with nothing over them.
        reference: where their points are, (N, 68, 2); found by several landmarkers on the clean crops where
            nobody has given them.
        seed: of the occluders.

    Returns:
        ``auc_<kind>`` over the covered crops of a kind, ``auc`` and ``calibration_error`` over all of them and
        the clean ones; ``kept`` and ``covered_kept``: shares of visible and covered points with confidence 0.6
        or more; ``shift_<kind>``: how far visible points move when something else is covered, share of the side.
        A landmarker without confidence has the shifts alone.
    """
    clean = landmarker(crops)
    confidences, truths, values = [clean.confidence], [_inside(reference, crops)], dict[str, float]()
    sides = np.array([len(crop) for crop in crops])[:, None]
    for kind in KINDS[1:]:
        pasted = paste_all(crops, kind, seed)
        found = landmarker([one.image for one in pasted])
        visible = np.stack([one.visible(points) for one, points in zip(pasted, reference, strict=True)])
        if found.with_confidence:
            values[f"auc_{kind}"] = auc(found.confidence, visible)
        moved = np.linalg.norm(found.points - clean.points, axis=2) / sides
        values[f"shift_{kind}"] = float(moved[visible].mean())
        confidences.append(found.confidence)
        truths.append(visible)
    if not clean.with_confidence:
        return values
    confidence, truth = np.concatenate(confidences), np.concatenate(truths)
    values["auc"] = auc(confidence, truth)
    values["calibration_error"] = calibration_error(confidence, truth)
    values["kept"] = float((confidence[truth] >= 0.6).mean())
    values["covered_kept"] = float((confidence[~truth] >= 0.6).mean())
    return values


def _inside(points: np.ndarray, crops: Crops) -> np.ndarray:
    sides = np.array([len(crop) for crop in crops])[:, None, None]
    return np.asarray(((points >= 0) & (points < sides)).all(2))


def _spread(name: str, values: "np.ndarray | Sequence[float]") -> dict[str, float]:
    median, high, worst = np.percentile(values, (50, 95, 100))
    return {f"{name}_median": float(median), f"{name}_95": float(high), f"{name}_max": float(worst)}
