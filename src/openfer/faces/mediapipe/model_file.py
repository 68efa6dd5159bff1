"""The face landmarker's file: four parts in a zip archive, checked by its hash before it is read."""

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from openfer.errors import CheckpointError

SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
"""Of ``face_landmarker.task``: float16, version 1, 3,758,596 bytes."""

CARRIED = Path(__file__).with_name("face_landmarker.task")
"""The copy in this package. Third parties report Apache-2.0; openfer's authors have not opened the model cards."""


@dataclass(frozen=True)
class LandmarkerFile:
    """The parts of the file.

    Attributes:
        detector: the TFLite network that finds faces.
        mesh: the TFLite network that finds 478 points.
        blendshapes: the TFLite network that reads 52 blendshapes from points.
        canonical: the canonical face, a protocol buffer.
    """

    detector: bytes
    mesh: bytes
    blendshapes: bytes
    canonical: bytes


def read_landmarker(path: Path = CARRIED) -> LandmarkerFile:
    """Read and check the landmarker's file.

    Args:
        path: of a copy of ``face_landmarker.task``.

    Raises:
        CheckpointError: if the file is missing, or its hash is not :data:`SHA256`.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(
            f"the face landmarker {path} cannot be read ({error.strerror}); install openfer again"
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise CheckpointError(
            f"the face landmarker {path} has {len(content)} bytes and the SHA-256 {found}, expected {SHA256}: it is "
            "truncated or another version; install openfer again"
        )
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return LandmarkerFile(
            detector=archive.read("face_detector.tflite"),
            mesh=archive.read("face_landmarks_detector.tflite"),
            blendshapes=archive.read("face_blendshapes.tflite"),
            canonical=archive.read("geometry_pipeline_metadata_landmarks.binarypb"),
        )
