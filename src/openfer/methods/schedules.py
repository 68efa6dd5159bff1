"""How long a stage trains, how it steps and which samples it shows; no torch here.

Methods and the trainer take these by way of :mod:`openfer.methods.contract`.
"""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from openfer.errors import ParameterError
from openfer.parameters import Settings


class AllSamples(Settings):
    """Every epoch shows every sample once."""

    kind: Literal["all"] = "all"


class BalancedSubset(Settings):
    """A stage trains on its own random subset, with the same number of samples of each class if there are enough.

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


class ByDataset(Settings):
    """Every batch mixes the training datasets in a stated ratio.

    An epoch has as many full batches as there are in the training set. Each sample of a dataset is shown once before
    one is shown again, so that a small dataset is repeated. ADDL's DFEM learns three factors each from Multi-PIE and
    RAF-DB: without a ratio three quarters of its batches of 16 hold no face of RAF-DB.

    Attributes:
        ratio: by training dataset, its part of a batch; the batch size is a multiple of the sum.
    """

    kind: Literal["by_dataset"] = "by_dataset"
    ratio: dict[str, Annotated[int, Field(ge=1)]] = Field(min_length=2)


Sampling = Annotated[
    AllSamples | BalancedSubset | WeightedSamples | BalancedBatches | Oversampled | ByDataset,
    Field(discriminator="kind"),
]
"""Which samples the epochs of a stage show, and what they count."""


class Schedule(Settings):
    """How long a stage trains and how its players step.

    Attributes:
        epochs: passes over the training set.
        batch_size: samples a step.
        optimiser: of every player.
        learning_rate: of every player, after the warm-up and before any decay.
        betas: of Adam and AdamW.
        momentum: of SGD.
        weight_decay: the L2 term of the loss; with AdamW the decoupled decay, times the learning rate.
        learning_rate_schedule: ``multi_step`` multiplies by ``decay`` at each milestone; ``exponential`` multiplies by
            ``decay`` every epoch; ``cosine`` follows half a cosine wave down towards 0 at the end of the stage.
        milestones: of ``multi_step``: epochs after which the learning rate is multiplied by ``decay``.
        decay: the factor of ``multi_step`` and ``exponential``.
        warmup_epochs: epochs at the start of the stage in which the learning rate rises linearly.
        sam_radius: sharpness-aware minimisation with any of the optimisers: the gradient is taken this far uphill of
            the weights, which needs the losses twice a step; None takes it at the weights.
        clip_norm: largest norm of a player's gradient, over all of its parameters; None does not clip.
        average_decay: per step, of the exponential moving average of all weights and of the statistics of batch
            normalisation. The averaged weights are validated, selected, saved and handed to the next stage. None does
            not average.
        label_smoothing: share of each label's probability that goes to all classes alike, in [0, 1). Only methods
            whose loss is a cross-entropy take it; 0 leaves labels as they are.
        sampling: which samples an epoch shows; classes are those of the method's first task.
    """

    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=2)
    optimiser: Literal["adam", "adamw", "sgd", "rmsprop"] = "adam"
    learning_rate: float = Field(gt=0)
    betas: tuple[float, float] = (0.9, 0.999)
    momentum: float = Field(0.0, ge=0, lt=1)
    weight_decay: float = Field(0.0, ge=0)
    learning_rate_schedule: Literal["multi_step", "cosine", "exponential"] = "multi_step"
    milestones: tuple[int, ...] = ()
    decay: float = Field(0.1, gt=0, le=1)
    warmup_epochs: int = Field(0, ge=0)
    sam_radius: float | None = Field(None, gt=0)
    clip_norm: float | None = Field(None, gt=0)
    average_decay: float | None = Field(None, gt=0, lt=1)
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    sampling: Sampling = AllSamples()

    @model_validator(mode="after")
    def _every_setting_has_an_effect(self) -> Self:
        rates = self.learning_rate_schedule
        if self.momentum and self.optimiser != "sgd":
            raise ValueError(f"momentum is {self.momentum}, which {self.optimiser} does not read; set optimiser: sgd")
        if self.milestones and rates != "multi_step":
            raise ValueError(f"milestones are {self.milestones}, which {rates} does not read; set milestones: []")
        check_milestones("milestones", self.milestones, self.epochs)
        if rates == "exponential" and "decay" not in self.model_fields_set:
            raise ValueError("learning_rate_schedule is exponential without a decay; set its factor per epoch")
        if self.warmup_epochs >= self.epochs:
            raise ValueError(f"warmup_epochs is {self.warmup_epochs} of {self.epochs} epochs; leave some to train")
        if isinstance(self.sampling, ByDataset) and self.batch_size % (parts := sum(self.sampling.ratio.values())):
            raise ValueError(
                f"batch_size is {self.batch_size}, which {parts} parts of sampling.ratio do not divide; set it to a "
                f"multiple, such as {nearest_multiple(self.batch_size, parts)}"
            )
        return self


def check_milestones(name: str, milestones: Sequence[int], epochs: int) -> None:
    """Refuse milestones that are not reached during a stage, or that are reached before its first epoch.

    Args:
        name: the parameter, for the message.
        milestones: numbers of epochs after which a learning rate falls.
        epochs: of the stage.

    Raises:
        ValueError: if a milestone is below 1 or not below ``epochs``.
    """
    early = [milestone for milestone in milestones if milestone < 1]
    if early:
        raise ValueError(
            f"{name} are {list(milestones)}, so that {early} lower the learning rate before the first epoch; give "
            "milestones of 1 or more, or a lower learning_rate"
        )
    late = [milestone for milestone in milestones if milestone >= epochs]
    if late:
        raise ValueError(
            f"{name} are {list(milestones)} of {epochs} epochs, so that {late} are never reached; "
            "give milestones below epochs"
        )


def nearest_multiple(number: int, of: int) -> int:
    """Return the largest multiple that is at most ``number``, or ``of`` itself where that is larger."""
    return max(1, number // of) * of


def refuse_uneven(stage: str, batch_size: int, classes: int) -> None:
    """Refuse a batch size by which :class:`BalancedBatches` cannot show all classes equally often.

    Args:
        stage: what trains, for the message.
        batch_size: samples a step.
        classes: number of classes.

    Raises:
        ParameterError: if the batch size is no multiple.
    """
    if batch_size % classes:
        raise ParameterError(
            f"{stage} has batches of {batch_size}, which cannot show {classes} classes equally often; set batch_size "
            f"to a multiple of {classes}, such as {nearest_multiple(batch_size, classes)}, or leave_out expressions"
        )


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
