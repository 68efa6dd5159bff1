"""A trained model in MLflow: exported and registered, with signature, input example, licences and its card."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from openfer.io.outbox import OUTBOX
from openfer.pipelines.sources import Sources
from openfer.pipelines.trained import Models, load_trained, main_model
from openfer.runs.settings import RunSettings

if TYPE_CHECKING:
    from torch import nn

    from openfer.methods.contract import Method
    from openfer.training.config import ImageSettings

_MEANINGS = {
    "landmarks": "(N, 68, 3): x and y in pixels of the input, and confidence, of the 68 points",
    "geometry": "(N, 1486): 52 blendshapes, then x, y and z of 478 points, as MediaPipe's landmarker measures them",
    "open_features": "(N, 1728): averages over 3 x 3 cells of the third and fourth tap of dlib's network",
}
_EXAMPLES = 2  # torch.export takes a batch of one for a constant


def publish(
    slug: str, run: RunSettings, models: Models, metrics: Mapping[str, Any], groups: pd.DataFrame, sources: Sources
) -> tuple[dict[str, Any], str]:
    """Log the main selection's model to the MLflow run in progress, and register it.

    Args:
        slug: identity of the run.
        run: its settings.
        models: by selection.
        metrics: its scores, for the card.
        groups: its scores by group, for the card.
        sources: its datasets, by name.

    Returns:
        Where it is and what it is, ``model_uri`` None when MLflow is switched off or fails; and its card, in Markdown.
    """
    from openfer.evaluation.model_card import model_card
    from openfer.training.tracking import active_run

    checkpoint = main_model(models)
    declared = run.declared
    card = {
        "run": slug,
        "method": run.method,
        "classes": checkpoint.facts["classes"],
        "selection": checkpoint.facts["selection"],
        "data_version": checkpoint.facts["data_version"],
        "input": f"float32 RGB in [0, 1], (N, 3, {run.images.crop}, {run.images.crop})",
        **{extra: f"float32, {_MEANINGS[extra]}" for extra in declared.extras},
        "output": "probabilities, (N, columns), one per task and class"
        + (", then values" if declared.regression_targets else "")
        + ("; of the face alone, not averaged with its mirror image" if run.training.average_mirrored else ""),
        "columns": [f"{task}: {name}" for task, names in checkpoint.facts["classes"].items() for name in names]
        + list(declared.regression_targets),
        "licence": "Apache-2.0",
        "licences_of_data": checkpoint.facts["licences_of_data"],
        "licences_of_weights": checkpoint.facts["licences_of_weights"],
        "origin_of_weights": checkpoint.facts["origin_of_weights"],
        "model_uri": None,
    }
    words = model_card(card, checkpoint.facts, metrics, groups)
    run_id = active_run()
    if run_id is None or OUTBOX.lost:
        return card, words

    import mlflow
    from mlflow.models import infer_signature

    trained = load_trained(run, models, sources)
    method, faces = trained.method, trained.faces()
    samples = [faces[0, i] for i in range(_EXAMPLES)]
    example = np.stack([sample.pixels.numpy() for sample in samples]).astype(np.float32) / 255
    others = {name: np.stack([sample.extras[name].numpy() for sample in samples]) for name in declared.extras}
    network = classifier(method, run.images)
    import torch

    from openfer.nn.tracing import without_stack_traces

    with torch.inference_mode():
        answer = network(*map(torch.from_numpy, (example, *others.values()))).numpy()

    def send() -> dict[str, Any]:
        with without_stack_traces():
            info = mlflow.pytorch.log_model(
                network,
                name=slug,
                signature=infer_signature({"rgb": example, **others} if others else example, answer),
                input_example=[example, *others.values()] if others else example,
                serialization_format="pt2",
                pip_requirements=[f"torch=={torch.__version__.split('+')[0]}", "numpy"],
                metadata={key: value for key, value in card.items() if key != "model_uri"},
                registered_model_name=run.method,
            )
        version = info.registered_model_version
        client = mlflow.MlflowClient()
        client.update_model_version(run.method, version, description=words)
        for name in ("licence", "licences_of_data"):
            client.set_model_version_tag(run.method, version, name, str(card[name]))
        return {"model_uri": info.model_uri, "run_id": run_id, "registered_version": version}

    return card | (OUTBOX.attempt(send) or {}), words


def classifier(method: "Method", images: "ImageSettings") -> "nn.Module":
    """Return a network from RGB in [0, 1], and the method's extras, to its answers side by side.

    These are the probabilities of all tasks, then what is regressed.
    """
    import torch
    from torch import nn

    from openfer.methods.contract import Batch
    from openfer.training.batches import ordered

    class Classifier(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.method = method
            for name, value in (("mean", images.channel_means), ("std", images.channel_stds)):
                self.register_buffer(name, torch.tensor(value)[:, None, None], persistent=False)

        def forward(self, rgb: torch.Tensor, extra: torch.Tensor | None = None) -> torch.Tensor:
            normalised = ordered((rgb - self.get_buffer("mean")) / self.get_buffer("std"), images)
            extras = {} if extra is None else dict(zip(method.declared.extras, [extra], strict=True))
            found = self.method(*self.method.inputs(Batch(normalised, {}, extras)))
            shares = [found.logits[task].float().softmax(1) for task in method.classes]
            return torch.cat(
                [*shares, *(found.values[name].float()[:, None] for name in method.declared.regression_targets)], dim=1
            )

    return Classifier().eval()
