"""A study as its parameters describe it: the grid of a paper's table, or any other."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from openfer.errors import did_you_mean
from openfer.methods.declaration import METHODS
from openfer.parameters import Settings


def _a_metric(name: str) -> str:
    from openfer.evaluation.metrics import METRICS

    if name not in METRICS:
        raise ValueError(f"there is no metric {name!r}; the metrics are {', '.join(METRICS)}")
    return name


Measure = Annotated[str, AfterValidator(_a_metric)]
"""What a table holds: a metric by its name (:data:`openfer.evaluation.metrics.METRICS`); of several folds, ``accuracy``
is the mean of their accuracies."""

Changes = dict[str, dict[str, Any]]
"""What is laid over parameters: by method, such as ``{dfem: {datasets: [synthetic_pie]}}``."""


def _each_once(value: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(value)) != len(value) or min(value) < 0:
        raise ValueError(f"seeds and folds are numbers from 0 on, each once; they are {list(value)}")
    return value


Numbers = Annotated[tuple[int, ...], Field(min_length=1), AfterValidator(_each_once)]
"""Seeds, or folds."""


class Subset(Settings):
    """Which of the tested faces a column counts: those of a dataset, or of a group.

    Attributes:
        dataset: such as FED-RO, where several are tested.
        by: what faces are grouped by, as in the datasets' groups tables.
        group: which group.
    """

    dataset: str | None = None
    by: str | None = None
    group: str | None = None

    @model_validator(mode="after")
    def _is_one_of_the_two(self) -> Self:
        if (self.dataset is None) == (self.by is None) or (self.by is None) != (self.group is None):
            raise ValueError("a subset is {dataset: ...}, or {by: ..., group: ...}")
        return self


class Column(Settings):
    """On what the rows are trained and tested.

    Attributes:
        datasets: all of them train, those with test faces test.
        folds: those that are tested, one run each; a result is the mean over them, as papers print it.
        counts: the faces that count; None for all that are tested.
        changes: of this column's runs.
    """

    datasets: tuple[str, ...] = Field(min_length=1)
    folds: Numbers = (0,)
    counts: Subset | None = None
    changes: Changes = {}

    @model_validator(mode="after")
    def _counts_what_it_tests(self) -> Self:
        if self.counts is not None and self.counts.dataset not in (None, *self.datasets):
            raise ValueError(
                f"counts.dataset is {self.counts.dataset}, which the column does not test; its datasets are "
                f"{', '.join(self.datasets)}"
            )
        return self


class Printed(Settings):
    """Where a row stands in the papers, as far as that is not where the study says.

    Attributes:
        paper: in the published table.
        table: of that paper.
        method: as printed.
        variant: as printed.
    """

    paper: str | None = None
    table: str | None = None
    method: str | None = None
    variant: str = ""


class Row(Settings):
    """One line of a table.

    Attributes:
        method: the registered method.
        variant: one of its rows by name.
        changes: of this row's runs, of the method or of what it needs.
        printed: where its figure is published; by default under the row's own name.
        sweep: the parameter that is varied over this and other rows, as a figure's axis names it.
        at: its value.
    """

    method: str
    variant: str | None = None
    changes: Changes = {}
    printed: Printed = Printed()
    sweep: str | None = None
    at: float | None = None

    @field_validator("method")
    @classmethod
    def _registered(cls, value: str) -> str:
        if value not in METHODS:
            raise ValueError(
                f"method {value!r} does not exist; {did_you_mean(value, METHODS, 'the methods are')} "
                f"{', '.join(METHODS)}"
            )
        return value

    @model_validator(mode="after")
    def _sweeps_a_value(self) -> Self:
        if (self.sweep is None) != (self.at is None):
            raise ValueError("sweep names a parameter and at its value: give both, or neither")
        return self


class Study(Settings):
    """A top-level block of parameters that describes a grid: rows x columns x folds x seeds.

    Attributes:
        title: title of its table, one line.
        paper: method whose published figures stand beside ours; None for none.
        table: number of the table in the paper.
        measures: names of metrics.
        seeds: seeds of each cell.
        runs: what all runs of the study change in the parameters of their methods.
        columns: by name, which is the published table's name of the dataset.
        rows: by name, as printed.
        probes: whether probes read disturbing factors from features; only rendered faces have all labels.
        embedding: whether the features of the first seed's models are laid out side by side (t-SNE).
    """

    title: str
    paper: str | None = None
    table: str | None = None
    measures: tuple[Measure, ...] = Field(("accuracy",), min_length=1)
    seeds: Numbers = (0, 1)
    runs: Changes = {}
    columns: dict[str, Column] = Field(min_length=1)
    rows: dict[str, Row] = Field(min_length=1)
    probes: bool = False
    embedding: bool = False
