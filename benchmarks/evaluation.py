"""All that is made of 300,000 predictions: scores, groups with intervals, and the report of several such runs.

The first part is what `kedro run --pipelines evaluation --params predictions=...` computes after reading: scores of one
run, five groupings of five groups each and 1,000 resamples by person, as tables and figures. The second is a report of
``--methods`` such runs, every two compared on the same faces. Opponents of the intervals are in `bootstrap.py`. Usage:

    python benchmarks/evaluation.py
"""

import argparse
import json
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from bootstrap import groups_of, predictions_of
from openfer.evaluation.published import published_table
from openfer.io.runs import find_runs
from openfer.pipelines.evaluation_nodes import by_group, evaluate, group_figures
from openfer.report import report

_PER_PERSON = 10


@contextmanager
def told(words: str) -> Iterator[None]:
    """Print how long something took, and the most memory that the program has had so far."""
    start = time.perf_counter()
    yield
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{words}: {time.perf_counter() - start:.1f} s, peak {peak:.2f} GiB of the whole program", flush=True)


def run_of(count: int, number: int) -> tuple[pd.DataFrame, list[dict[str, object]]]:
    """Return the predictions of a made-up method and its facts."""
    name = f"method_{number}"
    people = [f"p{sample // _PER_PERSON}" for sample in range(count)]
    table = predictions_of(count, number).assign(method=name, variant=name, dataset="made", subject=people)
    known = {"method": name, "variant": name, "selection": "last", "seed": 0, "main_selection": True}
    made = {"epoch": 1, "initialisation": "none", "data_version": "none", "datasets": ["made"], "tested_on": "test"}
    return table, [known | made]


def main() -> None:
    """Print both parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=300_000)
    parser.add_argument("--methods", type=int, default=6)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.methods):
            predictions, facts = run_of(options.count, number)
            if number == 0:
                groups = groups_of(predictions, kinds=5, each=5)
                with told(f"{options.count} predictions: scores, tables, figures"):
                    evaluate(predictions, facts)
                with told("5 x 5 groups, 1,000 resamples by person"):
                    found = by_group(predictions, {"made": groups})
                with told("figures of the groups"):
                    group_figures(found["groups_table"], found["gaps_table"], facts)
            place = Path(folder) / "07_model_output" / "made" / f"made-s{number}-f0-000000"
            place.mkdir(parents=True)
            predictions.to_parquet(place / "predictions.parquet")
            (place / "facts.json").write_text(json.dumps(facts))
        with told(f"report of {options.methods} such runs"):
            page = report(find_runs(Path(folder)), [], published_table()).page
        print(f"its page has {len(page) / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
