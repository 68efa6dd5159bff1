"""Nodes of what only the generator of neighbours has: what it draws, how it moves, and where that differs."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from openfer.pipelines.method_nodes import Models, main_model, restore
from openfer.pipelines.method_run import MethodRun
from openfer.pipelines.shown_faces import some_of_each_class
from openfer.pipelines.training_data import Source, faces_for, sources_of, tested_role
from openfer.training.mask_settings import MaskSettings

_FACES = 7
_DRAWS = 4
"""Neighbours in the sheet beside the first one."""

_LOOP = 24
"""Pictures of the animation, which ends as it begins."""


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


def sheet(run: MethodRun, models: Models, before: MethodRun, autoencoders: Models, *tables: Any) -> Any:
    """Return a picture: tested faces, their reconstructions by both stages, and several neighbours of each."""
    from openfer.io.contact_sheet import contact_sheet

    data = _some_tested(run, tables)
    drawn = _drawn(run, models, before, autoencoders, data, 1 + _DRAWS)
    columns = [drawn.original, drawn.autoencoder, drawn.refined, *drawn.neighbours.swapaxes(0, 1)]
    titles = ["original", "autoencoder", "refined", "neighbour", *["another"] * _DRAWS]
    images = [_picture(column[row]) for row in range(len(drawn.original)) for column in columns]
    return contact_sheet(images, titles * len(drawn.original), columns=len(columns), cell=112)


def animation(run: MethodRun, models: Models, *tables: Any) -> list[Any]:
    """Return pictures of tested faces whose code swings along one random direction each, from end to end and back."""
    import torch

    from openfer.io.contact_sheet import contact_sheet
    from openfer.methods.contract import NeighbourGenerator
    from openfer.training.predict import collect

    method = restore(run, main_model(models))
    assert isinstance(method, NeighbourGenerator)
    data = _some_tested(run, tables)
    faces = faces_for(data, tested_role(data), {}, run.images, run.seed)
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
    run: MethodRun, models: Models, before: MethodRun, autoencoders: Models, *tables: Any
) -> tuple[pd.DataFrame, Any]:
    """Return how well all tested faces are drawn and how much a neighbour differs, by region; and the figure of it."""
    from openfer.evaluation.figures import change_picture
    from openfer.faces.regions import region_masks
    from openfer.io.face_store import FaceStore

    data = sources_of(run, tables)
    drawn = _drawn(run, models, before, autoencoders, data, 1)
    store = data[0].store
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
    return pd.DataFrame(rows, columns=columns), change_picture(drawn.original.mean(0), moved.mean(0), regions)


def _some_tested(run: MethodRun, tables: Sequence[Any]) -> list[Source]:
    data = sources_of(run, tables)
    return some_of_each_class(data, tested_role(data), _FACES)


def _drawn(
    run: MethodRun, models: Models, before: MethodRun, autoencoders: Models, data: Sequence[Source], draws: int
) -> Faces:
    import torch

    from openfer.methods.contract import NeighbourGenerator
    from openfer.nn.grey import grey
    from openfer.training.predict import collect, collect_named

    method, autoencoder = restore(run, main_model(models)), restore(before, main_model(autoencoders))
    assert isinstance(method, NeighbourGenerator)
    side = method.side
    faces = faces_for(data, tested_role(data), {}, run.images, run.seed)
    torch.manual_seed(run.seed)

    def drawn(images: torch.Tensor) -> dict[str, torch.Tensor]:
        neighbours = [method.neighbours(images, MaskSettings().noise) for _ in range(draws)]
        refined = method(images).maps["reconstruction"]
        return {"original": grey(images, side), "refined": refined, "neighbours": torch.cat(neighbours, dim=1)}

    own = collect_named(method, drawn, faces, run.training)
    earlier = collect(autoencoder, lambda images: autoencoder(images).maps["reconstruction"], faces, run.training)
    original, refined = (_plain(run, own[name][:, 0]) for name in ("original", "refined"))
    return Faces(original, _plain(run, earlier[:, 0]), refined, _plain(run, own["neighbours"]))


def _plain(run: MethodRun, normalised: np.ndarray) -> np.ndarray:
    """Return grey in [0, 1] of what a network was shown or has drawn."""
    mean, std = run.images.channel_means[0], run.images.channel_stds[0]
    return (normalised * std + mean).clip(0, 1)


def _picture(face: np.ndarray) -> np.ndarray:
    return np.repeat((255 * face).round().astype(np.uint8)[..., None], 3, axis=2)
