"""Parameters of the neighbourhood mask; no torch here, so that they are checked at once."""

from typing import Annotated, Literal

from pydantic import Field

from openfer.parameters import Settings

GENERATOR = "sna_generator"
"""The run whose model makes the neighbours."""

MASKED = "sna"
"""The method that is what it is by the mask."""


class MaskSettings(Settings):
    """Which samples are too unstable to be learned from in a step (SNA: Fu, Wu, Li, Pan and Luo, Eq. 9 to 14).

    A sample is kept where the classifier's prediction for its semantic neighbour differs from that for itself by less
    than a threshold. Both are seen as the autoencoder sees them, in grey and in its size.

    Attributes:
        threshold: ``batch_mean`` is the paper's BT, a number its T. The paper estimates T "experimentally" and gives no
            value: ``first_epoch_median`` is the median over the first epoch, in which nobody is masked. Where all
            differences of a batch are equal, BT keeps all, as else nothing would be learned.
        noise: deviation of what is added to each dimension of the code, in deviations of that dimension over the
            training set; the paper gives none.
        mode: of the classifier while it is asked. In ``train`` its dropout draws twice, and the difference is rather
            of the dropout than of the neighbour; the paper does not say which it takes.
    """

    threshold: Literal["batch_mean", "first_epoch_median"] | Annotated[float, Field(gt=0)] = "batch_mean"
    noise: float = Field(default=0.3, ge=0)
    mode: Literal["eval", "train"] = "eval"
