"""What a run's features know of every factor, before its training and after: plain functions for studies and notebooks.

No node of a pipeline's: a study calls :func:`probe_run` for each of its runs and stacks the tables.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from openfer.errors import DataError
from openfer.nn.initialisation_settings import PRETRAIN
from openfer.pipelines.method_nodes import Models, fresh, main_model, restore
from openfer.pipelines.method_run import MethodRun
from openfer.pipelines.training_data import Source, faces_for, sources_of, tested_role

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
    run: MethodRun, models: Models, *tables: Any, truths: pd.DataFrame, pretraining: Models | None = None
) -> Probed:
    """Measure the features of the tested faces, whose people the run has never seen, before training and after.

    Before training is the method as its training began: the weights that the run's seed gives, with its pretraining
    where it has one, in evaluation mode. After training is the main selection. What a method needs in training
    alone, such as ADDL's DFEM, is not asked for. It takes some twenty seconds of one core for 500 faces and two
    features.

    Args:
        run: its parameters.
        models: its checkpoints by selection, as ``<name>_models`` holds them: ``{"last": lambda: checkpoint}``.
        *tables: rows, faces, split and the method's extras of each dataset, in the run's order, as its other nodes
            take them.
        truths: valid under :data:`openfer.schemas.TRUTHS`, of all datasets of the run (``pandas.concat`` of their
            ``<dataset>_truths``).
        pretraining: the models of the pretraining, where ``run.initialisation.backbone`` asks for it.

    Raises:
        DataError: if a tested face has no truths, or one of its people trains too.
        CheckpointError: if a model does not fit.
    """
    from openfer.evaluation.probes import probe_table, truths_of
    from openfer.training.representations import representations

    checkpoint = main_model(models)
    classes = {task: tuple(names) for task, names in checkpoint.facts["classes"].items()}
    start = main_model(pretraining) if pretraining is not None and run.initialisation.backbone == PRETRAIN else None
    methods = {"before": fresh(run, classes, pretraining=start)[0], "after": restore(run, checkpoint)}
    data = sources_of(run, tables)
    role = tested_role(data)
    _refuse_known_people(data, role)
    faces = faces_for(data, role, {}, run.images, run.seed)
    known = truths_of(faces.sample_ids.tolist(), truths)
    found = {when: representations(method, faces, run.training) for when, method in methods.items()}
    names: dict[str, str | int] = {
        "method": run.method,
        "variant": run.row(methods["after"].variant),
        "selection": str(checkpoint.facts["selection"]),
        "seed": run.seed,
    }
    return Probed(
        probe_table(found, known["sample_id"].tolist(), known, **names),
        _independence(found, known["person"].to_numpy(), run.seed, names),
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
