"""The doctor for sets that are rendered: their plan is what is expected."""

import pandas as pd

from openfer.datasets.contract import About, Expected
from openfer.doctor.config import DoctorConfig
from openfer.doctor.findings import class_counts, examine, verdict
from openfer.doctor.page import doctor_page
from openfer.io.face_store import FaceStore
from openfer.seeds import generator_for
from openfer_faces.synthetic.config import SyntheticConfig
from openfer_faces.synthetic.sets import plan

EMBEDDED_LICENCE = "CC0-1.0: rendered here, from CC0 assets"


def about_embedded(name: str) -> About:
    """Return title, licence, citation and access of a rendered set."""
    return About(f"the embedded set {name}", EMBEDDED_LICENCE, "rendered by openfer", "`kedro run` renders it")


def examine_embedded(name: str, settings: SyntheticConfig, rows: pd.DataFrame, faces: FaceStore) -> pd.DataFrame:
    """Compare rows and stored faces with the plan; stored faces take the place of files."""
    table = faces.table(["sample_id", "width", "height", "sha256"])
    place = rows.set_index("sample_id")["path"]
    files = pd.DataFrame({"path": table["sample_id"].map(place), "sha256": table["sha256"]})
    files["bytes"] = [len(faces.encoded(row)) for row in range(len(faces))]
    probed = files[["path"]].assign(width=table["width"], height=table["height"], problem=None)
    return examine(rows, files, probed, _expected(name, settings, rows))


def page_of_embedded(
    name: str,
    settings: SyntheticConfig,
    config: DoctorConfig,
    rows: pd.DataFrame,
    faces: FaceStore,
    findings: pd.DataFrame,
) -> str:
    """Return the page, with stored faces as samples."""
    label = rows["expression"].astype(object).fillna("(no label)")
    shown = {}
    for what, members in rows.groupby(label, sort=False):
        chosen = generator_for(config.seed, "doctor", str(what)).permutation(len(members))[: config.faces_per_class]
        some = members.iloc[sorted(chosen)]
        numbers = faces.rows_of(some["sample_id"])
        shown[str(what)] = [(path, faces.image(int(row))) for path, row in zip(some["path"], numbers, strict=True)]
    about = about_embedded(name)
    counts = class_counts(rows, _expected(name, settings, rows))
    return doctor_page(about, name, verdict(about.title, findings), findings, counts, shown)


def _expected(name: str, settings: SyntheticConfig, rows: pd.DataFrame) -> Expected:
    scenes = plan(name, settings)
    sides = scenes.groupby(scenes["partition"].astype(object).fillna(""))
    classes: dict[str, dict[str, int]] = {}
    if rows["expression"].notna().any():
        classes = {str(side): dict(members["expression"].value_counts()) for side, members in sides}
    side = settings.image_size
    return Expected(
        images={str(name): int(count) for name, count in sides.size().items()},
        classes=classes,
        subjects=scenes["person"].nunique(),
        sequences=scenes["sequence"].nunique() if "sequence" in scenes else None,
        image_size=(side, side),
        source="the plan",
    )
