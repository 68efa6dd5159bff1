"""Thin nodes around the renderer."""

from pathlib import Path
from typing import Any

import pandas as pd

from openfer.io.face_store import FaceStore
from openfer.protocols.config import ProtocolConfig
from openfer_faces.synthetic.config import SyntheticConfig

_FACES_SHOWN, _SEQUENCES_SHOWN = 40, 8


def plan_scenes(name: str, config: SyntheticConfig) -> pd.DataFrame:
    """Return all scenes of a set."""
    from openfer_faces.synthetic.sets import plan

    return plan(name, config)


def publish_rows(name: str, scenes: pd.DataFrame) -> pd.DataFrame:
    """Return what the set labels; all else stays aside in the scenes."""
    from openfer_faces.synthetic.sets import rows

    return rows(name, scenes)


def render(scenes: pd.DataFrame, config: SyntheticConfig, work: Path) -> Path:
    """Render the scenes into a face store; a killed rendering goes on from its finished shards."""
    from openfer_faces.synthetic.render_set import render_set

    return render_set(scenes, config, work)


def split_expression(rows: pd.DataFrame, config: ProtocolConfig) -> pd.DataFrame:
    """Return the publisher's split with validation carved from training, subject-disjoint."""
    from openfer.protocols.official import official_split

    return official_split(rows, config.validation_share, config.seed)


def split_factors(rows: pd.DataFrame, config: ProtocolConfig) -> pd.DataFrame:
    """Return an image-wise hold-out: identities must be seen in training to be classified."""
    from openfer.protocols.holdout import HELD_OUT, image_holdout

    return image_holdout(rows, config.validation_share or HELD_OUT, config.seed)


def split_sequences(rows: pd.DataFrame, config: ProtocolConfig) -> pd.DataFrame:
    """Return peaks that train and the four frames before them that test; validation is carved, subject-disjoint."""
    from openfer.protocols.stability import stability_split

    return stability_split(rows, config.validation_share, config.seed)


def check_expression_leakage(rows: pd.DataFrame, split: pd.DataFrame, faces: FaceStore) -> pd.DataFrame:
    """Report subjects and equal images on both sides of a split.

    Raises:
        DataError: if a subject both trains and tests.
    """
    from openfer.protocols.leakage import leakage_report, refuse_shared_subjects

    report = leakage_report(rows, split, _hashes(faces))
    refuse_shared_subjects(report)
    return report


def check_factor_leakage(rows: pd.DataFrame, split: pd.DataFrame, faces: FaceStore) -> pd.DataFrame:
    """Report equal images on both sides of a hold-out; identities are shared by design."""
    from openfer.protocols.leakage import leakage_report

    return leakage_report(rows, split, _hashes(faces), identities_shared=True)


def check_sequence_leakage(rows: pd.DataFrame, split: pd.DataFrame, faces: FaceStore) -> pd.DataFrame:
    """Report equal images and who is in validation as well; train and test share people and sequences by design."""
    from openfer.protocols.leakage import leakage_report

    return leakage_report(rows, split, _hashes(faces), sequences_shared=True)


def landmarks(faces: FaceStore) -> pd.DataFrame:
    """Return the 68 points of each face as the renderer knows them, with 1 for those that the camera sees and 0."""
    return faces.table(["sample_id", "points68", "confidence68"])


def truths(name: str, scenes: pd.DataFrame) -> pd.DataFrame:
    """Return what is true of each face, labelled or not, for measurements after training."""
    from openfer_faces.synthetic.truths import truths as table

    return table(name, scenes)


def groups(scenes: pd.DataFrame, landmarks: pd.DataFrame) -> pd.DataFrame:
    """Return which faces are occluded by what, turned how far and seen how much."""
    from openfer_faces.synthetic.groups import scene_groups

    return scene_groups(scenes, landmarks)


def contact_sheet(faces: FaceStore, scenes: pd.DataFrame) -> Any:
    """Return a picture of faces of many people with what they show."""
    from openfer_faces.synthetic.contact_sheet import contact_sheet as sheet

    return sheet(faces, scenes.groupby("person", sort=False).head(2).head(_FACES_SHOWN))


def sequence_sheet(faces: FaceStore, scenes: pd.DataFrame) -> Any:
    """Return a picture of a sequence of each of some people, frame by frame, with what they show."""
    from openfer_faces.synthetic.contact_sheet import contact_sheet as sheet

    first = scenes["sequence"].isin(scenes.groupby("person", sort=False)["sequence"].first())
    frames = int(scenes["frame"].max())
    return sheet(faces, scenes[first].head(_SEQUENCES_SHOWN * frames), columns=frames)


def _hashes(faces: FaceStore) -> pd.Series:
    return faces.table(["sample_id", "sha256"]).set_index("sample_id")["sha256"]
