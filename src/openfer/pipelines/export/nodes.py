"""The nodes of `export`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from openfer.nn.open_features_settings import OpenFeaturesSettings
from openfer.pipelines.sources import Sources, faces_for, sources_of
from openfer.pipelines.trained import Models, load_trained
from openfer.runs.export_settings import ExportSettings
from openfer.runs.settings import RunSettings

if TYPE_CHECKING:
    from openfer.export.graph import Answering
    from openfer.methods.contract import Classes, Method
    from openfer.pipelines.sources import Source
    from openfer.training.config import ImageSettings
    from openfer.training.data import ConcatFaces

_MEASURED_IN_THE_FILE = "open_features"


def export(
    slug: str, run: RunSettings, models: Models, sources: Sources, open_features: OpenFeaturesSettings | None = None
) -> bytes:
    """Return the ONNX file of a run's main selection, with its card.

    Args:
        slug: identity of the run.
        run: its settings.
        models: by selection.
        sources: its datasets, by name.
        open_features: what the extra of this name is measured with; None for a method that does not read it.

    Raises:
        ExportError: if the file answers otherwise than the network, or the method has no classes.
    """
    from openfer.evaluation.limits import FACE_ALONE, STATEMENTS
    from openfer.export.model_file import card_of, crop_of, model_file

    trained = load_trained(run, models, sources)
    network = _network(trained.method, run.images, open_features)
    stores = [source.store for source in trained.data]
    crop = crop_of(stores, network.images, whole=network.input_names() == ["geometry"])
    limits = (*STATEMENTS, FACE_ALONE) if run.training.average_mirrored else STATEMENTS
    card = card_of(slug, network, trained.checkpoint.facts, run.row, crop, limits)
    tested = _faces(trained.data, trained.role, trained.method.classes, network.images, run)
    return model_file(network, card, tested, trained.role)


def quantise(
    run: RunSettings,
    settings: ExportSettings,
    sources: Sources,
    model: Path,
    open_features: OpenFeaturesSettings | None = None,
) -> bytes:
    """Return the file of 8-bit integers of an exported run.

    Args:
        run: its settings.
        settings: whether a loss is accepted.
        sources: its datasets, by name.
        model: its file of 32-bit numbers.
        open_features: what the extra of this name is measured with; None for a method that does not read it.

    Raises:
        ExportError: if it loses more than a percentage point of accuracy, which the settings do not accept.
    """
    from openfer.export.quantise import quantised
    from openfer.inference.onnx_model import OnnxModel
    from openfer.pipelines.sources import tested_role

    card = OnnxModel(model).card
    classes: Classes = {card.task: card.classes}
    data, images = sources_of(run, sources), _images(run.images, open_features)
    calibration, tested = (_faces(data, role, classes, images, run) for role in ("train", tested_role(data)))
    return quantised(model, calibration, tested, accepts_loss=settings.accepts_loss)


def _images(images: "ImageSettings", open_features: OpenFeaturesSettings | None) -> "ImageSettings":
    if open_features is None:
        return images
    from openfer.training.open_features import images_of

    return images_of(open_features)


def _network(method: "Method", images: "ImageSettings", open_features: OpenFeaturesSettings | None) -> "Answering":
    from openfer.export.graph import Answering

    if open_features is None:
        return Answering(method, images)
    from openfer.training.open_features import OpenFeatures

    return Answering(method, _images(images, open_features), OpenFeatures(open_features))


def _faces(
    data: "list[Source]", role: str, classes: "Classes", images: "ImageSettings", run: RunSettings
) -> "ConcatFaces":
    """Return centre crops with the extras that a model file is given."""
    kept = run.declared.extras
    if _MEASURED_IN_THE_FILE in kept:
        return faces_for([replace(source, extras={}) for source in data], role, classes, images, run.seed)
    decodes = run.declared.looks_at_pixels
    return faces_for(data, role, classes, images, run.seed, decodes=decodes)
