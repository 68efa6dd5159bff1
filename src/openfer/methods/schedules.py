"""How long a stage trains, how it steps and which samples it shows; no torch here.

Methods and the trainer take these by way of :mod:`openfer.methods.contract`.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from openfer.parameters import Settings


class AllSamples(Settings):
    """Every epoch shows every sample once."""

    kind: Literal["all"] = "all"


class BalancedSubset(Settings):
    """A stage trains on a random subset of its own, the same number of samples of each class where there are so many.

    Samples without a label are left out.

    Attributes:
        per_class: largest number of samples of a class.
    """

    kind: Literal["balanced_subset"] = "balanced_subset"
    per_class: int = Field(ge=1)


class WeightedSamples(Settings):
    """Every epoch shows every sample once, and rare classes count more: class k of K weighs ``N / (K N_k)``.

    Samples without a label weigh 1, and count in no task that they are not labelled for.
    """

    kind: Literal["weighted"] = "weighted"


class BalancedBatches(Settings):
    """Every batch shows the same number of samples of each class (Selective Learning; SNA, Sec. IV).

    An epoch has as many full batches as there are in the training set. Of a class each sample is shown once before one
    is shown again. Samples without a label are left out.
    """

    kind: Literal["balanced_batches"] = "balanced_batches"


class Oversampled(Settings):
    """Every epoch draws as many samples as there are, with replacement, of each class equally often on average.

    That is, a sample's probability is proportional to 1 / N_k for its class k (ADDL on AffectNet and Aff-Wild2, "as
    in SCN": the public sampler of SCN's and RAN's authors). Samples without a label are left out, and do not count.
    """

    kind: Literal["oversampled"] = "oversampled"


Sampling = Annotated[
    AllSamples | BalancedSubset | WeightedSamples | BalancedBatches | Oversampled, Field(discriminator="kind")
]
"""Which samples the epochs of a stage show, and what they count."""


class Schedule(Settings):
    """How long a stage trains and how its players step (Adam, SGD or RMSprop, multi-step decay).

    Attributes:
        epochs: passes over the training set.
        batch_size: samples a step.
        optimiser: of every player.
        learning_rate: of every player at the start.
        betas: Adam's.
        momentum: SGD's.
        weight_decay: the L2 term of any of them.
        milestones: epochs after which the learning rate is multiplied by ``decay``.
        decay: the factor.
        sampling: which samples an epoch shows; classes are those of the method's first task.
    """

    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=2)
    optimiser: Literal["adam", "sgd", "rmsprop"] = "adam"
    learning_rate: float = Field(gt=0)
    betas: tuple[float, float] = (0.9, 0.999)
    momentum: float = Field(0.0, ge=0, lt=1)
    weight_decay: float = Field(0.0, ge=0)
    milestones: tuple[int, ...] = ()
    decay: float = Field(0.1, gt=0, le=1)
    sampling: Sampling = AllSamples()

    @model_validator(mode="after")
    def _momentum_has_an_optimiser(self) -> Self:
        if self.momentum and self.optimiser != "sgd":
            raise ValueError(f"momentum is {self.momentum}, which {self.optimiser} does not read; set optimiser: sgd")
        return self


ADDL_SCHEDULE = Schedule(
    epochs=40,
    batch_size=16,
    learning_rate=1e-4,
    betas=(0.5, 0.999),
    weight_decay=5e-4,
    milestones=(10, 18, 25, 32),
    decay=0.1,
)
"""ADDL's (Ruan et al., IJCV 130, 2022) for RAF-DB; the weight decay is that of the public DDL code."""
