"""A study as a project leaves it: two rows and two seeds, probes of both features, and pictures."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from openfer.schemas import INDEPENDENCE, PROBES

ROWS = {"Baseline": ("baseline", ("expression",)), "ADDL": ("addl", ("expression", "disturbance"))}
"""Method and features of each row."""


def table(column: str = "RAF-DB", trained_on: str = "synthetic_fer", differs: str = "") -> pd.DataFrame:
    """Return a study's table with two selections of each row."""
    known = {"column": column, "measure": "accuracy", "unit": "%", "published": np.nan if differs else 86.93}
    known |= {"difference": np.nan, "source": "Table 3", "differs": differs, "remark": ""}
    known |= {"seeds": 2, "folds": 1, "n": 500, "trained_on": trained_on, "tested_on": "test", "missing": ""}
    known |= {"initialisation": "random weights", "data_version": "0123", "epoch": "3, 4", "sweep": "", "at": np.nan}
    return pd.DataFrame(
        [
            known | {"row": row, "ours": 50.0 + place, "sd": 1.25, "selection": selection, "main": main}
            for place, row in enumerate(ROWS)
            for selection, main in (("best_val", True), ("last", False))
        ]
    )


def probes() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return probes of two factors, and the independence of the row with two features."""
    asked, measured = [], []
    size = {"n": 500, "people": 50}
    for row, (method, parts) in ROWS.items():
        for seed in (0, 1):
            for when, gain in (("before", 0.0), ("after", 0.2)):
                run = {"row": row, "column": "RAF-DB", "method": method, "variant": method, "selection": "best_val"}
                run |= {"seed": seed, "when": when} | size
                for part in parts:
                    for factor, classes in (("expression", 7), ("gender", 2)):
                        score = 1 / classes + gain + 0.1 * seed
                        found = {"balanced_accuracy": score, "balanced_chance": 1 / classes, "held_out": "people"}
                        bounds = {"balanced_low": 0.1, "balanced_high": 0.9, "accuracy": 0.6, "chance": 0.5}
                        asked.append(run | {"part": part, "factor": factor, "classes": classes} | found | bounds)
                if len(parts) > 1:
                    measured.append(run | {"measure": "hsic", "value": 0.5 - gain + 0.1 * seed, "p_value": 0.002})
    where = ["row", "column"]
    return (
        pd.DataFrame(asked)[[*where, *PROBES.columns]],
        pd.DataFrame(measured)[[*where, *INDEPENDENCE.columns]],
    )


def write_study(root: Path, name: str, *, asked: bool = True) -> Path:
    """Write what a study leaves below the folder of the layers.

    Args:
        root: folder of the layers.
        name: of the study.
        asked: whether its features were probed and laid out.
    """
    folder = root / "08_reporting" / "studies" / name
    folder.mkdir(parents=True)
    table().to_csv(folder / "table.csv", index=False)
    (folder / "table.md").write_text("### What <b>rows</b> add\n\n| row |\n")
    cells = [
        {"row": row, "column": "RAF-DB", "seed": seed, "fold": 0, "method": method, "state": "done", "error": ""}
        | {"seconds": 12.5, "run": f"{method}{seed}"}
        for row, (method, _) in ROWS.items()
        for seed in (0, 1)
    ]
    cells[-1] |= {"state": "failed", "error": "DataError: no faces", "seconds": np.nan, "run": ""}
    pd.DataFrame(cells).to_csv(folder / "cells.csv", index=False)
    pair = {"column": "RAF-DB", "first": "ADDL", "second": "Baseline", "difference": 0.01, "low": -0.05, "high": 0.07}
    pair |= {
        "selection": "best_val",
        "standard_error": 0.03,
        "of_faces": 0.018,
        "of_training": 0.024,
        "seeds": 2,
        "n": 500,
        "people": 50,
    }
    pair |= {"p_value": 0.75, "comparisons": 1, "corrected": 0.75, "distinguishable": False}
    pd.DataFrame([pair]).to_csv(folder / "comparison.csv", index=False)
    Image.new("RGB", (700, 300), "white").save(folder / "table.png")
    if asked:
        for part, made in zip(("probes", "independence"), probes(), strict=True):
            made.to_csv(folder / f"{part}.csv", index=False)
        noise = np.random.default_rng(0).integers(0, 255, (500, 2000, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / "tsne.png")
    return folder
