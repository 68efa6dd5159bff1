"""Accuracy against the number of branches of ESR."""

from typing import Any

import pandas as pd

from openfer.pipelines.sources import Sources
from openfer.pipelines.trained import Models, load_trained
from openfer.runs.settings import RunSettings


def branches(run: RunSettings, models: Models, sources: Sources) -> pd.DataFrame:
    """Return the accuracy of the first b branches' vote, and of branch b alone, on validation and tested faces."""
    import torch

    from openfer.methods.esr import ESR
    from openfer.nn.vote import majority_vote
    from openfer.training.predict import collect

    trained = load_trained(run, models, sources)
    method = trained.method
    assert isinstance(method, ESR)
    rows = []
    for role in dict.fromkeys(("val", trained.role)):
        faces = trained.faces(role)
        if not len(faces):  # nobody was held out for validation
            continue
        logits = torch.from_numpy(collect(method, method.branch_logits, faces, run.training)).transpose(0, 1)
        labels = torch.from_numpy(faces.labels["expression"])
        logits, labels = logits[:, labels >= 0], labels[labels >= 0]
        for count in range(1, len(logits) + 1):
            vote, alone = majority_vote(logits[:count], method.config.ties), logits[count - 1]
            right = [float((said.argmax(1) == labels).float().mean()) for said in (vote, alone)]
            rows.append((role, count, *right, len(labels)))
    return pd.DataFrame(rows, columns=["role", "branches", "vote", "alone", "n"])


def branches_figure(table: pd.DataFrame) -> Any:
    """Return the matplotlib figure of that table."""
    from openfer.evaluation.figures import branches_picture

    return branches_picture(table)
