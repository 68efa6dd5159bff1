"""What a model says of one face in an image."""

from dataclasses import dataclass

import numpy as np

from openfer.faces.mediapipe.canonical import Pose


@dataclass(frozen=True, eq=False)
class FacePrediction:
    """One face.

    Attributes:
        box: left, top, right, bottom in pixels of the image, (4,).
        points: eye centres, nose tip and mouth corners in pixels of the image, left of the image first, (5, 2).
        score: of the detection, in [0, 1].
        pose: of the head, in degrees.
        classes: the expressions that the model knows.
        probabilities: one for each class, float32, (K,); they sum to 1.
        valence: in [-1, 1]; None where the model does not give it.
        arousal: in [-1, 1]; None where the model does not give it.
        blendshapes: in the order of :data:`~openfer.faces.mediapipe.blendshapes.BLENDSHAPES`, each in [0, 1], float32,
            (52,); None where the model does not look at them.
    """

    box: np.ndarray
    points: np.ndarray
    score: float
    pose: Pose
    classes: tuple[str, ...]
    probabilities: np.ndarray
    valence: float | None = None
    arousal: float | None = None
    blendshapes: np.ndarray | None = None

    @property
    def expression(self) -> str:
        """The most probable class."""
        return self.classes[int(self.probabilities.argmax())]

    @property
    def probability(self) -> float:
        """The probability of :attr:`expression`, in [0, 1]."""
        return float(self.probabilities.max())
