"""Parameters of the neighbourhood mask; no torch here, so that they are checked at once."""

from typing import Annotated, Literal

from pydantic import Field

from openfer.parameters import Settings

GENERATOR = "sna_generator"
"""The run whose model makes the neighbours."""

MASKED = "sna"
"""The method that is what it is by the mask."""


class LastEpoch(Settings):
    """A threshold that follows training: a quantile of the divergences of the epoch before.

    Attributes:
        last_epoch: share of that epoch's faces that lie below the threshold.
    """

    last_epoch: float = Field(gt=0, lt=1)


class MaskSettings(Settings):
    """Which samples are too unstable to be learned from in a step (SNA: Fu, Wu, Li, Pan and Luo, Eq. 9 to 14).

    A sample is kept where the classifier's prediction for its semantic neighbour differs from that for its reference
    by less than a threshold. Both are seen as the autoencoder sees them, in grey and in its size. The defaults are the
    paper's.

    Attributes:
        threshold: ``batch_mean`` is the paper's BT, a number of nats its T. The paper estimates T "experimentally" and
            gives no value. ``{last_epoch: 0.9}`` takes the 90 % quantile of the epoch before; in the first epoch it
            keeps every sample. Where all divergences of a batch are equal, BT keeps all, as else nothing would be
            learned.
        begin: epoch of the run, counted from 0, from which samples are dropped; before, all are kept. The paper's is 0.
            In the first epochs predictions hardly differ, and a quarter of each batch is dropped for differences of
            rounding size.
        reference: the paper compares a neighbour with the ``original``. ``reconstruction`` compares it with the face
            that is decoded from the same code without noise: the divergence then is the neighbourhood's alone, and not
            the generator's failure to draw the face.
        criterion: which samples are dropped. ``divergence`` is the paper's. The others are controls that drop as many
            of each batch: ``random`` draws them, ``loss`` takes those with the largest cross-entropy.
        noise: deviation of what is added to each dimension of the code, in deviations of that dimension over the
            training set; the paper gives none.
        mode: of the classifier while it is asked. In ``train`` its dropout draws twice, and the difference is rather
            of the dropout than of the neighbour; the paper does not say which it takes.
    """

    threshold: Literal["batch_mean"] | Annotated[float, Field(gt=0)] | LastEpoch = "batch_mean"
    begin: int = Field(default=0, ge=0)
    reference: Literal["original", "reconstruction"] = "original"
    criterion: Literal["divergence", "random", "loss"] = "divergence"
    noise: float = Field(default=0.3, ge=0)
    mode: Literal["eval", "train"] = "eval"

    @property
    def words(self) -> str:
        """Return what tells this mask from the paper's with BT, such as ``T 0.2``; empty for that one."""
        parts = []
        if isinstance(self.threshold, LastEpoch):
            parts.append(f"T last epoch {self.threshold.last_epoch:g}")
        elif self.threshold != "batch_mean":
            parts.append(f"T {self.threshold:g}")
        if self.reference != "original":
            parts.append(self.reference)
        if self.begin:
            parts.append(f"from {self.begin}")
        if self.criterion != "divergence":
            parts.append(f"by {self.criterion}")
        return " ".join(parts)
