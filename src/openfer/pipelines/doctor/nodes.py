"""Thin nodes of the doctor."""

from dataclasses import replace
from typing import Any

import pandas as pd

from openfer.doctor.config import DoctorConfig
from openfer.io.face_store import FaceStore
from openfer.parameters import RawFolder, Settings
from openfer_faces.synthetic.config import SyntheticConfig


def probe(root: RawFolder, rows: pd.DataFrame, inventory: pd.DataFrame, config: DoctorConfig) -> pd.DataFrame:
    """Decode the images of the copy."""
    from openfer.doctor.probe import probe as decode

    return decode(rows, inventory, root.root, config.decoded, config.seed, config.workers)


def examine(
    reader: str, options: Settings, rows: pd.DataFrame, inventory: pd.DataFrame, probed: pd.DataFrame
) -> pd.DataFrame:
    """Compare the copy with what its reader expects."""
    from openfer.datasets.registry import READERS
    from openfer.doctor.findings import examine as compare

    known = READERS[reader](options)
    there = rows["path"].isin(inventory["path"]).any()
    advice = "" if there else known.advice(frozenset(inventory["path"]))
    return compare(rows, inventory, probed, known.expected(), advice)


def page(
    name: str,
    reader: str,
    root: RawFolder,
    options: Settings,
    config: DoctorConfig,
    rows: pd.DataFrame,
    inventory: pd.DataFrame,
    findings: pd.DataFrame,
) -> str:
    """Return the doctor's page, with sample faces from the raw images."""
    from openfer.datasets.registry import READERS
    from openfer.doctor.findings import class_counts, verdict
    from openfer.doctor.page import doctor_page
    from openfer.doctor.probe import sample_faces

    known = READERS[reader](options)
    faces = sample_faces(rows, inventory, root.root, config.faces_per_class, config.seed)
    words = verdict(known.about.title, findings)
    about = replace(known.about, licence="; ".join(sorted(rows["licence"].unique())))  # one's own data bring theirs
    return doctor_page(about, name, words, findings, class_counts(rows, known.expected()), faces)


def examine_embedded(name: str, settings: SyntheticConfig, rows: pd.DataFrame, faces: FaceStore) -> pd.DataFrame:
    """Compare a rendered set with its plan."""
    from openfer.doctor.embedded import examine_embedded as compare

    return compare(name, settings, rows, faces)


def page_of_embedded(
    name: str,
    settings: SyntheticConfig,
    config: DoctorConfig,
    rows: pd.DataFrame,
    faces: FaceStore,
    findings: pd.DataFrame,
) -> str:
    """Return the doctor's page of a rendered set."""
    from openfer.doctor.embedded import page_of_embedded as write

    return write(name, settings, config, rows, faces, findings)


def say(name: str, title: str, findings: pd.DataFrame) -> dict[str, Any]:
    """Return the verdict."""
    from openfer.doctor.findings import verdict

    problems = int((findings["level"] == "problem").sum())
    return {"dataset": name, "verdict": verdict(title, findings), "problems": problems}
