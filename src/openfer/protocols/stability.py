"""The split that shows whether an answer holds over a sequence: its peak trains, the frames before it test (SNA)."""

import logging

import numpy as np
import pandas as pd

from openfer.errors import DataError, ParameterError
from openfer.protocols.carving import carve, subject_groups
from openfer.schemas import SPLIT
from openfer.seeds import generator_for

_log = logging.getLogger(__name__)

BEFORE = 4
"""Frames before the peak that test: T-4 to T-1."""

_SEQUENCE = ["dataset", "sequence"]
_REMEDY = "let its reader keep at least the last five frames, `options: {frames: all}`"


def stability_split(rows: pd.DataFrame, validation_share: float, seed: int, task: str = "expression") -> pd.DataFrame:
    """Let the last frame of each sequence train and the four frames before it test (SNA, Fig. 1 and Table VII).

    **Test sequences are the training sequences**, so accuracy here says nothing about unseen people: what is asked is
    whether the answer that was learned for the peak holds for the frames that lead to it. Validation is carved from the
    peaks, whole subjects where they are known, and the earlier frames of these people have no role. The publisher's
    partition is ignored.

    A sequence gets no role, and is counted in the log, if it does not end with five frames in a row, that is with
    consecutive numbers, which carry one label: it is too short, or a frame between has no face.

    Args:
        rows: the columns ``sample_id, dataset, subject, sequence, frame`` and the task's labels; rows without the
            label get no role.
        validation_share: of the sequences, in [0, 1).
        seed: the root seed; the split does not depend on the order of the rows.
        task: the column whose null rows are left out and whose classes are balanced.

    Returns:
        A table valid under :data:`openfer.schemas.SPLIT`, in the order of the rows, fold 0.

    Raises:
        ParameterError: if the share is not in [0, 1).
        DataError: if a labelled row has no sequence or no frame, two are the same frame of one sequence, no sequence
            is long enough, all have one class, or the share leaves one side without a subject.
    """
    if not 0 <= validation_share < 1:
        raise ParameterError(f"validation_share is {validation_share}; give a number from 0 to below 1, such as 0.15")
    labelled = _labelled(rows, task)
    ordered = labelled.sort_values([*_SEQUENCE, "frame"], ignore_index=True)
    before_last = ordered.groupby(_SEQUENCE, sort=False).cumcount(ascending=False).to_numpy()
    ordered = ordered[before_last <= BEFORE].assign(before=before_last[before_last <= BEFORE])
    ordered = ordered[_is_whole(ordered, task)].reset_index(drop=True)
    whole, count = ordered.groupby(_SEQUENCE).ngroups, labelled.groupby(_SEQUENCE).ngroups
    if not whole:
        raise DataError(
            f"none of the {count} sequences of {labelled['dataset'].iloc[0]} ends with {BEFORE + 1} frames in a row of "
            f"one {task}; the longest has {labelled.groupby(_SEQUENCE).size().max()}: {_REMEDY}, or choose another "
            "protocol"
        )
    if whole < count:
        _log.warning(
            "%d of %d sequences do not end with %d frames in a row of one %s and get no role",
            *(count - whole, count, BEFORE + 1, task),
        )
    peaks = ordered[ordered["before"] == 0].reset_index(drop=True)
    if peaks[task].nunique() < 2:
        raise DataError(
            f"all {whole} sequences have the same {task} ({peaks[task].iloc[0]}): there is nothing to learn; check the "
            "labels of the dataset"
        )
    group = subject_groups(peaks)
    chosen = carve(peaks, group, task, validation_share, generator_for(seed, "stability_split", task))
    held = peaks.iloc[chosen].set_index(_SEQUENCE).index
    is_held = ordered.set_index(_SEQUENCE).index.isin(held)
    is_peak = (ordered["before"] == 0).to_numpy()
    role = pd.Series(np.where(is_peak, np.where(is_held, "val", "train"), "test"), ordered["sample_id"])
    role = role[~is_held | is_peak]
    named = labelled.loc[labelled["sample_id"].isin(role.index), ["sample_id"]]
    split = named.assign(fold=0, role=role[named["sample_id"]].to_numpy())
    return SPLIT.validate(split.reset_index(drop=True))


def _is_whole(ordered: pd.DataFrame, task: str) -> np.ndarray:
    """Return which rows, at most five of a sequence in their order, belong to five in a row with one label."""
    sequences = ordered.groupby(_SEQUENCE, sort=False)
    length = sequences["frame"].transform("size")
    span = sequences["frame"].transform("max") - sequences["frame"].transform("min")
    labels = sequences[task].transform("nunique")
    return ((length == BEFORE + 1) & (span == BEFORE) & (labels == 1)).to_numpy(dtype=bool)


def _labelled(rows: pd.DataFrame, task: str) -> pd.DataFrame:
    labelled = rows[rows[task].notna()].reset_index(drop=True)
    if labelled.empty:
        raise DataError(
            f"none of the {len(rows)} rows has a label of {task}: there is nothing to learn; check the reader"
        )
    if len(labelled) < len(rows):
        _log.warning("%d of %d rows carry no %s and get no role", len(rows) - len(labelled), len(rows), task)
    without = int(labelled[["sequence", "frame"]].isna().any(axis=1).sum())
    if without:
        raise DataError(
            f"{without} of {len(labelled)} labelled rows of {labelled['dataset'].iloc[0]} have no sequence or frame: "
            "the stability protocol is for recordings, such as CK+ and Oulu-CASIA; choose another protocol"
        )
    twice = labelled.duplicated([*_SEQUENCE, "frame"])
    if twice.any():
        first = labelled[twice].iloc[0]
        raise DataError(
            f"sequence {first['sequence']} of {first['dataset']} has frame {first['frame']} more than once, such as "
            f"sample {first['sample_id']}; correct the reader, or remove the copy"
        )
    return labelled
