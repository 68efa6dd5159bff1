"""The smallest images that a network takes."""

from torch import Tensor

from openfer.errors import ParameterError


def refuse_small(images: Tensor, smallest: int, papers: int) -> None:
    """Refuse images of which the last maps would have too little left.

    Args:
        images: (B, 3, H, W).
        smallest: pixels of the shortest side that the network can do with.
        papers: pixels of the paper's images, which the message recommends.

    Raises:
        ParameterError: if a side is shorter.
    """
    height, width = images.shape[-2:]
    if min(height, width) < smallest:
        raise ParameterError(
            f"images are {height} x {width} pixels, this network needs {smallest} or more on each side; "
            f"set images.crop to 64, or to the paper's {papers}"
        )
