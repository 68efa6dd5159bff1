"""Rows of a small laboratory set."""

import numpy as np
import pandas as pd

from openfer.labels import BASIC_EXPRESSIONS


def laboratory(subjects, seed=0, dataset="toy"):
    """Every subject shows some of the expressions, some of them often."""
    generator = np.random.default_rng(seed)
    table = [
        {
            "sample_id": f"{dataset}-{subject}-{number:02d}",
            "dataset": dataset,
            "subject": subject,
            "partition": None,
            "expression": str(generator.choice(BASIC_EXPRESSIONS, p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.07, 0.03])),
        }
        for subject in subjects
        for number in range(generator.integers(2, 12))
    ]
    return pd.DataFrame(table)


def names(count, prefix="S"):
    return [f"{prefix}{number:03d}" for number in range(1, count + 1)]


def in_order(split):
    return split.sort_values(["fold", "sample_id"], ignore_index=True)
