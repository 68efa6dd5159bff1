"""What must hold of the data before the first step."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from openfer.errors import DataError, ParameterError
from openfer.io.checkpoint import Checkpoint
from openfer.methods.contract import MISSING, Classes, Method, Stage
from openfer.nn.initialisation_settings import InitialisationSettings
from openfer.training.config import ImageSettings, Selection
from openfer.training.data import Faces
from openfer.training.sampling import BY_CLASS

_log = logging.getLogger(__name__)

_SAME = 1e-3
"""Means and deviations that differ by less are the same number, rounded."""

_CHOSEN_ON = {"best_val": "validation", "oracle_test": "test"}
"""The set that chooses a selection's epoch."""


def check_data(
    train: Faces,
    validation: Faces | None,
    test: Faces | None,
    classes: Classes,
    selections: tuple[Selection, ...],
    regression_targets: tuple[str, ...] = (),
) -> None:
    """Refuse data that a method cannot learn from or be selected by.

    Args:
        train: who trains.
        validation: who selects; None where nobody does.
        test: who tests, where the trainer is to know.
        classes: by task.
        selections: the epochs that are asked for.
        regression_targets: names of the continuous labels that are learned.

    Raises:
        DataError: if a set is empty or lacks a task, a label is out of range, the training set shows
            fewer than two classes of a task or hardly a value of what is regressed, or a set that is to choose an
            epoch has no label.
        ParameterError: if ``oracle_test`` is asked for without a test set, or ``best_val`` without a validation set.
    """
    if "oracle_test" in selections and test is None:
        raise ParameterError(
            "selections has oracle_test, but this run is given no test set; take it out of training.selections"
        )
    if "best_val" in selections and validation is None:
        raise ParameterError(
            "there is no validation set, and best_val chooses an epoch by it; hold validation faces out "
            "(protocol.validation_share, hold_out_validation), or set training.selections to [last]"
        )
    named = {"training": train} | ({} if validation is None else {"validation": validation})
    if "oracle_test" in selections and test is not None:
        named["test"] = test
    for which, faces in named.items():
        _check_set(which, faces, classes)
        _check_has(which, faces, regression_targets)
    for task, names in classes.items():
        _check_several_classes(task, names, train.labels[task])
    for name in regression_targets:
        _check_several_values(name, train.targets[name])
    for selection in selections:
        if selection in _CHOSEN_ON:
            _check_chooses(selection, _CHOSEN_ON[selection], named[_CHOSEN_ON[selection]], classes, regression_targets)


def check_weights(method: Method, masked: bool, weighted: Sequence[bool]) -> None:
    """Refuse weights of samples for a method whose losses do not read them.

    Args:
        method: which is to train.
        masked: whether a neighbourhood mask weighs its samples.
        weighted: for each stage whether its sampling does.

    Raises:
        ParameterError: if it does not weigh its samples.
    """
    if method.declared.supports_sample_weights or not (masked or any(weighted)):
        return
    setting = "training.neighbourhood_mask" if masked else "the schedule's sampling: {kind: weighted}"
    raise ParameterError(
        f"{setting} gives each sample a weight, which {method.name} does not read; take it out, or choose a method "
        "that weighs its samples, as all that recognise expressions do"
    )


def check_rated(train: Faces, stages: Sequence[Stage], labels: np.ndarray) -> None:
    """Refuse rules that show labelled samples only where others are rated, which would never be learned from.

    Args:
        train: the training set.
        stages: of the method.
        labels: by which classes are told apart, (N,).

    Raises:
        ParameterError: if a rule leaves rated samples out.
    """
    rated = np.array([~np.isnan(values) for values in train.targets.values()]).any(axis=0)
    lost = int((rated & (labels == MISSING)).sum()) if train.targets else 0
    for stage in stages:
        if lost and isinstance(stage.schedule.sampling, BY_CLASS):
            raise ParameterError(
                f"stage {stage.name} has sampling: {{kind: {stage.schedule.sampling.kind}}}, which leaves out {lost} "
                "samples that are rated and have no class; set {kind: all}"
            )


def check_devices(devices: int, stages: Sequence[Stage]) -> None:
    """Refuse more devices than a batch has samples, of which some would have nothing to do.

    Args:
        devices: that train together.
        stages: of the method.

    Raises:
        ParameterError: if a stage's batches are smaller.
    """
    for stage in stages:
        if stage.schedule.batch_size < devices:
            raise ParameterError(
                f"stage {stage.name} has batches of {stage.schedule.batch_size} samples, which cannot be divided among "
                f"{devices} devices; set training.devices to {stage.schedule.batch_size} at most"
            )


def check_normalisation(images: ImageSettings, needed: Mapping[str, Checkpoint]) -> None:
    """Refuse a needed model that learned from images of another brightness or channel order than those it would see.

    The crop may differ: networks take faces of any size.

    Args:
        images: of the method that needs the models: they get its batches, or it starts from their weights.
        needed: trained models by name.

    Raises:
        ParameterError: if mean, standard deviation or the channels' order differ.
    """
    for name, model in needed.items():
        there = ImageSettings.model_validate(model.facts["images"])
        if (there.channel_means, there.channel_stds) != (images.channel_means, images.channel_stds):
            raise ParameterError(
                f"images are normalised with mean {images.mean} and std {images.std}, but {name}, which sees the same "
                f"batches or gives the first weights, was trained with mean {there.mean} and std {there.std}; give "
                f"both the same images.mean and images.std, and train {name} again if its own change"
            )
        if there.channels != images.channels:
            raise ParameterError(
                f"images.channels is {images.channels}, but {name}, which sees the same batches or gives the first "
                f"weights, was trained with {there.channels}; give both the same, and train {name} again if its own "
                "changes"
            )


def warn_of_normalisation(images: ImageSettings, initialisation: InitialisationSettings) -> None:
    """Warn where images are normalised otherwise than those that first weights were learned from.

    Training goes on: batch normalisation makes up for much of it, and the papers themselves do so.
    """
    entry = initialisation.entry
    if entry is None or entry.mean is None or entry.std is None:
        return
    if not np.allclose((entry.mean, entry.std), (images.channel_means, images.channel_stds), atol=_SAME):
        _log.warning(
            "%s was learned from images normalised with mean %s and std %s, these are with mean %s and std %s; set "
            "images.mean and images.std to compare",
            initialisation.backbone, _words(entry.mean), _words(entry.std), _words(images.channel_means),
            _words(images.channel_stds),
        )  # fmt: skip


def _words(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def check_folds(datasets: Sequence[str], fold: int, models: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse a model that learned from faces which the run that starts from it tests.

    Args:
        datasets: of the run.
        fold: which of their folds is tested.
        models: by name what each model says of its making; one of another program says nothing and passes.

    Raises:
        ParameterError: if one was trained on another fold of one of the datasets.
    """
    for name, facts in models.items():
        shared = sorted(set(datasets) & set(facts.get("datasets", ())))
        if shared and facts["fold"] != fold:
            raise ParameterError(
                f"fold {fold} of {', '.join(shared)} is tested, but {name}, which the training starts from, learned "
                f"with fold {facts['fold']} held out, and so from faces that are tested now; train {name} with "
                f"fold: {fold}"
            )


def _check_set(which: str, faces: Faces, classes: Classes) -> None:
    if len(faces) == 0:
        raise DataError(f"the {which} set is empty; look at the split and at the quarantine table of its faces")
    for task, names in classes.items():
        if task not in faces.labels:
            raise DataError(f"the {which} set has no labels of {task}, only of {', '.join(faces.labels) or 'nothing'}")
        labels = faces.labels[task]
        wrong = (labels != MISSING) & ((labels < 0) | (labels >= len(names)))
        if wrong.any():
            first = int(wrong.argmax())
            raise DataError(
                f"sample {faces.sample_ids[first]} of the {which} set has {task} number {labels[first]}, but there are "
                f"{len(names)} classes: {', '.join(names)}; the labels were numbered by another class list"
            )


def _check_several_classes(task: str, names: tuple[str, ...], labels: np.ndarray) -> None:
    present = [names[number] for number in np.unique(labels[labels != MISSING])]
    if len(present) < 2:
        found = f"only {present[0]!r}" if present else "none"
        raise DataError(
            f"the training set has one class of {task} at most: it shows {found} of {', '.join(names)} in "
            f"{len(labels)} samples, and a classifier of one class learns nothing. Check that the split and the labels "
            f"belong together, or take samples of at least two classes"
        )


def _check_has(which: str, faces: Faces, regression_targets: Sequence[str]) -> None:
    lacking = [name for name in regression_targets if name not in faces.targets]
    if lacking:
        raise DataError(f"the {which} set has no values of {', '.join(lacking)}; give FaceDataset its targets")


def _check_several_values(name: str, values: np.ndarray) -> None:
    rated = values[~np.isnan(values)]
    if not len(rated) or (rated == rated[0]).all():
        found = f"{len(rated)} rated, all of them {rated[0]:g}" if len(rated) else "none rated"
        raise DataError(
            f"the training set has no two values of {name} that differ: of its {len(values)} samples {found}. Choose a "
            f"dataset whose rows hold {name}, or ingest it again if its rows are older than this factor"
        )


def _check_chooses(
    selection: Selection, which: str, faces: Faces, classes: Classes, regression_targets: Sequence[str]
) -> None:
    if regression_targets:
        missing = [name for name in regression_targets if np.isnan(faces.targets[name]).all()]
    else:
        missing = [] if any((faces.labels[task] != MISSING).any() for task in classes) else list(classes)
    if missing:
        raise DataError(
            f"no sample of the {which} set is labelled for {', '.join(missing)}, so {selection} can choose no epoch by "
            f"it; give the split labelled {which} samples, or take {selection} out of training.selections (last needs "
            "no labels)"
        )
