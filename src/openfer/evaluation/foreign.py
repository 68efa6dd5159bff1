"""Predictions of any other program: read, checked against a dataset's test side, and made into a predictions table."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from openfer.errors import DataError, did_you_mean
from openfer.evaluation.predictions import predictions_table
from openfer.labels import EXPRESSION_WORDS, EXPRESSIONS

_TASK = "expression"
_TOLERANCE = 1e-3
_UNKNOWN = "not known"
_SELECTIONS = ("last", "best_val", "oracle_test")


def read_predictions(file: Path) -> pd.DataFrame:
    """Return the table of a Parquet or CSV file as it is.

    Raises:
        DataError: if it is not there, is neither, or cannot be read.
    """
    if not file.is_file():
        raise DataError(f"there is no file {file}, which `predictions` names; give the path of a .parquet or .csv file")
    try:
        if file.suffix == ".parquet":
            return pd.read_parquet(file)
        if file.suffix == ".csv":
            return pd.read_csv(file, dtype={"sample_id": str})  # else an id of digits would be a number
    except (OSError, ValueError) as error:
        raise DataError(f"{file} cannot be read as {file.suffix[1:]}: {error}; write it again") from error
    raise DataError(f"{file} is a {file.suffix or 'file without a suffix'}; predictions are read from .parquet or .csv")


def foreign_predictions(
    table: pd.DataFrame, rows: pd.DataFrame, split: pd.DataFrame, name: str, file: Path
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Check foreign predictions of one run and return them as openfer's own.

    Args:
        table: ``sample_id``, or ``path`` where each image of the dataset has one row, and one column ``p_<class>`` per
            expression that the model can answer, rows summing to 1, for exactly the labelled samples of the test side
            (the validation side of a split without one). May have ``y_pred`` where the answer is not the most
            probable class, ``y_true``, which must agree with the dataset's, and ``selection``, one of last (taken
            where it is missing), best_val and oracle_test. Other columns are not read.
        rows: of the dataset, :data:`openfer.schemas.ROWS`.
        split: of the dataset, :data:`openfer.schemas.SPLIT`.
        name: of the method, for tables.
        file: where the table is from, for errors.

    Returns:
        A table valid under :data:`openfer.schemas.PREDICTIONS`, with ``dataset`` and ``subject``; and what is known
        of the run, as :func:`openfer.evaluation.results_table.results_table` reads it.

    Raises:
        DataError: if a column is missing or unknown, a sample is unknown, twice or missing, a row is no probability
            distribution, or a label is unknown or not the dataset's.
    """
    table = _with_ids(table, rows, file)
    role = "test" if (split["role"] == "test").any() else "val"
    tested = split.loc[split["role"] == role, ["sample_id", "fold"]].drop_duplicates("sample_id")
    known = rows[["sample_id", "dataset", "subject", "licence", _TASK]]
    labelled = tested.merge(known[known[_TASK].notna()], on="sample_id")
    dataset = str(rows["dataset"].iloc[0])

    classes = _classes(table, labelled[_TASK], dataset, file)
    _check_samples(table, labelled["sample_id"], known["sample_id"], tested["sample_id"], dataset, file)
    table = labelled[["sample_id"]].merge(table, on="sample_id")  # the split's order
    shares = _probabilities(table, classes, file)
    true = labelled[_TASK].astype(object).to_numpy()
    if "y_true" in table:
        _check_labels(table["y_true"], "y_true", EXPRESSIONS, table["sample_id"], file)
        _check_agreement(table, true, dataset, file)
    selection = _selection(table, file)
    made = [
        predictions_table(
            own["sample_id"].tolist(),
            shares[own.index],
            classes,
            true[own.index].tolist(),
            fold=int(str(fold)),
            seed=0,
            method=name,
            variant=name,
            selection=selection,
            task=_TASK,
        )
        for fold, own in labelled.groupby("fold", sort=False)
    ]
    predictions = pd.concat(made, ignore_index=True)
    about = labelled.set_index("sample_id").loc[predictions["sample_id"]]
    predictions = predictions.assign(dataset=about["dataset"].to_numpy(), subject=about["subject"].to_numpy())
    if "y_pred" in table:
        _check_labels(table["y_pred"], "y_pred", classes, table["sample_id"], file)
        predictions["y_pred"] = table.set_index("sample_id")["y_pred"].loc[predictions["sample_id"]].to_numpy()
    return predictions, _facts(name, selection, dataset, role, labelled)


def _with_ids(table: pd.DataFrame, rows: pd.DataFrame, file: Path) -> pd.DataFrame:
    """Return predictions that name images by path with the ids of the dataset's rows; others unchanged."""
    if "sample_id" in table or "path" not in table:
        return table
    several = rows["path"][rows["path"].duplicated()]
    if len(several):
        raise DataError(
            f"{file} names images by path, and {several.iloc[0]} has several rows; give the column sample_id of the "
            "dataset's rows (rows.parquet)"
        )
    ids = rows.set_index("path")["sample_id"].reindex(
        table["path"].astype(str).str.replace("\\", "/").str.removeprefix("./")
    )
    if ids.isna().any():
        unknown = table["path"][ids.isna().to_numpy()]
        raise DataError(
            f"{file} has {len(unknown)} paths that {rows['dataset'].iloc[0]} does not have, the first "
            f"{unknown.iloc[0]!r}; its paths are like {rows['path'].iloc[0]!r}, from the dataset's root: write them so"
        )
    return table.assign(sample_id=ids.to_numpy())


def _classes(table: pd.DataFrame, shown: pd.Series, dataset: str, file: Path) -> tuple[str, ...]:
    if "sample_id" not in table:
        raise DataError(
            f"{file} has no column sample_id or path, it has {', '.join(map(str, table.columns))}; ids and paths are "
            f"in the rows of {dataset} (rows.parquet)"
        )
    given = [str(column).removeprefix("p_") for column in table.columns if str(column).startswith("p_")]
    for label in given:
        if label not in EXPRESSIONS:
            raise DataError(
                f"{file} has the column p_{label}, and {label!r} is no expression; "
                f"{_nearest(label, 'the expressions are')} {', '.join(EXPRESSIONS)}"
            )
    missing = [label for label in EXPRESSIONS if label in set(shown) and label not in given]
    if missing:
        raise DataError(
            f"{file} has no column p_{missing[0]}, and {(shown == missing[0]).sum()} tested faces of {dataset} show "
            f"{missing[0]}; give one column for each of {', '.join(sorted(set(shown), key=EXPRESSIONS.index))}, with 0 "
            "in those that the model cannot answer"
        )
    return tuple(label for label in EXPRESSIONS if label in given)


def _check_samples(
    table: pd.DataFrame, wanted: pd.Series, known: pd.Series, tested: pd.Series, dataset: str, file: Path
) -> None:
    given = table["sample_id"]
    repeated = given[given.duplicated()]
    if len(repeated):
        raise DataError(
            f"{file} has {len(repeated)} rows of samples that it had before, the first {repeated.iloc[0]}; give one "
            "row per sample, and a file per run"
        )
    unknown = given[~given.isin(known)]
    if len(unknown):
        raise DataError(
            f"{file} has {len(unknown)} samples that {dataset} does not have, the first {unknown.iloc[0]!r}; the ids "
            f"are in its rows (rows.parquet); for another dataset, say so: dataset=..."
        )
    outside = given[~given.isin(tested)]
    if len(outside):
        raise DataError(
            f"{file} has {len(outside)} samples that {dataset} does not test, the first {outside.iloc[0]}; leave the "
            "faces out that train or select: its split (split.parquet) says which"
        )
    missing = wanted[~wanted.isin(given)]
    if len(missing):
        raise DataError(
            f"{file} lacks {len(missing)} of the {len(wanted)} tested samples of {dataset}, the first "
            f"{missing.iloc[0]}; a score on the others is not comparable: predict them all"
        )


def _probabilities(table: pd.DataFrame, classes: Sequence[str], file: Path) -> np.ndarray:
    columns = [f"p_{label}" for label in classes]
    for column in columns:
        numbers = pd.to_numeric(table[column], errors="coerce")
        wrong = numbers.isna() | ~numbers.between(0, 1)
        if wrong.any():
            at = int(wrong.to_numpy().argmax())
            raise DataError(
                f"{file} has {table[column].iloc[at]} in {column} of sample {table['sample_id'].iloc[at]}; "
                "probabilities are numbers from 0 to 1: apply a softmax to logits, divide percentages by 100"
            )
    shares = table[columns].apply(pd.to_numeric).to_numpy(dtype=np.float64)
    off = np.abs(shares.sum(axis=1) - 1) > _TOLERANCE
    if off.any():
        at = int(off.argmax())
        raise DataError(
            f"{file} has {off.sum()} rows whose probabilities do not sum to 1, the first of sample "
            f"{table['sample_id'].iloc[at]}: {shares[at].sum():.4g}; apply a softmax over all classes, or divide each "
            "row by its sum"
        )
    return shares


def _check_labels(labels: pd.Series, column: str, classes: Iterable[str], sample_ids: pd.Series, file: Path) -> None:
    wrong = ~labels.isin(list(classes))
    if wrong.any():
        at = int(wrong.to_numpy().argmax())
        raise DataError(
            f"{file} has the {column} {labels.iloc[at]!r} of sample {sample_ids.iloc[at]}, which is none of its "
            f"classes; {_nearest(str(labels.iloc[at]), 'they are')} {', '.join(classes)}"
        )


def _check_agreement(table: pd.DataFrame, true: np.ndarray, dataset: str, file: Path) -> None:
    differ = table["y_true"].to_numpy(dtype=object) != true
    if differ.any():
        at = int(differ.argmax())
        raise DataError(
            f"{file} has {differ.sum()} true labels that are not those of {dataset}, the first of sample "
            f"{table['sample_id'].iloc[at]}: {table['y_true'].iloc[at]}, there {true[at]}; leave y_true out, or look "
            "for a shifted column or another version of the dataset"
        )


def _selection(table: pd.DataFrame, file: Path) -> str:
    if "selection" not in table:
        return _SELECTIONS[0]
    found = table["selection"].unique().tolist()
    if len(found) > 1 or found[0] not in _SELECTIONS:
        raise DataError(
            f"{file} has {found} in the column selection; give the one way in which the epoch was chosen, "
            f"{', '.join(_SELECTIONS)}, or leave the column out"
        )
    return str(found[0])


def _facts(name: str, selection: str, dataset: str, role: str, labelled: pd.DataFrame) -> dict[str, Any]:
    lines = labelled[["sample_id", _TASK]].sort_values("sample_id").to_csv(index=False)
    return {
        "method": name,
        "variant": name,
        "selection": selection,
        "main_selection": True,
        "seed": 0,
        "epoch": _UNKNOWN,
        "initialisation": _UNKNOWN,
        "datasets": [dataset],
        "licences_of_data": sorted(set(labelled["licence"])),
        "data_version": f"tested labels {hashlib.sha256(lines.encode()).hexdigest()[:12]}",
        "tested_on": role,
    }


def _nearest(label: str, then: str) -> str:
    """Return a guess at what a label was meant to be, and what follows."""
    return did_you_mean(EXPRESSION_WORDS.get(label.lower()) or label, EXPRESSIONS, then)
