"""Who of a run's tested faces is in which group: the whole, datasets, and what faces are grouped by."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

ALL = "all"
"""The group that is the whole."""


@dataclass(frozen=True)
class Membership:
    """Samples and their groups; a sample may be in several of one kind, or in none.

    Attributes:
        names: of the G groups, the columns ``by`` and ``group``; the first one is :data:`ALL`.
        sample: of each of the M memberships the number of the prediction, int64, (M,).
        group: the number of the group, int64, (M,).
    """

    names: pd.DataFrame
    sample: np.ndarray
    group: np.ndarray


def membership(predictions: pd.DataFrame, groups: pd.DataFrame | None = None) -> Membership:
    """Return which predictions are in which group.

    Args:
        predictions: one run. Where they are of several datasets, such as FED-RO beside those that train, each of
            these is a group.
        groups: valid under :data:`openfer.schemas.GROUPS`; samples without a prediction do not count, and a group
            without any predicted sample is not there.
    """
    count = len(predictions)
    names, samples, places = [(ALL, ALL)], [np.arange(count)], [np.zeros(count, np.int64)]
    datasets = predictions["dataset"] if "dataset" in predictions else pd.Series(dtype=str)
    if datasets.nunique() > 1:
        own, known = pd.factorize(datasets)
        samples.append(np.arange(count))
        places.append(own + len(names))
        names += [("dataset", str(name)) for name in known]
    if groups is not None and len(groups):
        place = pd.Index(predictions["sample_id"]).get_indexer(groups["sample_id"])
        predicted = groups.loc[place >= 0, ["by", "group"]]
        kinds = predicted.groupby(["by", "group"], sort=False)
        samples.append(place[place >= 0])
        places.append(kinds.ngroup().to_numpy() + len(names))
        names += [(str(by), str(group)) for by, group in predicted.drop_duplicates().itertuples(index=False)]
    table = pd.DataFrame(names, columns=["by", "group"])
    return Membership(table, np.concatenate(samples), np.concatenate(places).astype(np.int64))


def together(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the groups of several datasets as one table; each then says whose it is, as in ``raf_db: occlusion``.

    Args:
        tables: by dataset, valid under :data:`openfer.schemas.GROUPS`.
    """
    several = len(tables) > 1
    named = [table.assign(group=f"{name}: " + table["group"]) if several else table for name, table in tables.items()]
    return pd.concat(named, ignore_index=True)
