"""Methods with several branches: the similarity of the branches, and the attention of each."""

from typing import Any

import numpy as np
import pandas as pd

from openfer.pipelines.figures.shown_faces import some_of_each_class
from openfer.pipelines.sources import Sources
from openfer.pipelines.trained import Models, load_trained
from openfer.runs.settings import RunSettings

_FACES = 7


def similarity(run: RunSettings, models: Models, sources: Sources) -> pd.DataFrame:
    """Return the similarity of every two learners, mean over the validation faces, or the tested ones without any."""
    from openfer.methods.esr import ESR
    from openfer.methods.manet import MANet
    from openfer.training.predict import collect_named

    trained = load_trained(run, models, sources)
    method = trained.method
    assert isinstance(method, ESR | MANet)
    faces = trained.faces("val" if any((source.split["role"] == "val").any() for source in trained.data) else None)
    rows = []
    for kind, of_faces in collect_named(method, method.similarities, faces, run.training).items():
        matrix = of_faces.mean(0)
        for one, other in zip(*np.triu_indices(len(matrix), k=1), strict=True):
            rows.append((kind, one + 1, other + 1, float(matrix[one, other]), len(faces)))
    return pd.DataFrame(rows, columns=["kind", "one", "other", "similarity", "n"])


def similarity_figure(history: pd.DataFrame) -> Any:
    """Return a matplotlib figure of the learners' pairwise similarity over training."""
    from openfer.evaluation.figures import similarity_picture

    return similarity_picture(history)


def attention(run: RunSettings, models: Models, sources: Sources) -> Any:
    """Return a matplotlib figure of tested faces of every class with each map of the prediction over them."""
    from openfer.evaluation.figures import branch_attention_sheet
    from openfer.training.predict import collect_named, predict

    trained = load_trained(run, models, sources)
    method = trained.method
    faces = trained.faces(shown=some_of_each_class(trained.data, trained.role, _FACES))
    maps = collect_named(method, lambda images: method(images).maps, faces, run.training)
    guesses = predict(method, faces, run.training).probabilities["expression"].argmax(1)
    images = np.stack([faces[0, i][0].numpy().transpose(1, 2, 0) for i in range(len(faces))])
    classes = method.classes["expression"]
    true = [classes[label] for label in faces.labels["expression"]]
    return branch_attention_sheet(images, maps, true, [classes[guess] for guess in guesses])
