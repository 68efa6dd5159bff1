"""What a method has beside the template where its dataset is split by the stability protocol: SNA's Table VII."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from kedro.pipeline import Pipeline, node

from openfer.pipelines.evaluation_nodes import Facts, main_selection
from openfer.pipelines.in_use import stability_datasets

if TYPE_CHECKING:
    from openfer.evaluation.figures import ShownSequence
    from openfer.io.face_store import FaceStore

_SHOWN = 6


def stability_pipeline(name: str) -> Pipeline:
    """Return the table and the picture of failures over sequences; nothing if no dataset in use is split for them.

    Args:
        name: the registered method.
    """
    datasets = stability_datasets(name)
    if not datasets:
        return Pipeline([])
    tables = [f"{dataset}_{part}" for dataset in datasets for part in ("rows@table", "faces", "split")]
    return Pipeline(
        [
            node(
                stability_table,
                [f"{name}_predictions", *(f"{dataset}_rows@table" for dataset in datasets)],
                f"{name}.stability",
                name="stability",
                namespace=name,
            ),
            node(
                stability_picture,
                [f"{name}_predictions", f"{name}_facts", *tables],
                f"{name}.stability_picture",
                name="stability_picture",
                namespace=name,
            ),
        ]
    )


def stability_table(predictions: pd.DataFrame, *rows: pd.DataFrame) -> pd.DataFrame:
    """Count failures and consistent failures of every run over the sequences of its datasets."""
    from openfer.evaluation.stability import stability

    return stability(predictions, pd.concat(rows, ignore_index=True))


def stability_picture(predictions: pd.DataFrame, facts: Facts, *tables: Any) -> Any:
    """Return a picture of some consistent failures of the main selection, or of some failures if it has none.

    Args:
        predictions: of the method.
        facts: of its run.
        *tables: rows, faces and split of each dataset.
    """
    from openfer.evaluation.figures import stability_sheet
    from openfer.evaluation.names import run_name
    from openfer.evaluation.stability import answers_by_sequence

    task, selection = predictions["task"].iloc[0], main_selection(facts)
    main = predictions[(predictions["task"] == task) & (predictions["selection"] == selection)]
    rows, stores, splits = tables[::3], tables[1::3], tables[2::3]
    found = answers_by_sequence(main, pd.concat(rows, ignore_index=True))
    failures, consistent = found[found["failure"]], found[found["consistent"]]
    kind = "consistent failure" if len(consistent) else "failure"
    # spread over the table, which has people one after the other
    chosen = consistent if len(consistent) else failures
    places = np.linspace(0, len(chosen) - 1, min(_SHOWN, len(chosen)), dtype=int)
    shown = list(_sequences(chosen.iloc[places], rows, stores, splits))
    name = run_name(str(main["method"].iloc[0]), str(main["variant"].iloc[0]))
    title = (
        f"{len(shown)} of {len(chosen)} {kind} cases of {name} ({selection}, seed {main['seed'].iloc[0]}): of "
        f"{len(found)} sequences {len(failures)} fail, {len(consistent)} of them consistently."
    )
    return stability_sheet(shown, title)


def _sequences(
    chosen: pd.DataFrame,
    rows: Sequence[pd.DataFrame],
    stores: Sequence["FaceStore"],
    splits: Sequence[pd.DataFrame],
) -> Iterator["ShownSequence"]:
    """Yield the faces of sequences: the tested frames, and the peak, which trains."""
    from openfer.evaluation.figures import ShownSequence

    of_dataset = {table["dataset"].iloc[0]: place for place, table in enumerate(rows)}
    for sequence in chosen.to_dict("records"):
        place = of_dataset[sequence["dataset"]]
        table, split = rows[place], splits[place]
        of_sequence = table.loc[table["sequence"] == sequence["sequence"], "sample_id"]
        (peak,) = of_sequence[of_sequence.isin(split.loc[split["role"] == "train", "sample_id"])]
        numbers = stores[place].rows_of([*sequence["sample_ids"], peak])
        images = np.stack([stores[place].image(int(number)) for number in numbers])
        yield ShownSequence(sequence["sequence"], images, sequence["y_true"], sequence["y_pred"])
