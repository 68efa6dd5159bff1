"""How much of a server one client may take."""

from pydantic import Field

from openfer.parameters import Settings


class Limits(Settings):
    """Limits of the service; what is beyond them is answered by an error of the client (4xx).

    Attributes:
        images: files in one request.
        megabytes: size of one request, in millions of bytes.
        megapixels: width x height that the header of an image may claim, in millions.
        side: longer images are shrunk to this side before faces are looked for, pixels.
        faces: faces in one image; see ``most_faces`` of :func:`openfer.inference.predictor.load`.
        requests: requests in progress at once; a further one is refused with 429.
        seconds: time in which a client must have sent its request.
        batch: images of any requests that are predicted together.
    """

    images: int = Field(16, ge=1)
    megabytes: float = Field(32.0, gt=0)
    megapixels: float = Field(40.0, gt=0)
    side: int = Field(2048, ge=256)
    faces: int = Field(100, ge=1)
    requests: int = Field(64, ge=1)
    seconds: float = Field(30.0, gt=0)
    batch: int = Field(8, ge=1)
