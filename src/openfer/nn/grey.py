"""Networks that see faces without colour."""

from torch import Tensor
from torchvision.transforms.v2.functional import rgb_to_grayscale

from openfer.errors import ParameterError


def grey(images: Tensor, side: int) -> Tensor:
    """Return images in grey, refusing those of another size than the network is built for.

    Args:
        images: RGB, (B, 3, S, S).
        side: S in pixels.

    Returns:
        Luma of ITU-R 601, (B, 1, S, S).

    Raises:
        ParameterError: if they have another side.
    """
    if images.shape[-2:] != (side, side):
        height, width = images.shape[-2:]
        raise ParameterError(
            f"images are {height} x {width} pixels, this network is built for {side} x {side}; set images.crop and "
            "settings.side to the same number"
        )
    converted: Tensor = rgb_to_grayscale(images)
    return converted
