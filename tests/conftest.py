"""Faces for all tests that need real ones: rendered once a session, eight people and seven expressions."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from openfer.io.face_store import FaceStore


@dataclass(frozen=True)
class TinyFaces:
    """Fifty-six rendered faces of 64 pixels.

    Attributes:
        store: the faces.
        scenes: in the store's order; ``expression``, ``gender``, ``race`` and ``identity`` are labels.
    """

    store: FaceStore
    scenes: pd.DataFrame

    def classes(self, task: str) -> tuple[str, ...]:
        return tuple(sorted(self.scenes[task].unique()))

    def labels(self, task: str) -> np.ndarray:
        return np.array([self.classes(task).index(name) for name in self.scenes[task]])


@pytest.fixture(scope="session")
def tiny_faces(tmp_path_factory) -> TinyFaces:
    from openfer.synthetic.config import SyntheticConfig
    from openfer.synthetic.render_set import render_set
    from openfer.synthetic.sets import plan

    intensity = {"low": 0.9, "high": 1.0}
    calm = {"yaw_std": 10, "pitch_std": 3, "roll_std": 1, "zoom_std": 0.01, "shift_std": 0.01}
    mixture = {**calm, "occluded_share": 0, "flash_share": 0, "intensity": intensity}
    one = {"people": 1, "images_per_person": 1}
    config = SyntheticConfig.model_validate(
        {
            "seed": 0,
            "image_size": 64,
            "workers": 1,
            "pie": {**one, "occluded_share": 0, "intensity": intensity},
            "raf": {**one, "mixture": mixture},
            "fer": {"train_people": 7, "test_people": 1, "images_per_person": 7, "mixture": mixture},
        }
    )
    scenes = plan("synthetic_fer", config)
    folder = render_set(scenes, config, tmp_path_factory.mktemp("tiny_faces"))
    return TinyFaces(FaceStore(folder), scenes.assign(identity=scenes["person"]))
