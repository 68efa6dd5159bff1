"""The card of a model file: what the model takes and gives, what it learned from, and what it is not for."""

from typing import Any, Literal

import numpy as np
from pydantic import Field

from openfer.parameters import Settings

CARD = "openfer"
"""The metadata property of an ONNX file that holds the card, as JSON."""

Input = Literal["faces", "geometry"]
"""What a model looks at: ``faces``, aligned crops, or ``geometry``, what MediaPipe's landmarker measures on a crop."""

Extra = Literal["landmarks"]
"""What a model takes beside faces: ``landmarks``, the 68 points of each crop."""

GEOMETRY_FEATURES = 52 + 478 * 3
"""52 blendshapes, then x, y and z of each of the mesh's 478 points (:data:`openfer.schemas.GEOMETRY`)."""

LANDMARKS_SHAPE = (68, 3)
"""x and y in pixels of the crop (centres of pixels at whole numbers plus one half) and confidence in [0, 1]."""


class Crop(Settings):
    """How a face is cut out for a model.

    Attributes:
        size: side of the crop in pixels.
        points5: where eye centres, nose tip and mouth corners lie in the crop, x and y in pixels, left of the image
            first; pixel centres are at whole numbers plus one half.
        eye_weight: how much an eye counts in the fit of the five points, against 1 for the other three.
    """

    size: int = Field(ge=8)
    points5: tuple[tuple[float, float], ...] = Field(min_length=5, max_length=5)
    eye_weight: float = Field(10.0, ge=1)

    @property
    def template(self) -> np.ndarray:
        """Return ``points5`` as an array, (5, 2)."""
        return np.array(self.points5)


class Accuracy(Settings):
    """How often a model is right on the test set of its run.

    Attributes:
        value: share of equal answers, in [0, 1].
        n: number of faces.
        datasets: their datasets.
        role: ``test``, or ``val`` where no dataset has test faces.
    """

    value: float = Field(ge=0, le=1)
    n: int = Field(ge=1)
    datasets: tuple[str, ...]
    role: Literal["test", "val"]


class Parity(Settings):
    """How near the answers of the file are to those of the network in torch.

    Attributes:
        n: number of faces.
        largest_difference: of a probability or a value, absolute.
        equal_answers: share of faces with the same most probable class, in [0, 1].
    """

    n: int = Field(ge=1)
    largest_difference: float = Field(ge=0)
    equal_answers: float = Field(ge=0, le=1)


class Quantised(Settings):
    """How a model became one of 8-bit integers, and what that cost.

    Attributes:
        calibration_faces: number of training faces that set the ranges.
        float32: accuracy of the model before, on the same faces.
    """

    calibration_faces: int = Field(ge=1)
    float32: Accuracy


class ModelCard(Settings):
    """What is known of a model file.

    Attributes:
        slug: identity of the run.
        method: registered name.
        variant: the run's name in tables.
        task: what the classes are of.
        classes: in the order of the probabilities.
        further_classes: classes of other tasks by name; the output ``probabilities_<task>`` holds each.
        input: what the model looks at.
        extras: what it takes beside that.
        crop: how a face is cut out; of a model of ``geometry`` the crop that is measured.
        gives: values that it gives beside probabilities.
        selection: which epoch's weights these are.
        datasets: the training data.
        data_version: of the training data, twelve hexadecimal digits.
        n_train: number of training faces.
        seed: of the run.
        initialisation: the first weights.
        origin_of_weights: where the first weights come from; empty if they were drawn.
        licence: of openfer and of what training adds.
        licences_of_data: of the training data.
        licences_of_weights: of the first weights.
        accuracy: on the test set of the run, by this file; None if no test face is labelled.
        parity: with the network in torch.
        quantised: None for a model of 32-bit numbers.
        openfer: version that wrote the file.
        limits: what the model is not, and what it is not for; `openfer predict` prints the first.
    """

    slug: str
    method: str
    variant: str
    task: str = "expression"
    classes: tuple[str, ...] = Field(min_length=1)
    further_classes: dict[str, tuple[str, ...]] = {}
    input: Input
    extras: tuple[Extra, ...] = ()
    crop: Crop
    gives: tuple[Literal["valence", "arousal"], ...] = ()
    selection: str
    datasets: tuple[str, ...]
    data_version: str
    n_train: int
    seed: int
    initialisation: str
    origin_of_weights: str = ""
    licence: str = "Apache-2.0"
    licences_of_data: tuple[str, ...]
    licences_of_weights: tuple[str, ...] = ()
    accuracy: Accuracy | None = None
    parity: Parity | None = None
    quantised: Quantised | None = None
    openfer: str
    limits: tuple[str, ...] = Field(min_length=1)

    @property
    def inputs(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Return type and shape for one face of every input, by name: ``faces`` or ``geometry`` first, then extras."""
        side = self.crop.size
        own = ("uint8", (side, side, 3)) if self.input == "faces" else ("float32", (GEOMETRY_FEATURES,))
        return {self.input: own} | dict.fromkeys(self.extras, ("float32", LANDMARKS_SHAPE))

    @property
    def outputs(self) -> dict[str, tuple[int, ...]]:
        """Return the shape for one face of every output, by name; all are float32."""
        further = {f"probabilities_{task}": (len(names),) for task, names in self.further_classes.items()}
        return {"probabilities": (len(self.classes),)} | further | dict.fromkeys(self.gives, ())

    def with_measured(self, **measured: Any) -> "ModelCard":
        """Return the card with ``accuracy``, ``parity`` or ``quantised`` filled in."""
        return self.model_validate(self.model_dump() | measured)
