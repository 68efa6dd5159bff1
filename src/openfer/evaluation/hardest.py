"""The faces that most methods get wrong, the most confident mistakes first."""

from collections.abc import Mapping

import pandas as pd

from openfer.evaluation.calibration import confidences
from openfer.evaluation.predictions import classes_in


def hardest_faces(predictions: Mapping[str, pd.DataFrame], most: int) -> pd.DataFrame:
    """Rank the faces that all methods were tested on.

    Args:
        predictions: method -> its predictions with one selection and task, of any number of runs.
        most: how many faces are returned.

    Returns:
        ``sample_id, y_true, answer`` (what the methods say that are wrong, in words: each wrong class with the share of
        their answers, the largest first), ``wrong`` (methods that are mostly wrong), ``methods``, ``confidence`` (mean
        over all wrong answers, in [0, 1]): most methods wrong first, then the highest confidence. Faces that no method
        gets wrong are not there.
    """
    answers = pd.concat(
        [
            table[["sample_id", "y_true", "y_pred"]].assign(
                method=method, confidence=confidences(table, classes_in(table))
            )
            for method, table in predictions.items()
        ],
        ignore_index=True,
    )
    answers["is_wrong"] = answers["y_true"] != answers["y_pred"]
    by_method = answers.groupby(["sample_id", "method"])["is_wrong"].mean().gt(0.5).groupby("sample_id")
    verdict = pd.DataFrame({"wrong": by_method.sum(), "methods": by_method.size()})
    verdict = verdict[(verdict["methods"] == len(predictions)) & (verdict["wrong"] > 0)]
    mistakes = answers[answers["is_wrong"]]
    found = verdict.join(
        mistakes.groupby("sample_id").agg(y_true=("y_true", "first"), confidence=("confidence", "mean"))
    )
    ranked = found.reset_index().sort_values(["wrong", "confidence", "sample_id"], ascending=[False, False, True])
    hardest = ranked.head(most).reset_index(drop=True)
    of_hardest = mistakes[mistakes["sample_id"].isin(hardest["sample_id"])]
    answer = {sample: _in_words(own) for sample, own in of_hardest.groupby("sample_id")["y_pred"]}
    hardest["answer"] = hardest["sample_id"].map(answer)
    return hardest[["sample_id", "y_true", "answer", "wrong", "methods", "confidence"]]


def _in_words(wrong: pd.Series) -> str:
    shares = wrong.value_counts(normalize=True).sort_index().sort_values(ascending=False, kind="stable")
    return ", ".join(f"{name} {100 * share:.0f} %" if share < 1 else str(name) for name, share in shares.items())
