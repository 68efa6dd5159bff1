"""What the features of a run know of every factor, before its training and after it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from openfer.errors import DataError
from openfer.pipelines.sources import Source, Sources
from openfer.pipelines.train import fresh
from openfer.pipelines.trained import Models, load_trained, main_model
from openfer.runs.settings import RunSettings

_PARTS = ("disturbance", "expression")
"""The two features that are to be independent."""


class Probed(NamedTuple):
    """What was measured of a run.

    Attributes:
        probes: valid under :data:`openfer.schemas.PROBES`.
        independence: valid under :data:`openfer.schemas.INDEPENDENCE`; empty for a method without a disturbance
            feature, and without MINE's bound where fewer than four people are tested.
    """

    probes: pd.DataFrame
    independence: pd.DataFrame


def probe_run(
    run: RunSettings,
    models: Models,
    sources: Sources,
    truths: Mapping[str, pd.DataFrame],
    prerequisites: Mapping[str, Models],
) -> Probed:
    """Measure the features of the tested faces, whose people the run has never seen, before training and after it.

    Before training, the method has the weights that its training started from: those of the run's seed, with its
    pretraining if it has one, in evaluation mode. After training, it has those of the main selection. Prerequisites of
    training alone, such as ADDL's DFEM, are not needed. It takes some twenty seconds of one core for 500 faces and two
    features.

    Args:
        run: its settings.
        models: its checkpoints by selection.
        sources: its datasets, by name.
        truths: :data:`openfer.schemas.TRUTHS` of each dataset, by name.
        prerequisites: the models that the backbone starts from, if any.

    Raises:
        DataError: if a tested face has no truths, or one of its people trains too.
        CheckpointError: if a model does not fit.
    """
    from openfer.evaluation.probes import probe_table, truths_of
    from openfer.training.representations import representations

    trained = load_trained(run, models, sources)
    classes = {task: tuple(names) for task, names in trained.checkpoint.facts["classes"].items()}
    start = None if run.start is None else main_model(prerequisites[run.start])
    methods = {"before": fresh(run, classes, pretraining=start)[0], "after": trained.method}
    _refuse_known_people(trained.data, trained.role)
    faces = trained.faces(classes={})
    known = truths_of(faces.sample_ids.tolist(), pd.concat(list(truths.values()), ignore_index=True))
    found = {when: representations(method, faces, run.training) for when, method in methods.items()}
    return Probed(
        probe_table(found, known["sample_id"].tolist(), known, **trained.names),
        _independence(found, known["person"].to_numpy(), run.seed, trained.names),
    )


def _refuse_known_people(data: Sequence[Source], role: str) -> None:
    for source in data:
        both = sorted(set(source.role(role)["subject"]) & set(source.role("train")["subject"]))
        if both:
            raise DataError(
                f"{len(both)} of the tested people of {source.rows['dataset'].iloc[0]} train too, the first {both[0]}; "
                "features of faces that were learned say little of others: probe a run on a split that keeps people "
                "apart"
            )


def _independence(
    found: Mapping[str, Mapping[str, np.ndarray]], people: np.ndarray, seed: int, names: Mapping[str, str | int]
) -> pd.DataFrame:
    from openfer.evaluation.independence import dependence
    from openfer.schemas import INDEPENDENCE
    from openfer.training.information import FEWEST_PEOPLE, information_bound

    rows = []
    for when, parts in found.items():
        if not set(_PARTS) <= set(parts):
            continue
        disturbance, expression = (parts[name] for name in _PARTS)
        about = {**names, "when": when, "n": len(people), "people": len(set(people))}
        kernel = dependence(disturbance, expression)
        rows.append(about | {"measure": "hsic", "value": kernel.value, "p_value": kernel.p_value})
        if len(set(people)) >= FEWEST_PEOPLE:
            bound = information_bound(disturbance, expression, people, seed).held_out
            rows.append(about | {"measure": "mine", "value": bound, "p_value": None})
    return INDEPENDENCE.validate(pd.DataFrame(rows, columns=list(INDEPENDENCE.columns)))
