"""Bootstrap intervals of all scores, for the whole and five groupings: time and memory, beside scipy's on a small case.

The large case is 300,000 predictions of eight classes, five groupings of five groups each and 1,000 resamples, drawn
by person (ten images each) or by sample. The small case is scored twice, with the same statistics: by
`openfer.evaluation.bootstrap` and by `scipy.stats.bootstrap`, which calls scikit-learn for every resample. Usage:

    python benchmarks/bootstrap.py
"""

import argparse
import resource
import time

import numpy as np
import pandas as pd
from scipy.stats import bootstrap
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from openfer.evaluation.bootstrap import bootstrap_intervals
from openfer.labels import EXPRESSIONS
from openfer.schemas import group_table


def predictions_of(count: int, method: int = 0) -> pd.DataFrame:
    """Return predictions that are right for about 60 % of ``count`` samples; all methods answer the same ones."""
    true = np.random.default_rng(0).integers(0, len(EXPRESSIONS), count)
    generator = np.random.default_rng(1 + method)
    logits = generator.normal(size=(count, len(EXPRESSIONS)))
    logits[np.arange(count), true] += 1.8
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    names = np.array(EXPRESSIONS, dtype=object)
    table = pd.DataFrame({"sample_id": [f"{number:016x}" for number in range(count)], "fold": 0, "seed": 0})
    table = table.assign(method="any", variant="any", selection="last", task="expression")
    table = table.assign(y_true=names[true], y_pred=names[shares.argmax(axis=1)])
    return pd.concat([table, pd.DataFrame(shares, columns=[f"p_{name}" for name in EXPRESSIONS])], axis=1)


def groups_of(predictions: pd.DataFrame, kinds: int, each: int) -> pd.DataFrame:
    """Return ``kinds`` groupings of all samples into ``each`` groups at random."""
    generator = np.random.default_rng(1)
    ids = predictions["sample_id"].to_numpy()
    drawn = {f"kind {kind}": generator.integers(0, each, len(ids)) for kind in range(kinds)}
    return group_table({(kind, str(at)): ids[own == at] for kind, own in drawn.items() for at in range(each)})


def by_scipy(predictions: pd.DataFrame, repeats: int) -> dict[str, tuple[float, float]]:
    """Return scipy's percentile intervals of three scores."""
    codes = [pd.Index(EXPRESSIONS).get_indexer(predictions[name]) for name in ("y_true", "y_pred")]
    scores = {
        "accuracy": accuracy_score,
        "balanced_accuracy": balanced_accuracy_score,
        "macro_f1": lambda true, predicted: f1_score(true, predicted, average="macro"),
    }
    settings = {"paired": True, "vectorized": False, "n_resamples": repeats, "method": "percentile", "random_state": 0}
    found = {name: bootstrap(codes, score, **settings).confidence_interval for name, score in scores.items()}
    return {name: (float(interval.low), float(interval.high)) for name, interval in found.items()}


def main() -> None:
    """Print both cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=300_000)
    parser.add_argument("--repeats", type=int, default=1000)
    parser.add_argument("--small", type=int, default=3068)
    options = parser.parse_args()

    small = predictions_of(options.small)
    start = time.perf_counter()
    ours = bootstrap_intervals(small, repeats=options.repeats).set_index("metric")
    ours_took = time.perf_counter() - start
    start = time.perf_counter()
    theirs = by_scipy(small, options.repeats)
    theirs_took = time.perf_counter() - start
    print(f"{options.small} predictions, {options.repeats} resamples, no groups:")
    print(f"  openfer, five scores  {ours_took:7.2f} s")
    print(f"  scipy, three of them  {theirs_took:7.2f} s")
    for name, (low, high) in theirs.items():
        print(f"  {name}: {ours.low[name]:.4f} to {ours.high[name]:.4f}, scipy {low:.4f} to {high:.4f}")

    large = predictions_of(options.count)
    groups = groups_of(large, kinds=5, each=5)
    people = pd.Series([f"p{number // 10}" for number in range(options.count)], large["sample_id"])
    for words, clusters in (("by sample", None), ("by person", people)):
        start = time.perf_counter()
        table = bootstrap_intervals(large, groups, repeats=options.repeats, clusters=clusters)
        took = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(
            f"{options.count} predictions, 5 x 5 groups, {options.repeats} resamples {words}: {took:.1f} s, "
            f"peak {peak:.2f} GiB of the whole program, {len(table)} intervals"
        )


if __name__ == "__main__":
    main()
