"""The landmarks that OADN keeps, and its attention (OADN, Fig. 3)."""

from dataclasses import replace
from typing import Any

import numpy as np

from openfer.pipelines.sources import Sources
from openfer.pipelines.trained import Models, load_trained
from openfer.runs.settings import RunSettings

_FACES_SHOWN = 10


def attention(run: RunSettings, models: Models, sources: Sources) -> Any:
    """Return a matplotlib figure of tested faces from the most to the least occluded, with points, maps and regions."""
    import torch

    from openfer.evaluation.figures import interest_points_sheet
    from openfer.methods.oadn import OADN
    from openfer.nn.interest_points import PARTS
    from openfer.training.predict import collect_named, predict

    trained = load_trained(run, models, sources)
    method = trained.method
    assert isinstance(method, OADN)
    everyone = trained.faces()
    seen = method.attend(torch.from_numpy(everyone.extras["landmarks"]), run.images.crop, (1, 1))
    shown = set(everyone.sample_ids[_from_covered_to_bare(seen.kept.sum(1).numpy())].tolist())
    data = [replace(source, split=source.split[source.split["sample_id"].isin(shown)]) for source in trained.data]
    faces = trained.faces(shown=[source for source in data if len(source.role(trained.role))])

    images = np.stack([faces[0, i][0].numpy().transpose(1, 2, 0) for i in range(len(faces))])
    landmarks = torch.stack([faces[0, i][2]["landmarks"] for i in range(len(faces))])
    points, kept, _ = method.attend(landmarks, run.images.crop, (1, 1))
    seen_by = collect_named(method, lambda *inputs: method(*inputs).maps, faces, run.training)
    named: dict[str, np.ndarray] = {}
    if "attention" in seen_by:
        named["attention"] = seen_by["attention"][:, 0]
        height, width = named["attention"].shape[1:]
        maps = method.attend(landmarks, run.images.crop, (height, width)).maps
        named |= {part: maps[:, list(which)].amax(1).numpy() for part, which in PARTS.items()}
    names = method.classes["expression"]
    guesses = predict(method, faces, run.training).probabilities["expression"].argmax(1)
    answers: list[list[str]] = [[] for _ in range(len(faces))]
    if "regions" in seen_by:
        answers = [[names[best] for best in face.argmax(0).ravel()] for face in seen_by["regions"]]
    order = np.argsort(kept.sum(1).numpy(), kind="stable")
    return interest_points_sheet(
        images[order],
        points[..., :2].numpy()[order],
        kept.numpy()[order],
        {title: values[order] for title, values in named.items()},
        [answers[i] for i in order],
        [names[faces.labels["expression"][i]] for i in order],
        [names[guesses[i]] for i in order],
    )


def _from_covered_to_bare(kept: np.ndarray) -> np.ndarray:
    """Return places of faces whose numbers of kept points are spread over those that there are, (N,) to (10,)."""
    order = np.argsort(kept, kind="stable")
    by_count = np.searchsorted(kept[order], np.linspace(kept.min(), kept.max(), _FACES_SHOWN))
    by_rank = np.linspace(0, len(order) - 1, _FACES_SHOWN).astype(int)
    places = list(dict.fromkeys([*by_count.tolist(), *by_rank.tolist()]))
    return order[places[:_FACES_SHOWN]]
