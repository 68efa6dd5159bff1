"""Failures over sequences, for datasets that are split by the stability protocol (SNA, Table VII)."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from openfer.pipelines.evaluation_nodes import Facts, main_selection
from openfer.pipelines.sources import Source, Sources

if TYPE_CHECKING:
    from openfer.evaluation.figures import ShownSequence

_SHOWN = 6


def stability_table(predictions: pd.DataFrame, rows: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Count failures and consistent failures of every run over the sequences of its datasets."""
    from openfer.evaluation.stability import stability

    return stability(predictions, pd.concat(list(rows.values()), ignore_index=True))


def stability_picture(predictions: pd.DataFrame, facts: Facts, sources: Sources) -> Any:
    """Return a picture of some consistent failures of the main selection, or of some failures if it has none.

    Args:
        predictions: of the method.
        facts: of its run.
        sources: its datasets with sequences, by name.
    """
    from openfer.evaluation.figures import stability_sheet
    from openfer.evaluation.names import run_name
    from openfer.evaluation.stability import answers_by_sequence

    task, selection = predictions["task"].iloc[0], main_selection(facts)
    main = predictions[(predictions["task"] == task) & (predictions["selection"] == selection)]
    rows = pd.concat([source.rows for source in sources.values()], ignore_index=True)
    found = answers_by_sequence(main, rows)
    failures, consistent = found[found["failure"]], found[found["consistent"]]
    kind = "consistent failure" if len(consistent) else "failure"
    # spread over the table, which has people one after the other
    chosen = consistent if len(consistent) else failures
    places = np.linspace(0, len(chosen) - 1, min(_SHOWN, len(chosen)), dtype=int)
    shown = list(_sequences(chosen.iloc[places], list(sources.values())))
    name = run_name(str(main["method"].iloc[0]), str(main["variant"].iloc[0]))
    title = (
        f"{len(shown)} of {len(chosen)} {kind} cases of {name} ({selection}, seed {main['seed'].iloc[0]}): of "
        f"{len(found)} sequences {len(failures)} fail, {len(consistent)} of them consistently."
    )
    return stability_sheet(shown, title)


def _sequences(chosen: pd.DataFrame, sources: list[Source]) -> Iterator["ShownSequence"]:
    """Yield the faces of sequences: the tested frames, and the peak, which trains."""
    from openfer.evaluation.figures import ShownSequence

    of_dataset = {str(source.rows["dataset"].iloc[0]): source for source in sources}
    for sequence in chosen.to_dict("records"):
        source = of_dataset[str(sequence["dataset"])]
        of_sequence = source.rows.loc[source.rows["sequence"] == sequence["sequence"], "sample_id"]
        trained = source.split.loc[source.split["role"] == "train", "sample_id"]
        (peak,) = of_sequence[of_sequence.isin(trained)]
        numbers = source.store.rows_of([*sequence["sample_ids"], peak])
        images = np.stack([source.store.image(int(number)) for number in numbers])
        yield ShownSequence(sequence["sequence"], images, sequence["y_true"], sequence["y_pred"])
