"""Thin nodes around the renderer."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from openfer.protocols.config import ProtocolConfig
from openfer.synthetic.config import SyntheticConfig

if TYPE_CHECKING:
    from PIL.Image import Image

    from openfer.io.face_store import FaceStore


def plan_scenes(name: str, config: SyntheticConfig) -> pd.DataFrame:
    """Return all scenes of a set."""
    from openfer.synthetic.sets import plan

    return plan(name, config)


def publish_rows(name: str, scenes: pd.DataFrame) -> pd.DataFrame:
    """Return what the set labels; all else stays aside in the scenes."""
    from openfer.synthetic.sets import rows

    return rows(name, scenes)


def render(scenes: pd.DataFrame, config: SyntheticConfig, work: Path) -> Path:
    """Render the scenes into a face store; a killed rendering goes on from its finished shards."""
    from openfer.synthetic.render_set import render_set

    return render_set(scenes, config, work)


def split_expression(rows: pd.DataFrame, config: ProtocolConfig) -> pd.DataFrame:
    """Return the publisher's split with validation carved from training, subject-disjoint."""
    from openfer.protocols.official import official_split

    return official_split(rows, config.validation_share, config.seed)


def split_factors(rows: pd.DataFrame, config: ProtocolConfig) -> pd.DataFrame:
    """Return an image-wise hold-out: identities must be seen in training to be classified."""
    from openfer.protocols.holdout import image_holdout

    return image_holdout(rows, config.validation_share, config.seed)


def check_leakage(rows: pd.DataFrame, split: pd.DataFrame, faces: "FaceStore") -> pd.DataFrame:
    """Report subjects and equal images on both sides of a split."""
    from openfer.protocols.leakage import leakage_report

    table = faces.table(["sample_id", "sha256"])
    return leakage_report(rows, split, table.set_index("sample_id")["sha256"])


def contact_sheet(faces: "FaceStore", scenes: pd.DataFrame) -> "Image":
    """Return a sheet of the first faces with what they show."""
    from openfer.synthetic.contact_sheet import contact_sheet as sheet

    chosen: Any = scenes.head(40)
    return sheet(faces, chosen)
