"""Are measured blendshapes the action units that were rendered? Correlation of both, unit by unit.

    python benchmarks/action_units.py data/03_primary/synthetic_fer

FOLDER holds ``faces`` and ``truths.parquet`` of an embedded set (`kedro run --pipelines synthesize`). The landmarker
measures every face. Covered faces are left out, and so are units that are rendered on fewer than 10 faces. The
intervals are of drawing the people (bootstrap, 95 %).
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from openfer.faces.mediapipe.blendshapes import BLENDSHAPES
from openfer.faces.mediapipe.measure_set import measure_set
from openfer.io.face_store import FaceStore
from openfer.labels import ACTION_UNITS
from openfer.seeds import generator_for

_RENDERED = 0.2
"""A larger weight is a movement that can be seen; idle movements stay below."""

_FEWEST = 10
_REPEATS = 500


def main() -> None:
    """Measure one set and print a row per unit, the best agreement first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    truths = pd.read_parquet(arguments.folder / "truths.parquet")
    with tempfile.TemporaryDirectory() as work:
        measured = measure_set(FaceStore(arguments.folder / "faces"), Path(work), arguments.folder.name)
    table = truths.merge(measured, on="sample_id").query("occluder == 'none' and presence >= 0.5")
    rendered = pd.DataFrame(np.stack(table["action_units"]), columns=list(ACTION_UNITS))
    seen = pd.DataFrame(np.stack(table["blendshapes"]), columns=list(BLENDSHAPES))
    people = [np.flatnonzero(table["person"] == name) for name in table["person"].unique()]
    rows = [
        row(name, rendered[name].to_numpy(), seen[name].to_numpy(), people)
        for name in ACTION_UNITS
        if (rendered[name] > _RENDERED).sum() >= _FEWEST
    ]
    print(f"{len(table)} uncovered faces of {len(people)} people, of {len(truths)} faces\n")
    print(pd.DataFrame(rows).sort_values("correlation", ascending=False).round(2).to_string(index=False))


def row(name: str, rendered: np.ndarray, seen: np.ndarray, people: list[np.ndarray]) -> dict[str, object]:
    """Return the correlation of one unit with its interval, and how strong it is rendered and measured."""
    generator = generator_for(0, "action units", name)
    draws = []
    for _ in range(_REPEATS):
        drawn = np.concatenate([people[number] for number in generator.integers(len(people), size=len(people))])
        draws.append(correlation(rendered[drawn], seen[drawn]))
    shown = rendered > _RENDERED
    return {
        "unit": name,
        "n rendered": int(shown.sum()),
        "correlation": correlation(rendered, seen),
        "low": float(np.nanpercentile(draws, 2.5)),
        "high": float(np.nanpercentile(draws, 97.5)),
        "measured where rendered": float(seen[shown].mean()),
        "elsewhere": float(seen[~shown].mean()),
    }


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return Pearson's correlation; NaN where one of both is constant."""
    return float(np.corrcoef(a, b)[0, 1]) if a.std() > 0 and b.std() > 0 else float("nan")


if __name__ == "__main__":
    main()
