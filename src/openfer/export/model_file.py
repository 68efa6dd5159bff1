"""A trained method becomes one ONNX file, checked before anybody gets it."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch

from openfer.errors import ExportError
from openfer.export.graph import Answering
from openfer.export.measured import accuracy, examples, parity
from openfer.export.onnx_file import onnx_graph, with_card
from openfer.faces.template import Frame, template_points
from openfer.inference.card import Crop, Extra, Input, ModelCard
from openfer.inference.onnx_model import OnnxModel
from openfer.io.face_store import FaceStore
from openfer.training.config import ImageSettings
from openfer.training.data import ConcatFaces
from openfer.version import __version__

_FRAMES: tuple[Frame, ...] = ("face", "tight")


def model_file(network: Answering, card: ModelCard, tested: ConcatFaces, role: str) -> bytes:
    """Return the ONNX file of a network, with parity and accuracy on its card.

    Args:
        network: of float32 weights, on the CPU.
        card: without what is measured.
        tested: the run's test faces.
        role: their role.

    Raises:
        DataError: if an image is damaged.
        ExportError: if the file answers otherwise than the network.
    """
    graph = onnx_graph(network, examples(network, tested))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{card.slug}.onnx"
        path.write_bytes(with_card(graph, card))
        model = OnnxModel(path, threads=torch.get_num_threads())
        agreed = parity(network, model, tested)
        scored = accuracy(model, tested, card.datasets, role)
    return with_card(graph, card.with_measured(parity=agreed, accuracy=scored))


def card_of(
    slug: str, network: Answering, facts: Mapping[str, Any], variant: str, crop: Crop, limits: Sequence[str]
) -> ModelCard:
    """Return a model card without measured values.

    Args:
        slug: slug of the run.
        network: exported network.
        facts: facts of the checkpoint.
        variant: the run's name in tables.
        crop: how a face is cut out.
        limits: sentences on what the model cannot do and must not be used for.

    Raises:
        ExportError: if the method has no task, or takes something that a model file cannot be given.
    """
    method = network.method
    if not method.classes:
        raise ExportError(
            f"{method.name} draws or codes faces and has no classes to answer with; export another method"
        )
    seen, *extras = network.input_names()
    if seen not in get_args(Input) or not set(extras) <= set(get_args(Extra)):
        raise ExportError(
            f"{method.name} looks at {', '.join(network.input_names())}, which a model file cannot be given; it takes "
            f"{', '.join(get_args(Input))} and beside faces {', '.join(get_args(Extra))}"
        )
    (task, classes), *further = method.classes.items()
    return ModelCard.model_validate(
        {
            "slug": slug,
            "method": method.name,
            "variant": variant,
            "task": task,
            "classes": classes,
            "further_classes": dict(further),
            "input": seen,
            "extras": extras,
            "crop": crop,
            "gives": method.declared.regression_targets,
            **{name: facts[name] for name in _FACTS},
            "openfer": __version__,
            "limits": limits,
        }
    )


_FACTS = (
    *("selection", "datasets", "data_version", "n_train", "seed", "initialisation", "origin_of_weights"),
    *("licences_of_data", "licences_of_weights"),
)


def crop_of(stores: Sequence[FaceStore], images: ImageSettings, *, whole: bool) -> Crop:
    """Return how faces are cut out so that they look like those of a run.

    The template is the one that stored faces were aligned to: the one nearest to the median of their points. Faces
    stored without points were crops already, and are taken for aligned to ``face``.

    Args:
        stores: of the run's datasets, of faces of one size each.
        images: resizing and centre crop.
        whole: whether the stored crop is looked at as it is, without resizing and centre crop.
    """
    table = stores[0].table(["width", "points5"])
    size = (None if whole else images.size) or int(table["width"].median())
    crop = size if whole else images.crop
    points = np.array([p for p in table["points5"] if p is not None and np.isfinite(p).all()]).reshape(-1, 5, 2)
    frame: Frame = "face"
    if len(points):
        median = np.median(points, axis=0) / float(table["width"].median())
        frame = min(_FRAMES, key=lambda each: float(np.abs(template_points(1, each) - median).sum()))
    margin = (size - crop) // 2
    return Crop(size=crop, points5=tuple(map(tuple, (template_points(size, frame) - margin).round(4).tolist())))
