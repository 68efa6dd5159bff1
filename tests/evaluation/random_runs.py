"""Predictions drawn at random, for tests against other programs' numbers."""

import numpy as np
import pandas as pd

from openfer.evaluation.predictions import predictions_table

CLASSES = ("neutral", "happiness", "fear", "anger")


def random_run(count=400, seed=0, skill=1.2, classes=CLASSES, method="any"):
    """A run that is right for some samples; ``s0``, ``s1`` ... are their ids."""
    generator = np.random.default_rng(seed)
    true = generator.choice(len(classes), count, p=generator.dirichlet(np.full(len(classes), 4.0)))
    logits = generator.normal(size=(count, len(classes)))
    logits[np.arange(count), true] += skill
    shares = np.exp(2 * logits) / np.exp(2 * logits).sum(axis=1, keepdims=True)
    names = [f"s{number}" for number in range(count)]
    run = {"fold": 0, "seed": 0, "method": method, "variant": method, "selection": "last", "task": "expression"}
    return predictions_table(names, shares, classes, np.array(classes, dtype=object)[true].tolist(), **run)


def probabilities(run, classes=CLASSES):
    return run[[f"p_{name}" for name in classes]].to_numpy()


def codes(run, classes=CLASSES):
    return tuple(pd.Index(classes).get_indexer(run[column]) for column in ("y_true", "y_pred"))
