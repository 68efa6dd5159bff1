"""Whether an answer holds over a sequence: failure cases and consistent failure cases (SNA, Table VII)."""

import numpy as np
import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaError

from openfer.errors import DataError
from openfer.evaluation.predictions import RUN, runs_in, single_run
from openfer.schemas import PREDICTIONS

PLACES = ("T-4", "T-3", "T-2", "T-1")
"""The tested frames of a sequence; T is the peak, which comes after them."""

_SEQUENCE = ["dataset", "sequence"]
_NAMED = 10
_REMEDY = (
    "predict all faces that test in a split of `protocol: {kind: stability}`, and give the rows that it was made of"
)

FRAMES = pa.DataFrameSchema(
    {
        "sample_id": pa.Column(str, unique=True, coerce=True),
        "dataset": pa.Column(str, coerce=True),
        "sequence": pa.Column(str, nullable=True, coerce=True),
        "frame": pa.Column("Int64", nullable=True, coerce=True),
    },
    strict="filter",
    name="frames",
)
"""Where in which sequence each sample stands; other columns of rows are not looked at."""


def stability(predictions: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Count the sequences in which an answer fails, and those in which it fails in one way throughout.

    A **failure case** (FC) is a sequence of which at least one of the four tested frames is wrong; a **consistent
    failure case** (CFC) one of which all four are taken for the same class, a wrong one. The paper prints their counts,
    means of five runs; it calls a method stable that has few of the first, most of which are of the second kind.

    Args:
        predictions: valid under :data:`openfer.schemas.PREDICTIONS`, of the frames that the protocol ``stability``
            tests. Samples that are not in the rows, such as another dataset's, do not count.
        rows: valid under :data:`FRAMES`.

    Returns:
        One row per run and dataset: what names the run (:data:`~openfer.evaluation.predictions.RUN`, its seed too), the
        ``dataset``, ``n`` sequences, the counts ``fc`` and ``cfc`` and their shares of ``n``, ``cfc_of_fc``, the
        consistent ones among the failures (null where nothing failed), and ``accuracy_T-4`` to ``accuracy_T-1``, each
        over ``n`` frames.

    Raises:
        DataError: as :func:`answers_by_sequence` does.
    """
    keys = [*RUN, "dataset"]
    table = []
    for key, group in answers_by_sequence(predictions, rows).groupby(keys, sort=False):
        n, failures, consistent = len(group), int(group["failure"].sum()), int(group["consistent"].sum())
        right = (np.array(group["y_pred"].tolist()) == group[["y_true"]].to_numpy()).mean(axis=0)
        counts = {"n": n, "fc": failures, "fc_share": failures / n, "cfc": consistent, "cfc_share": consistent / n}
        counts["cfc_of_fc"] = consistent / failures if failures else np.nan
        accuracy = {f"accuracy_{place}": float(share) for place, share in zip(PLACES, right, strict=True)}
        table.append(dict(zip(keys, key, strict=True)) | counts | accuracy)
    return pd.DataFrame(table)


def answers_by_sequence(predictions: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return what was answered in each sequence.

    Args:
        predictions: as :func:`stability` takes them.
        rows: valid under :data:`FRAMES`.

    Returns:
        One row per run and sequence: what names the run, ``dataset, sequence, y_true``, the lists ``sample_ids`` and
        ``y_pred`` in the order of :data:`PLACES`, and whether the sequence is a ``failure`` and a ``consistent`` one.

    Raises:
        DataError: if a table is not what it should be, no prediction is of these rows, a sample is predicted twice in
            a run, or a sequence has not exactly four tested frames in a row with one label.
    """
    predictions, frames = _checked(PREDICTIONS, predictions), _checked(FRAMES, rows)
    parts = [_of_run(run, frames).assign(**name) for name, run in runs_in(predictions)]
    if not parts:
        raise DataError("the predictions table is empty: no sequence was tested; check the split's test role")
    return pd.concat(parts, ignore_index=True)


def _of_run(run: pd.DataFrame, frames: pd.DataFrame) -> pd.DataFrame:
    name = single_run(run)
    tested = run[["sample_id", "y_true", "y_pred"]].merge(frames, on="sample_id")
    if tested.empty:
        raise DataError(f"none of the {len(run)} predictions of {name} is of one of the {len(frames)} rows; {_REMEDY}")
    without = tested[tested[["sequence", "frame"]].isna().any(axis=1)]
    if len(without):
        raise DataError(
            f"{len(without)} samples of {name} have no sequence or frame in the rows, the first "
            f"{without['sample_id'].iloc[0]}; {_REMEDY}"
        )
    tested = tested.sort_values([*_SEQUENCE, "frame"], ignore_index=True)
    sequences = tested.groupby(_SEQUENCE, sort=False)
    for (dataset, sequence), frame in sequences["frame"]:
        numbers = frame.tolist()
        if numbers != list(range(numbers[0], numbers[0] + len(PLACES))):
            raise DataError(
                f"sequence {sequence} of {dataset} has the tested frames {numbers[:_NAMED]} in {name}, where "
                f"{len(PLACES)} with consecutive numbers, each once, are expected; {_REMEDY}"
            )
    answered = tested["y_pred"].to_numpy(dtype=object).reshape(-1, len(PLACES))
    true = tested["y_true"].to_numpy(dtype=object).reshape(-1, len(PLACES))
    differ = (true != true[:, :1]).any(axis=1)
    if differ.any():
        where = tested.iloc[int(differ.argmax()) * len(PLACES)]
        raise DataError(
            f"sequence {where['sequence']} of {where['dataset']} has several labels, such as "
            f"{sorted(set(true[differ][0]))}, in {name}; a group of frames has one: {_REMEDY}"
        )
    wrong = answered != true
    names = tested["sample_id"].to_numpy(dtype=object).reshape(-1, len(PLACES))
    first = tested.iloc[:: len(PLACES)][[*_SEQUENCE, "y_true"]].reset_index(drop=True)
    return first.assign(
        sample_ids=pd.Series(names.tolist(), dtype=object),
        y_pred=pd.Series(answered.tolist(), dtype=object),
        failure=wrong.any(axis=1),
        consistent=wrong.all(axis=1) & (answered == answered[:, :1]).all(axis=1),
    )


def _checked(schema: pa.DataFrameSchema, table: pd.DataFrame) -> pd.DataFrame:
    try:
        return schema.validate(table)
    except SchemaError as error:
        raise DataError(f"the table of {schema.name} is not valid: {error}; {_REMEDY}") from error
