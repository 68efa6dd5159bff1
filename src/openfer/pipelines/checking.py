"""What a run learns from, counted and checked before any run of a command trains."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from openfer.errors import DataError
from openfer.pipelines.sources import Source, Sources, classes_of, faces_for, sources_of
from openfer.runs.settings import RunSettings

_ROLES = ("train", "val", "test")


def labels(published: Mapping[str, Sequence[str]], run: RunSettings, sources: Sources) -> pd.DataFrame:
    """Count the labels that a run learns from, by role; refuse data that it cannot learn from.

    A run of several hours may come before this one. Its own training makes the same checks again.

    Args:
        published: the expressions that the publisher counts, by dataset.
        run: its settings.
        sources: its datasets, by name.

    Returns:
        The columns ``role, task, class, n``; of a run without a task only the number of its faces.

    Raises:
        DataError: if a set is empty, a class has no training face, or the labels cannot choose an epoch.
        ParameterError: if the batches cannot be filled as the sampling asks.
    """
    from openfer.methods.contract import MISSING
    from openfer.training.checks import check_data
    from openfer.training.sampling import Sampler

    data = [replace(source, extras={}) for source in sources_of(run, sources)]
    _refuse_absent_expressions(run, data, published)
    classes, targets = classes_of(data, run.tasks), run.declared.regression_targets
    decodes = run.declared.looks_at_pixels
    sets = {
        role: faces_for(data, role, classes, run.images, run.seed, regression_targets=targets, decodes=decodes)
        for role in _ROLES
    }
    train, validation, test = (sets[role] if len(sets[role]) else None for role in _ROLES)
    check_data(sets["train"] if train is None else train, validation, test, classes, run.training.selections, targets)
    first = train.labels[next(iter(classes))] if train is not None and classes else np.full(len(sets["train"]), MISSING)
    schedule = run.schedule
    Sampler(schedule.sampling, first, run.seed, run.method, schedule.batch_size, sets["train"].datasets)
    counted = [
        {"role": role, "task": task, "class": name, "n": int((faces.labels[task] == number).sum())}
        for role, faces in sets.items()
        for task, names in classes.items()
        for number, name in enumerate(names)
    ]
    every = [{"role": role, "task": "", "class": "", "n": len(faces)} for role, faces in sets.items()]
    return pd.DataFrame(counted or every)


def _refuse_absent_expressions(
    run: RunSettings, data: Sequence[Source], published: Mapping[str, Sequence[str]]
) -> None:
    """Refuse a dataset that lacks an expression which its options promise; the run would learn fewer classes."""
    if run.tasks[:1] != ("expression",) or run.train_faces is not None:  # a few faces may lack a class by chance
        return
    for source in data:
        train = set(source.role("train")["expression"].dropna())
        absent = [name for name in published.get(source.name, ()) if name not in train | set(run.leave_out)]
        if absent:
            raise DataError(
                f"{source.name} has no training face of {', '.join(absent)} in fold {run.fold}, which its options "
                f"promise; it has {', '.join(sorted(train)) or 'none at all'}. Complete the copy, which `kedro run "
                f"--pipelines doctor --params dataset={source.name}` examines, or set {run.method}.leave_out to "
                f"[{', '.join(absent)}]"
            )
