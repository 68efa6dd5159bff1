"""The one template of every method: train -> predict -> evaluate."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Pipeline, node

from openfer.code_version import runs, trains
from openfer.methods.declaration import METHODS
from openfer.nn.initialisation_settings import PRETRAIN
from openfer.pipelines import evaluation_nodes, method_nodes, training_nodes
from openfer.pipelines.bound import bound
from openfer.pipelines.cross_dataset import cross_pipeline
from openfer.pipelines.grad_cam import grad_cam
from openfer.pipelines.in_use import EMBEDDED, datasets_elsewhere, datasets_of, is_masked, is_pretrained
from openfer.pipelines.ingest import data_pipeline
from openfer.pipelines.method_run import prerequisites_of
from openfer.pipelines.publish import publish
from openfer.pipelines.stability import stability_pipeline
from openfer.training.mask_settings import GENERATOR


def method_pipeline(name: str) -> Pipeline:
    """Return a method's pipeline on the datasets in use, from rows and faces to the results table.

    Of sequences split for it, stability is measured as well.

    Args:
        name: the registered method; its parameters are ``params:<name>``.
    """
    parameters = f"params:{name}"
    tables = tables_of(name)
    code = f"openfer.methods.{name}"
    before = training_pipeline(name) + stability_pipeline(name)
    before += cross_pipeline(name, tables, _tables(name, datasets_elsewhere(name)))
    before += scored_pipeline(name, datasets_of(name))
    return before + Pipeline(
        [
            node(
                runs(method_nodes.predict, code),
                [parameters, f"{name}_models", *tables],
                [f"{name}_predictions", f"{name}_features", f"{name}_facts"],
                name="predict",
                namespace=name,
            ),
            node(
                runs(grad_cam, code),
                [parameters, f"{name}_models", *tables],
                f"{name}_grad_cam",
                name="grad_cam",
                namespace=name,
            ),
            node(
                evaluation_nodes.grad_cam_picture,
                f"{name}_grad_cam",
                f"{name}.grad_cam_picture",
                name="grad_cam_picture",
                namespace=name,
            ),
            node(
                evaluation_nodes.distances,
                f"{name}_features",
                f"{name}.distances",
                name="distances",
                namespace=name,
            ),
            node(
                runs(publish, code),
                [parameters, f"{name}_models", f"{name}.metrics", f"{name}.groups", *tables],
                [f"{name}.mlflow_model", f"{name}.model_card"],
                name="publish",
                namespace=name,
            ),
        ]
    )


def scored_pipeline(name: str, datasets: tuple[str, ...]) -> Pipeline:
    """Return what is made of predictions and facts alone: scores, calibration and groups, with their figures.

    Args:
        name: of the run, such as a method's.
        datasets: of the tested faces.
    """
    return Pipeline(
        [
            node(
                evaluation_nodes.evaluate,
                [f"{name}_predictions", f"{name}_facts"],
                {
                    "metrics": f"{name}.metrics",
                    "results": f"{name}.results",
                    "per_class": f"{name}.per_class",
                    "reliability": f"{name}.reliability",
                    "reliability_plot": f"{name}.reliability_plot",
                    "reliability_picture": f"{name}.reliability_picture",
                    "confusion_plot": f"{name}.confusion_plot",
                    "confusion_picture": f"{name}.confusion_picture",
                },
                name="evaluate",
                namespace=name,
            ),
            node(
                bound(evaluation_nodes.by_group, datasets),
                [f"{name}_predictions", *(f"{dataset}_groups" for dataset in datasets)],
                {"groups": f"{name}.groups", "gaps": f"{name}.gaps"},
                name="groups",
                namespace=name,
            ),
            node(
                evaluation_nodes.group_figures,
                [f"{name}.groups", f"{name}.gaps", f"{name}_facts"],
                {"groups_plot": f"{name}.groups_plot", "groups_picture": f"{name}.groups_picture"},
                name="group_figures",
                namespace=name,
            ),
        ]
    )


def training_pipeline(name: str) -> Pipeline:
    """Return the part of a method's pipeline that ends with its model: all that one without a task has.

    Where its backbone starts from the pretraining, or its training asks for neighbours, what makes these comes first.
    """
    parameters = f"params:{name}"
    tables = tables_of(name)
    models = [f"{needed}_models" for needed in prerequisites_of(name)]
    before = data_pipeline(datasets_of(name))
    function: Callable[..., Any] = training_nodes.train
    results = [f"{name}_models", f"{name}_history", f"{name}.initialisation"]
    if is_masked(name):
        before += generator_pipeline() + _who_was_masked(name)
        models.append(f"{GENERATOR}_models")
        function, results = training_nodes.train_masked, [*results, f"{name}_masked"]
    if is_pretrained(name):
        before += method_pipeline(PRETRAIN)
        models.append(f"{PRETRAIN}_models")
    return before + Pipeline(
        [
            node(
                trains(runs(function, f"openfer.methods.{name}")),
                [parameters, f"{name}.work", *tables, *models],
                results,
                name="train",
                namespace=name,
            ),
            node(
                method_nodes.augmented,
                [parameters, *tables],
                f"{name}.augmented",
                name="augmented",
                namespace=name,
            ),
            node(evaluation_nodes.curves, f"{name}_history", f"{name}.curves_plot", name="curves", namespace=name),
        ]
    )


def _who_was_masked(name: str) -> Pipeline:
    table, picture = f"{name}.masked_shares", f"{name}.masked_picture"
    return Pipeline(
        [
            node(evaluation_nodes.masked_shares, f"{name}_masked", table, name="masked_shares", namespace=name),
            node(evaluation_nodes.masked_figure, table, picture, name="masked_figure", namespace=name),
        ]
    )


def generator_pipeline() -> Pipeline:
    """Return the pipelines that end with the generator of neighbours: three of SNA's four stages."""
    network, autoencoder = prerequisites_of(GENERATOR)
    before = method_pipeline(network) + training_pipeline(autoencoder)
    return before + training_pipeline(GENERATOR)


def tables_of(name: str) -> list[str]:
    """Return the catalog names of a run's data: rows, faces, split and the extras of each dataset.

    Of rendered faces the renderer knows the landmarks; of others a landmarker has found them.
    """
    return _tables(name, datasets_of(name))


def _tables(name: str, datasets: tuple[str, ...]) -> list[str]:
    parts = ("rows@table", "faces", "split", *METHODS[name].extras)
    return [catalog_name(dataset, part) for dataset in datasets for part in parts]


def catalog_name(dataset: str, part: str) -> str:
    """Return what a part of a dataset is called; of rendered faces the renderer knows the landmarks."""
    return f"{dataset}_{'known_' if part == 'landmarks' and dataset in EMBEDDED else ''}{part}"
