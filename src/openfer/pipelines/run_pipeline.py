"""The one pipeline of every run: train -> predict -> evaluate -> finish."""

from collections.abc import Callable, Iterable
from typing import Any

from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from openfer.code_version import runs
from openfer.pipelines import checking, cross_dataset, evaluation_nodes, predicting, stability
from openfer.pipelines import train as training
from openfer.pipelines.bound import bound
from openfer.pipelines.by_name import by_name, named
from openfer.pipelines.extras import extras_pipeline
from openfer.pipelines.figures import grad_cam
from openfer.pipelines.figures.declared import FIGURES, HISTORY, Figure
from openfer.pipelines.finish import finish
from openfer.pipelines.ingest import data_pipeline
from openfer.pipelines.publish import publish
from openfer.pipelines.sources import PARTS
from openfer.pipelines.space import Space
from openfer.runs.datasets import EMBEDDED, Datasets
from openfer.runs.plan import RunPlan, chain_of
from openfer.runs.tags import CHECKS, ELSEWHERE, PREREQUISITE, PUBLISHES, REQUESTED, TRAINS, run_tag
from openfer.training.mask_settings import GENERATOR


def runs_pipeline(requested: Iterable[RunPlan], datasets: Datasets) -> Pipeline:
    """Return the pipeline of runs and of all that they need, from rows and faces on; each run once.

    Args:
        requested: the runs whose results are wanted.
        datasets: the project's.
    """
    wanted = {run.slug for run in requested}
    nodes: list[Node] = []
    extras: dict[str, dict[str, None]] = {}
    for slug, run in chain_of(requested).items():
        nodes += _Nodes(run, datasets).all(requested=slug in wanted)
        for dataset in (*run.settings.datasets, *run.settings.test_datasets):
            extras.setdefault(dataset, {}).update(dict.fromkeys(run.settings.declared.extras))
    made = sum((extras_pipeline(dataset, names) for dataset, names in extras.items()), Pipeline(nodes))
    return data_pipeline(extras, datasets) + made


def catalog_name(dataset: str, part: str) -> str:
    """Return the catalog entry of a part of a dataset. The renderer knows the landmarks of rendered faces."""
    if part == "rows":
        return f"{dataset}_rows@table"
    return f"{dataset}_{'known_' if part == 'landmarks' and dataset in EMBEDDED else ''}{part}"


def sources(datasets: Iterable[str], parts: Iterable[str]) -> dict[str, str]:
    """Return the inputs that become ``sources``: the parts of each dataset."""
    kept = tuple(parts)
    return {f"sources.{name}.{part}": catalog_name(name, part) for name in datasets for part in kept}


class _Nodes:
    """Makes the nodes of one run.

    Args:
        run: the run.
        datasets: the project's.
    """

    def __init__(self, run: RunPlan, datasets: Datasets) -> None:
        self._run, self._datasets = run, datasets
        self._space = Space(run.namespace, run_tag(run.slug))
        settings = run.settings
        self._parts = ("rows", "faces", "split", *settings.declared.extras)
        self._sources = sources(settings.datasets, self._parts)
        self._settings = {"run": f"params:runs.{run.slug}"}
        self._models = {"models": f"{run.training.slug}_models"}
        self._trained = self._settings | self._models | self._sources
        self._code = [f"openfer.methods.{settings.method}"]

    def all(self, *, requested: bool) -> list[Node]:
        """Return all nodes; the last one is tagged by whether the run's results are wanted, or it is needed only."""
        nodes = [] if self._run.training is not self._run else self._training()
        nodes += [part for figure in FIGURES.get(self._run.method, ()) for part in self._figure(figure)]
        results = {"history": f"{self._run.training.slug}_history"}
        if self._run.settings.tasks:
            nodes += self._predictions() + self._scores() + self._stability() + self._elsewhere()
            results |= {"metrics": self._space.own("metrics_json"), "facts": f"{self._run.slug}_facts"}
        before = {name: run.slug for name, run in self._run.prerequisites.items()}
        trained = "" if self._run.training is self._run else self._run.training.slug
        ending = bound(finish, self._run.slug, before, trained)
        tag = REQUESTED if requested else PREREQUISITE
        return [*nodes, self._space(ending, self._settings | results, f"{self._run.slug}_run", "finish", tag)]

    def _training(self) -> list[Node]:
        run, slug = self._run, self._run.slug
        before = {name: f"{needed.slug}_models" for name, needed in run.prerequisites.items()}
        inputs = self._settings | {"work": self._space.own("work")} | self._sources | named("prerequisites", before)
        if run.settings.initialisation.cache_frozen:
            inputs["frozen_maps"] = "frozen_maps"
        function: Callable[..., Any] = training.train
        results = [f"{slug}_models", f"{slug}_history", self._space.own("initialisation")]
        nodes = []
        if run.settings.is_masked:
            function, results = training.train_masked, [*results, f"{slug}_masked"]
            table, picture = self._space.own("masked_table"), self._space.own("masked_picture")
            nodes += [
                self._space(evaluation_nodes.masked_shares, f"{slug}_masked", table, "masked_shares"),
                self._space(evaluation_nodes.masked_figure, table, picture, "masked_figure"),
            ]
        code = self._code + ([f"openfer.methods.{GENERATOR}"] if run.settings.is_masked else [])
        train = by_name(runs(function, *code), "sources", "prerequisites")
        augmented = by_name(predicting.augmented, "sources")
        return [
            self._checking(),
            self._space(train, inputs, results, "train", TRAINS),
            self._space(augmented, self._settings | self._sources, self._space.own("augmented_image"), "augmented"),
            self._space(evaluation_nodes.curves, f"{slug}_history", self._space.own("curves_picture"), "curves"),
            *nodes,
        ]

    def _checking(self) -> Node:
        datasets = self._run.settings.datasets
        published = {name: sorted(self._datasets.expressions(name)) for name in datasets}
        inputs = self._settings | sources(datasets, PARTS)
        check = by_name(bound(checking.labels, published), "sources")
        return self._space(check, inputs, self._space.own("labels_table"), "labels", CHECKS)

    def _figure(self, figure: Figure) -> list[Node]:
        outputs: Any = [self._space.own(name) for name in figure.outputs]
        if len(outputs) == 1:  # Kedro reads a list as several outputs
            (outputs,) = outputs
        if figure.inputs:
            history = f"{self._run.training.slug}_history"
            inputs = [history if name == HISTORY else self._space.own(name) for name in figure.inputs]
            return [self._space(figure.make, inputs, outputs, figure.name)]
        before = {name: f"{self._run.prerequisites[name].slug}_models" for name in figure.prerequisites}
        inputs_by_name = self._trained | named("prerequisites", before)
        code = [*self._code, *(f"openfer.methods.{name}" for name in figure.prerequisites)]
        grouped = ("sources", "prerequisites") if figure.prerequisites else ("sources",)
        make = by_name(runs(figure.make, *code), *grouped)
        return [self._space(make, inputs_by_name, outputs, figure.name)]

    def _predictions(self) -> list[Node]:
        slug = self._run.slug
        results = {"metrics": self._space.own("metrics_json"), "groups": self._space.own("groups_table")}
        published = [self._space.own("mlflow_model_json"), self._space.own("model_card_text")]
        read = [name for name in self._run.settings.datasets if self._datasets.reader(name)]
        readers = named("readers", {name: f"params:{name}.reader" for name in read})
        predict = by_name(runs(bound(predicting.predict_run, slug), *self._code), "sources", "readers")
        model = by_name(runs(bound(publish, slug), *self._code), "sources")
        return [
            self._space(predict, self._trained | readers, [f"{slug}_{kind}" for kind in _PREDICTED], "predict"),
            *self._grad_cam(),
            self._space(
                evaluation_nodes.distances, f"{slug}_features", self._space.own("distances_table"), "distances"
            ),
            self._space(model, self._trained | results, published, "publish", PUBLISHES),
        ]

    def _grad_cam(self) -> list[Node]:
        if not self._run.settings.declared.looks_at_pixels:
            return []
        table, picture = f"{self._run.slug}_grad_cam", self._space.own("grad_cam_picture")
        look = by_name(runs(grad_cam.grad_cam, *self._code), "sources")
        return [
            self._space(look, self._trained, table, "grad_cam"),
            self._space(evaluation_nodes.grad_cam_picture, table, picture, "grad_cam_picture"),
        ]

    def _scores(self) -> list[Node]:
        return scored_nodes(self._run.slug, self._space, self._run.settings.datasets)

    def _stability(self) -> list[Node]:
        stable = tuple(name for name in self._run.settings.datasets if self._datasets.is_stable(name))
        if not stable:
            return []
        slug = self._run.slug
        predicted = {"predictions": f"{slug}_predictions"}
        rows = named("rows", {name: catalog_name(name, "rows") for name in stable})
        tables = predicted | {"facts": f"{slug}_facts"} | sources(stable, ("rows", "faces", "split"))
        table, picture = by_name(stability.stability_table, "rows"), by_name(stability.stability_picture, "sources")
        return [
            self._space(table, predicted | rows, self._space.own("stability_table"), "stability"),
            self._space(picture, tables, self._space.own("stability_picture"), "stability_picture"),
        ]

    def _elsewhere(self) -> list[Node]:
        others = self._run.settings.test_datasets
        if not others:
            return []
        slug = self._run.slug
        predict = by_name(runs(cross_dataset.predict_elsewhere, *self._code), "sources")
        matrix, picture = self._space.own("cross_dataset_table"), self._space.own("cross_dataset_picture")
        figure = evaluation_nodes.cross_dataset_figure
        run = by_name(evaluation_nodes.cross_dataset, "runs")
        made = {f"runs.{slug}.{part}": f"{slug}_{part}" for part in ("predictions", "facts", "elsewhere")}
        elsewhere = self._trained | sources(others, self._parts)
        return [
            self._space(predict, elsewhere, f"{slug}_elsewhere", "predict_elsewhere"),
            self._space(run, made, matrix, "cross_dataset", ELSEWHERE),
            self._space(figure, matrix, picture, "cross_dataset_figure"),
        ]


_PREDICTED = ("predictions", "features", "facts")

_SCORED = (
    *("metrics_json", "results_table", "per_class_table", "reliability_table"),
    *("reliability_picture", "confusion_picture"),
)


def scored_nodes(slug: str, space: Space, datasets: Iterable[str]) -> list[Node]:
    """Return what is made of predictions and facts alone: scores, calibration and groups, with their figures.

    Args:
        slug: of the run.
        space: of its nodes.
        datasets: of the tested faces.
    """

    def own(*names: str) -> dict[str, str]:
        return {name: space.own(name) for name in names}

    predicted, facts = {"predictions": f"{slug}_predictions"}, {"facts": f"{slug}_facts"}
    groups = named("groups", {name: f"{name}_groups" for name in datasets})
    of_groups = {"groups": space.own("groups_table")}
    by_group = by_name(evaluation_nodes.by_group, "groups")
    return [
        space(evaluation_nodes.evaluate, predicted | facts, own(*_SCORED), "evaluate"),
        space(by_group, predicted | groups, own("groups_table", "gaps_table"), "groups"),
        space(evaluation_nodes.group_figure, of_groups | facts, space.own("groups_picture"), "group_figure"),
    ]
