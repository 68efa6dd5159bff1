"""The nodes that train a run, with or without a neighbourhood mask."""

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from openfer.errors import CheckpointError, ParameterError
from openfer.io.checkpoint import Checkpoint
from openfer.io.git import revision
from openfer.nn.initialisation_settings import PRETRAIN, InitialisationSettings
from openfer.pipelines.sources import Source, Sources, classes_of, data_version, faces_for, sources_of
from openfer.pipelines.trained import Models, main_model
from openfer.protocols.labelling import vote_counts
from openfer.runs.settings import RunSettings
from openfer.training.mask_settings import GENERATOR, MaskSettings
from openfer.version import __version__

# Kedro reads the annotations of nodes when it checks parameters, so the names in them are really imported.
if TYPE_CHECKING:
    from openfer.methods.contract import Classes, Method
    from openfer.nn.initialisation import MatchReport
    from openfer.training.data import ConcatFaces
    from openfer.training.loop import Fitted
    from openfer.training.masking import Mask


def train(
    run: RunSettings,
    work: Path,
    sources: Sources,
    prerequisites: Mapping[str, Models],
    frozen_maps: Path | None = None,
) -> tuple[dict[str, Checkpoint], pd.DataFrame, dict[str, Any]]:
    """Train a run.

    Args:
        run: its settings.
        work: the folder from which an interrupted training resumes.
        sources: its datasets, by name.
        prerequisites: the models that it needs, by method.
        frozen_maps: the folder of maps of frozen layers; None for a run that trains on images.

    Returns:
        Checkpoints by selection; the history; how the backbone was initialised.
    """
    fitted, about, _ = _fit(run, work, sources, prerequisites, None, frozen_maps)
    return fitted.states, fitted.history, about


def train_masked(
    run: RunSettings, work: Path, sources: Sources, prerequisites: Mapping[str, Models]
) -> tuple[dict[str, Checkpoint], pd.DataFrame, dict[str, Any], pd.DataFrame]:
    """Train a run with the neighbourhood mask.

    Args:
        run: its settings.
        work: the folder from which an interrupted training resumes.
        sources: its datasets, by name.
        prerequisites: the models that it needs, by method; the generator of neighbours among them.

    Returns:
        The results of :func:`train`; and the masked samples by epoch, :data:`openfer.schemas.MASKED`.
    """
    settings = run.training.neighbourhood_mask
    if settings is None:  # only a catalog without a mask leads here
        raise ParameterError(f"{run.method}.training.neighbourhood_mask is null; give it a threshold, or run train")
    fitted, about, learned = _fit(run, work, sources, prerequisites, functools.partial(mask_of, settings))
    assert fitted.masked is not None
    task, names = next(iter(learned.classes.items()))
    wrong = learned.true != learned.faces.labels[task]
    labels = pd.DataFrame({"sample_id": learned.faces.sample_ids, "label": learned.true, "flipped": wrong})
    masked = fitted.masked.merge(labels, on="sample_id", how="left")
    masked["label"] = masked["label"].map(dict(enumerate(names))).astype("str")
    return fitted.states, fitted.history, about, masked


def mask_of(settings: MaskSettings, generator: Checkpoint) -> "Mask":
    """Return the neighbourhood mask of a trained generator.

    Raises:
        CheckpointError: if the model is another method's, or its facts do not fit it.
    """
    from openfer.methods.contract import NeighbourGenerator
    from openfer.methods.registry import build
    from openfer.training.config import ImageSettings
    from openfer.training.neighbourhood import NeighbourhoodMask

    facts = generator.facts
    method = build(facts["method"], facts["config"], facts["classes"])
    if not isinstance(method, NeighbourGenerator):
        raise CheckpointError(f"neighbours are drawn by {GENERATOR}, this is a model of {facts['method']}")
    method.load_own_state(generator.tensors)
    return NeighbourhoodMask(settings, method, ImageSettings.model_validate(facts["images"]))


def fresh(
    run: RunSettings,
    classes: "Classes",
    prerequisites: Mapping[str, Checkpoint] | None = None,
    pretraining: Checkpoint | None = None,
) -> "tuple[Method, MatchReport]":
    """Build a method with the weights that its training starts from; run and classes alone decide them.

    Args:
        run: its settings.
        classes: class names by task.
        prerequisites: the models that the method needs; None for a method that is not to be trained.
        pretraining: the trained model that the backbone starts from, where the run asks for it.

    Returns:
        The method; how its backbone was initialised.
    """
    import torch

    from openfer.methods.registry import build
    from openfer.nn.initialisation import initialise
    from openfer.seeds import seed_for

    torch.manual_seed(seed_for(run.seed, "weights"))
    method = build(run.method, run.settings, classes, prerequisites)
    report = initialise(method.backbone(), run.initialisation, pretraining)
    return method.freeze(run.initialisation.frozen_until), report


class _Learned(NamedTuple):
    """What a run has learned from.

    Attributes:
        classes: class names by task.
        faces: with the labels that were learned.
        true: of the first task, as the dataset has them, (N,); empty without a task.
    """

    classes: "Classes"
    faces: "ConcatFaces"
    true: np.ndarray


def _fit(
    run: RunSettings,
    work: Path,
    sources: Sources,
    prerequisites: Mapping[str, Models],
    mask_of: "Callable[[Checkpoint], Mask] | None",
    frozen_maps: Path | None = None,
) -> tuple["Fitted", dict[str, Any], _Learned]:
    import torch

    from openfer.training.checks import check_folds, check_normalisation, warn_of_normalisation
    from openfer.training.loop import FitData, fit
    from openfer.training.tracking import MlflowTracker

    given = {name: main_model(models) for name, models in prerequisites.items()}
    needed = {name: given[name] for name in run.declared.prerequisites_of(run.settings)}
    check_normalisation(run.images, needed | {name: given[name] for name in (PRETRAIN,) if name in given})
    warn_of_normalisation(run.images, run.initialisation)
    data = sources_of(run, sources)
    classes = classes_of(data, run.tasks)
    method, report = fresh(run, classes, needed, None if run.start is None else given[run.start])
    starts = {name: model.facts for name, model in given.items()} | {run.initialisation.backbone: report.facts}
    check_folds(run.datasets, run.fold, starts)
    learned = {name for facts in starts.values() for name in facts.get("learned_from", facts.get("datasets", ()))}

    targets = run.declared.regression_targets
    seen = functools.partial(faces_for, regression_targets=targets, decodes=run.declared.looks_at_pixels)
    shown = _shown(run, method, frozen_maps)
    faces = shown(seen(data, "train", classes, run.images, run.seed, augmented=True))
    true = _flip_labels(run, classes, faces)
    validation, test = (seen(data, role, classes, run.images, run.seed) for role in ("val", "test"))
    validation = shown(validation)
    if "oracle_test" in run.training.selections:
        test = shown(test)
    watched = shown(seen(data, "train", classes, run.images, run.seed)) if run.training.watch_training else None
    fitted = fit(
        method,
        FitData(
            faces,
            validation if len(validation) else None,
            test if len(test) else None,
            watched,
            _votes(run, data, classes),
        ),
        run.training,
        run.seed,
        work,
        MlflowTracker(),
        mask=None if mask_of is None else mask_of(given[GENERATOR]),
    )
    about = _about(run, data, len(faces), report, given.values())
    about |= _initialised_from(run.declared.initialised_from, needed)
    about |= {
        "learned_from": sorted(learned | set(run.datasets)),
        "sampling": {stage.name: stage.schedule.sampling.model_dump(mode="json") for stage in method.stages()},
        "threads": torch.get_num_threads(),
        "code": {"openfer": __version__, **revision(Path(__file__).parent)},
    }
    for checkpoint in fitted.states.values():
        checkpoint.facts |= about | {"variant": run.row}
    history = fitted.history.assign(method=run.row)
    return replace(fitted, history=history), about, _Learned(classes, faces, true)


def _shown(run: RunSettings, method: "Method", frozen_maps: Path | None) -> "Callable[[ConcatFaces], ConcatFaces]":
    """Return what lets a training see faces: as they are, or as maps of the method's frozen layers."""
    if frozen_maps is None:
        return lambda faces: faces
    from openfer.code_version import code_modules, runs
    from openfer.training.frozen_maps import reading_maps

    code = code_modules(runs(reading_maps, type(method.backbone()).__module__))
    return functools.partial(reading_maps, method=method, config=run.training, folder=frozen_maps, code=code)


def _votes(run: RunSettings, data: list[Source], classes: "Classes") -> np.ndarray | None:
    """Return the training faces' votes in the order of the faces if the run learns from them."""
    if run.training.labels != "votes":
        return None
    rows = pd.concat([source.role("train") for source in data], ignore_index=True)
    return vote_counts(rows, next(iter(classes.values())))


def _flip_labels(run: RunSettings, classes: "Classes", faces: "ConcatFaces") -> np.ndarray:
    """Replace some training labels of the first task by wrong ones if the run asks for it; returns the true ones."""
    from openfer.protocols.label_noise import flipped
    from openfer.seeds import generator_for

    if not classes:
        return np.empty(0, dtype=np.int64)
    task, names = next(iter(classes.items()))
    true = faces.labels[task]
    if run.label_noise:
        draw = generator_for(run.seed, "label noise", task)
        faces.relabel(task, flipped(true, len(names), run.label_noise, draw))
    return true


def _initialised_from(name: str | None, models: Mapping[str, Checkpoint]) -> dict[str, str]:
    """Return the initialisation of a method that starts from another one's weights; nothing for any other method."""
    if name is None:
        return {}
    facts = models[name].facts
    words = f"{name} ({', '.join(facts['datasets'])} {facts['data_version']}, {facts['selection']})"
    return {"initialisation": words}


def _about(
    run: RunSettings, data: list[Source], n_train: int, report: "MatchReport", models: Iterable[Checkpoint]
) -> dict[str, Any]:
    licences = sorted({licence for source in data for licence in source.rows["licence"].unique()})
    handed_on = {licence for model in models for licence in model.facts.get("licences_of_weights", ())}
    return {
        "datasets": list(run.datasets),
        "fold": run.fold,
        "data_version": data_version(data),
        "n_train": n_train,
        "initialisation": report.describe() + _frozen(run.initialisation),
        "initialisation_sha256": report.sha256,
        "label_noise": run.label_noise,
        "licences_of_data": licences,
        "licences_of_weights": sorted(handed_on | set(report.licences)),
        "origin_of_weights": report.origin,
    }


def _frozen(start: InitialisationSettings) -> str:
    kept = ", maps cached" if start.cache_frozen else ""
    return "" if start.frozen_until == "none" else f"; frozen up to {start.frozen_until}{kept}"
