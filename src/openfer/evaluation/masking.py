"""Who was masked in training: by class, and by whether the label had been made wrong."""

import pandas as pd

from openfer.schemas import MASKED


def masked_shares(masked: pd.DataFrame) -> pd.DataFrame:
    """Summarise a training's mask, epoch by epoch.

    Args:
        masked: :data:`openfer.schemas.MASKED`.

    Returns:
        One row per ``epoch``, ``kind`` and ``group``: all faces; those of each class; where labels were made wrong on
        purpose, those and the others. ``n`` is the number of faces shown, ``masked`` the share of them that was left
        out, ``divergence`` their mean in nats, ``share_of_masked`` their share among all that were left out.
    """
    table = MASKED.validate(masked).assign(out=lambda own: ~own["kept"], everyone="all")
    kinds = {"all": "everyone", "class": "label"}
    if table["flipped"].any():
        table["noise"] = table["flipped"].map({True: "label made wrong", False: "label as it was"})
        kinds["flipped"] = "noise"
    parts = []
    for kind, column in kinds.items():
        grouped = table.groupby(["epoch", column], sort=True)
        means = grouped.agg(n=("out", "size"), masked=("out", "mean"), divergence=("divergence", "mean"))
        left_out = grouped["out"].sum()
        means["share_of_masked"] = left_out / table.groupby("epoch")["out"].sum().clip(lower=1)
        parts.append(means.reset_index(names=["epoch", "group"]).assign(kind=kind))
    columns = ["epoch", "kind", "group", "n", "masked", "divergence", "share_of_masked"]
    return pd.concat(parts, ignore_index=True)[columns]
