"""OADN's 24 points on photographs with pasted occluders: does the score fall where something covers them?

The folder is that of ``benchmarks/landmarks.py``, the model a checkpoint of the pipeline landmarks::

    python benchmarks/interest_points.py photographs data/06_models/landmarks/model.safetensors --picture points.png
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from landmarks import cut_out  # beside this file
from openfer.evaluation.figures import interest_points_sheet
from openfer.io.checkpoint import load_checkpoint
from openfer.labels import BASIC_EXPRESSIONS
from openfer.methods.declared.oadn import OADNSettings
from openfer.methods.oadn import OADN, Attention
from openfer.nn.interest_points import PARTS
from openfer_faces.landmarks.calibrate import auc
from openfer_faces.landmarks.choose import landmarker
from openfer_faces.landmarks.contract import Landmarks
from openfer_faces.landmarks.evidence import paste_all
from openfer_faces.landmarks.pasted import KINDS
from openfer_faces.landmarks.settings import LandmarkerChoice
from openfer_faces.landmarks.textures import covered

_SHOWN = 4


def main() -> None:
    """Print scores of covered and visible points before and after, and draw some faces."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    crops = cut_out(arguments.folder).crops
    find = landmarker(LandmarkerChoice(landmarker="heatmap"), load_checkpoint(arguments.model))
    oadn = OADN(OADNSettings(blocks=(1, 1, 1, 1)), {"expression": BASIC_EXPRESSIONS})
    bare = attend(oadn, find(crops), len(crops[0]))
    rows, sheets = [], {}
    for kind in KINDS:
        pasted = paste_all(crops, kind, arguments.seed)
        images = np.stack([one.image for one in pasted])
        seen = attend(oadn, find(images), len(crops[0]))
        hidden = np.stack(
            [covered(own[:, :2], one.cover) for own, one in zip(bare.points.numpy(), pasted, strict=True)]
        )
        rows.append({"occluder": kind, "faces": len(crops)} | scores(bare, seen, hidden))
        sheets[kind] = (images, seen)
    print(pd.DataFrame(rows).round(3).to_string(index=False, na_rep=""))
    if arguments.picture:
        draw(sheets, arguments.picture)


def attend(oadn: OADN, found: Landmarks, side: int) -> Attention:
    """Return the 24 points and their maps at the paper's 14 x 14 cells."""
    together = np.concatenate([found.points, found.confidence[..., None]], axis=2).astype(np.float32)
    return oadn.attend(torch.from_numpy(together), side, (14, 14))


def scores(bare: Attention, seen: Attention, hidden: np.ndarray) -> dict[str, float]:
    """Return mean score on the bare face and now, and the share kept, of points under and beside the occluder."""
    before, now, kept = bare.points[..., 2].numpy(), seen.points[..., 2].numpy(), seen.kept.numpy()
    values: dict[str, float] = {"covered points": int(hidden.sum())}
    for name, mask in (("covered", hidden), ("visible", ~hidden)):
        if mask.any():
            values |= {f"{name} bare": before[mask].mean(), name: now[mask].mean(), f"{name} kept": kept[mask].mean()}
    return values | ({"auc": auc(now, ~hidden)} if hidden.any() else {})


def draw(sheets: dict[str, tuple[np.ndarray, Attention]], path: Path) -> None:
    """Save some faces with each occluder, and where OADN would attend."""
    count = len(next(iter(sheets.values()))[0])
    chosen = [(face, kind) for face in np.linspace(0, count - 1, _SHOWN).astype(int) for kind in sheets]
    maps = torch.stack([sheets[kind][1].maps[face] for face, kind in chosen])
    columns = {"attention": maps.amax(1).numpy()}
    columns |= {part: maps[:, list(which)].amax(1).numpy() for part, which in PARTS.items()}
    names = [kind for _, kind in chosen]
    figure = interest_points_sheet(
        np.stack([sheets[kind][0][face] for face, kind in chosen]),
        np.stack([sheets[kind][1].points[face, :, :2].numpy() for face, kind in chosen]),
        np.stack([sheets[kind][1].kept[face].numpy() for face, kind in chosen]),
        columns,
        [[] for _ in chosen],
        names,
        names,
    )
    figure.savefig(path, dpi=90)


if __name__ == "__main__":
    main()
