"""Semantic neighbours (SNA): sheets, an animation, and the change by facial region."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from openfer.pipelines.figures.shown_faces import some_of_each_class
from openfer.pipelines.sources import Source, Sources
from openfer.pipelines.trained import Models, Trained, load_trained, main_model
from openfer.runs.settings import RunSettings
from openfer.training.mask_settings import MaskSettings

_log = logging.getLogger(__name__)

_GATE = 0.05
"""Largest loss of accuracy from faces to their reconstructions with which a neighbourhood mask means anything."""

_FACES = 7
_DRAWS = 4
"""Neighbours in the sheet beside the first one."""

_LOOP = 24
"""Pictures of the animation, which ends as it begins."""


_AT_ONCE = 256


class Faces(NamedTuple):
    """Grey faces in [0, 1], float32, (N, S, S) each.

    Attributes:
        original: as they are.
        autoencoder: as the autoencoder draws them, before the refinement.
        refined: as the refined decoder draws them.
        neighbours: drawn with noise, (N, D, S, S).
    """

    original: np.ndarray
    autoencoder: np.ndarray
    refined: np.ndarray
    neighbours: np.ndarray


def sheet(run: RunSettings, models: Models, sources: Sources, prerequisites: Mapping[str, Models]) -> Any:
    """Return a picture: tested faces, their reconstructions by both stages, and several neighbours of each."""
    from openfer.io.contact_sheet import contact_sheet

    trained = load_trained(run, models, sources)
    drawn = _drawn(trained, prerequisites, _some_tested(trained), 1 + _DRAWS)
    columns = [drawn.original, drawn.autoencoder, drawn.refined, *drawn.neighbours.swapaxes(0, 1)]
    titles = ["original", "autoencoder", "refined", "neighbour", *["another"] * _DRAWS]
    images = [_picture(column[row]) for row in range(len(drawn.original)) for column in columns]
    return contact_sheet(images, titles * len(drawn.original), columns=len(columns), cell=112)


def animation(run: RunSettings, models: Models, sources: Sources) -> list[Any]:
    """Return pictures of tested faces whose code swings along one random direction each, from end to end and back."""
    import torch

    from openfer.io.contact_sheet import contact_sheet
    from openfer.methods.contract import NeighbourGenerator
    from openfer.training.predict import collect

    trained = load_trained(run, models, sources)
    method = trained.method
    assert isinstance(method, NeighbourGenerator)
    faces = trained.faces(shown=_some_tested(trained), classes={})
    noise = 2 * MaskSettings().noise
    pictures = []
    for swing in np.sin(np.linspace(0, 2 * np.pi, _LOOP, endpoint=False)):

        def swung(images: torch.Tensor, swing: float = swing) -> torch.Tensor:
            torch.manual_seed(run.seed)  # the same direction in every picture
            return method.neighbours(images, noise * swing)

        own = _plain(run, collect(method, swung, faces, run.training)[:, 0])
        pictures.append(contact_sheet([_picture(face) for face in own], [""] * len(own), columns=len(own), cell=112))
    return pictures


def change(
    run: RunSettings, models: Models, sources: Sources, prerequisites: Mapping[str, Models]
) -> tuple[pd.DataFrame, Any]:
    """Measure how well all tested faces are drawn and how much a neighbour differs.

    Returns:
        By region of the face: PSNR in dB, and the mean change of a neighbour in grey levels of 255. For the whole face
        also the accuracy of the two-scale network on faces, reconstructions and neighbours, and ``recognisable``:
        ``yes`` if it is at most 5 points lower on reconstructions than on faces, ``unknown`` without labels. And the
        figure of the change.
    """
    from openfer.evaluation.figures import change_picture
    from openfer.faces.regions import region_masks
    from openfer.io.face_store import FaceStore

    trained = load_trained(run, models, sources)
    drawn = _drawn(trained, prerequisites, trained.data, 1)
    store = trained.data[0].store
    assert isinstance(store, FaceStore)
    size = run.images.size or int(store.table(["height"])["height"].iloc[0])
    regions = region_masks(size, run.images.crop)
    everywhere = {"all": np.ones_like(regions["rest"]), **regions}
    moved = np.abs(drawn.neighbours[:, 0] - drawn.refined)
    rows = []
    for name, mask in everywhere.items():
        errors = [((own[:, mask] - drawn.original[:, mask]) ** 2).mean(1) for own in (drawn.autoencoder, drawn.refined)]
        psnr = [float(np.mean(-10 * np.log10(np.maximum(error, 1e-10)))) for error in errors]
        rows.append((name, int(mask.sum()), *psnr, 255 * float(moved[:, mask].mean()), len(moved)))
    columns = ["region", "pixels", "psnr_autoencoder", "psnr_refined", "neighbour_change", "n"]
    table = pd.DataFrame(rows, columns=columns)
    found = _recognised(trained, prerequisites, drawn)
    whole = table["region"] == "all"
    for name, value in found.items():
        table[f"accuracy_{name}"] = np.where(whole, value, np.nan)
    lost = found["original"] - found["reconstruction"]
    table["recognisable"] = np.where(whole, "unknown" if np.isnan(lost) else "no" if lost > _GATE else "yes", "")
    if lost > _GATE:
        _log.warning(
            "%s: the two-scale network recognises %.1f %% of the faces and %.1f %% of their reconstructions (n = %d), "
            "more than 5 points fewer: a neighbourhood mask with reference: original follows what the generator cannot "
            "draw. Train sna_autoencoder longer, or set neighbourhood_mask.reference to reconstruction",
            run.method, 100 * found["original"], 100 * found["reconstruction"], len(moved),
        )  # fmt: skip
    return table, change_picture(drawn.original.mean(0), moved.mean(0), regions)


def _recognised(trained: Trained, prerequisites: Mapping[str, Models], drawn: Faces) -> dict[str, float]:
    """Return the two-scale network's accuracy on labelled tested faces, as they are and as they are drawn."""
    import torch

    from openfer.methods.contract import MISSING
    from openfer.methods.registry import build

    before = main_model(prerequisites["two_scale"])
    classes = {task: tuple(names) for task, names in before.facts["classes"].items()}
    network = build("two_scale", before.facts["config"], classes)
    network.load_own_state(before.tensors)
    network.eval()
    labels = trained.faces(shown=trained.data, classes=classes).labels["expression"]
    mean, std = trained.run.images.channel_means[0], trained.run.images.channel_stds[0]
    shown = {"original": drawn.original, "reconstruction": drawn.refined, "neighbour": drawn.neighbours[:, 0]}
    found = {}
    for name, faces in shown.items():
        normalised = torch.from_numpy((faces - mean) / std)[:, None].expand(-1, 3, -1, -1)
        with torch.inference_mode():
            parts = [normalised[start : start + _AT_ONCE] for start in range(0, len(faces), _AT_ONCE)]
            answers = torch.cat([network(part).logits["expression"].argmax(1) for part in parts])
        right = answers.numpy() == labels
        labelled = labels != MISSING
        found[name] = float(right[labelled].mean()) if labelled.any() else np.nan
    return found


def _some_tested(trained: Trained) -> list[Source]:
    return some_of_each_class(trained.data, trained.role, _FACES)


def _drawn(trained: Trained, prerequisites: Mapping[str, Models], shown: Sequence[Source], draws: int) -> Faces:
    import torch

    from openfer.methods.contract import NeighbourGenerator
    from openfer.methods.registry import build
    from openfer.nn.grey import grey
    from openfer.training.predict import collect, collect_named

    run, method = trained.run, trained.method
    before = main_model(prerequisites["sna_autoencoder"])
    autoencoder = build("sna_autoencoder", before.facts["config"], {})
    autoencoder.load_own_state(before.tensors)
    autoencoder.eval()
    assert isinstance(method, NeighbourGenerator)
    side = method.side
    faces = trained.faces(shown=shown, classes={})
    torch.manual_seed(run.seed)

    def drawn(images: torch.Tensor) -> dict[str, torch.Tensor]:
        neighbours = [method.neighbours(images, MaskSettings().noise) for _ in range(draws)]
        refined = method(images).maps["reconstruction"]
        return {"original": grey(images, side), "refined": refined, "neighbours": torch.cat(neighbours, dim=1)}

    own = collect_named(method, drawn, faces, run.training)
    earlier = collect(autoencoder, lambda images: autoencoder(images).maps["reconstruction"], faces, run.training)
    original, refined = (_plain(run, own[name][:, 0]) for name in ("original", "refined"))
    return Faces(original, _plain(run, earlier[:, 0]), refined, _plain(run, own["neighbours"]))


def _plain(run: RunSettings, normalised: np.ndarray) -> np.ndarray:
    """Return grey in [0, 1] of what a network was shown or has drawn."""
    mean, std = run.images.channel_means[0], run.images.channel_stds[0]
    return (normalised * std + mean).clip(0, 1)


def _picture(face: np.ndarray) -> np.ndarray:
    return np.repeat((255 * face).round().astype(np.uint8)[..., None], 3, axis=2)
