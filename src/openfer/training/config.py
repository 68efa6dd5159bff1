"""What a user may say about training; no torch here, so that parameters are checked at once."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from openfer.parameters import WITHOUT_EFFECT, Settings
from openfer.training.augmentation_settings import Augmentation
from openfer.training.mask_settings import MaskSettings

Selection = Literal["last", "best_val", "oracle_test"]
"""Which epoch's weights are kept: the final ones, those with the best validation accuracy (ties: the
earlier epoch), or those with the best *test* accuracy, an oracle that no honest number may use. A method that regresses
is chosen by its mean concordance coefficient (CCC) in place of accuracy."""

_Level = Annotated[float, Field(ge=0, le=1)]
_Spread = Annotated[float, Field(gt=0)]


class ImageSettings(Settings):
    """How a stored face becomes the input of a network.

    Attributes:
        size: a stored face is resized to this side first; None takes it as it is stored.
        crop: side of the square input in pixels, at most ``size``. Training crops at random, testing crops the
            centre (ADDL: 224 of 256).
        flip: mirror a training image horizontally half of the time; every paper here does.
        augment: what else a training image goes through, in this order, after crop and flip.
        mean: subtracted from each channel in [0, 1], one number or three; 0.5 with ``std`` 0.5 gives [-1, 1].
        std: each channel is divided by it, one number or three.
        channels: the order in which the network gets the channels; ``bgr`` is that of code that reads images with
            OpenCV. Three numbers of ``mean`` and ``std`` are those of red, green and blue under either.
    """

    size: int | None = Field(None, ge=8)
    crop: int = Field(ge=8)
    flip: bool = True
    augment: tuple[Augmentation, ...] = ()
    mean: _Level | tuple[_Level, _Level, _Level] = 0.5
    std: _Spread | tuple[_Spread, _Spread, _Spread] = 0.5
    channels: Literal["rgb", "bgr"] = "rgb"

    @property
    def channel_means(self) -> tuple[float, float, float]:
        """Return the mean of red, green and blue."""
        return _three(self.mean)

    @property
    def channel_stds(self) -> tuple[float, float, float]:
        """Return what red, green and blue are divided by."""
        return _three(self.std)

    @field_validator("augment")
    @classmethod
    def _crops_first(cls, value: tuple[Augmentation, ...]) -> tuple[Augmentation, ...]:
        if any(step.kind == "resized_crop" for step in value[1:]):
            raise ValueError("resized_crop takes the place of the random crop: it stands first, or not at all")
        return value


class TrainingConfig(Settings):
    """How the trainer runs; what is learned, and for how long, is the method's own configuration.

    Attributes:
        device: ``auto`` takes the GPU where there is one.
        devices: number of processes that train together, each on a GPU of its own or on its part of the CPU's threads;
            ``auto`` takes all GPUs, and one process on a CPU. A batch is divided among them, and its size stays what
            the method says. The result is that of one device up to rounding.
        precision: arithmetic of the networks; weights and optimisers stay in float32. ``auto`` takes
            bfloat16 where the device computes with it, else float16 on a GPU and float32 on a CPU.
            On a CPU with AVX512-BF16 bfloat16 is 1.3 to 2.3 times as fast as float32.
        channels_last: memory layout of images; ``auto`` switches it on: with bfloat16 it is up to
            28 % faster on a CPU, with float32 between 9 % slower (64 pixels) and 20 % faster (224).
        compile: ``torch.compile`` of the networks; ``auto`` only on a GPU and only for runs long enough
            to earn the minutes of compilation back.
        workers: processes that decode images. ``auto``: none on a CPU, whose cores the networks need,
            else one per core, eight at most. A validation or test set that is watched in training
            gets two of its own at most. The batches are the same for every number.
        selections: the epochs whose weights are returned, the main one first. Validation accuracy is
            the default, as choosing on the test set flatters; ``last`` comes for free.
        selected_by: the score that chooses ``best_val`` and ``oracle_test``: ``accuracy``, or ``balanced_accuracy``,
            the mean of the classes' recalls, in which a rare class counts as much as a frequent one. A method that
            regresses is chosen by its concordance.
        average_mirrored: whether a face is predicted by the mean probabilities of its image and its mirror image, in
            results and in the scores that choose an epoch; features and values are means, too. The papers predict
            from the face alone, and so does an exported model.
        watch_training: whether the training faces are scored after every epoch too, as centre crops. It shows training
            against test accuracy, and takes as long as predicting all training faces.
        labels: ``class`` learns the class of each face; ``votes`` learns the shares of its annotators' votes, of the
            first task, where the dataset has votes. Only methods whose loss is a cross-entropy take them.
        neighbourhood_mask: leaves those samples of a batch out of the loss whose semantic neighbour the method sees as
            something else; None leaves out none. It wants a method that weighs its samples, and the run
            ``sna_generator``.
        checkpoint_minutes: a run that is killed loses at most this much, or one epoch if that is
            shorter. Ten minutes keep the cost of writing far below 1 % of the time.
    """

    device: Literal["auto", "cpu", "cuda"] = "auto"
    devices: Literal["auto"] | Annotated[int, Field(ge=1)] = Field(1, json_schema_extra=WITHOUT_EFFECT)
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    channels_last: Literal["auto"] | bool = "auto"
    compile: Literal["auto"] | bool = "auto"
    workers: Literal["auto"] | int = Field("auto", json_schema_extra=WITHOUT_EFFECT)
    selections: tuple[Selection, ...] = Field(("best_val", "last"), min_length=1)
    selected_by: Literal["accuracy", "balanced_accuracy"] = "accuracy"
    average_mirrored: bool = False
    watch_training: bool = False
    labels: Literal["class", "votes"] = "class"
    neighbourhood_mask: MaskSettings | None = None
    checkpoint_minutes: float = Field(10.0, ge=0, json_schema_extra=WITHOUT_EFFECT)

    @field_validator("workers")
    @classmethod
    def _not_negative(cls, value: int | str) -> int | str:
        if isinstance(value, int) and value < 0:
            raise ValueError("workers is a number of processes, 0 or more, or auto")
        return value

    @field_validator("selections")
    @classmethod
    def _each_once(cls, value: tuple[Selection, ...]) -> tuple[Selection, ...]:
        if len(set(value)) != len(value):
            raise ValueError(f"selections names one twice: {', '.join(value)}")
        return value


def _three(value: float | tuple[float, float, float]) -> tuple[float, float, float]:
    return value if isinstance(value, tuple) else (value, value, value)
