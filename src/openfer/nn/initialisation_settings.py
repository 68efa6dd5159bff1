"""Where a backbone's first weights come from; readable without torch."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from openfer.errors import CheckpointError
from openfer.nn.choices import LastFrozen
from openfer.parameters import FILE, WITHOUT_EFFECT, Settings, at_home

PRETRAIN = "pretrain"
"""The pipeline, and the value of ``backbone`` that asks for what it learned."""

NONE = "none"
"""The value of ``backbone`` that asks for random weights."""

_Hash = Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$")]


class KeyFilter(Settings):
    """Which tensors of a file are the backbone's, and what of their names is not.

    Attributes:
        take: prefix of the names of the tensors to take; all when empty.
        strip: what to take off the front of their names, before the prefixes that every file may have.
    """

    take: str = ""
    strip: str = ""


class WeightsEntry(Settings):
    """What the manifest ``conf/*/weights.yml`` says of a file of weights.

    Attributes:
        path: where it is: a file of yours, or ``package:`` and a file of an installed package.
        sha256: the hash that it must have; unchecked when null, where no public source states one.
        architecture: one of :data:`openfer.nn.trunks.ARCHITECTURES`.
        licence: under which terms it, and what it was learned from, may be used.
        origin: who made it, from what, and where it is found.
        mean: of the images that it was learned from, red first, in [0, 1]; null where nobody says. A run takes it by
            ``images: {mean: weights, std: weights}``.
        std: what these were divided by, red first.
        channels: the order in which the first layer reads them; the weights of ``bgr`` are turned to read red first.
        keys: which of its tensors are taken.
    """

    path: str = Field(json_schema_extra=FILE)
    sha256: _Hash | None = None
    architecture: str
    licence: str = Field(min_length=1)
    origin: str = Field(min_length=1)
    mean: tuple[float, float, float] | None = Field(None, json_schema_extra=WITHOUT_EFFECT)
    std: tuple[float, float, float] | None = Field(None, json_schema_extra=WITHOUT_EFFECT)
    channels: Literal["rgb", "bgr"] = "rgb"
    keys: KeyFilter = KeyFilter()


class InitialisationSettings(Settings):
    """Parameters of a backbone's initialisation.

    Attributes:
        backbone: ``none`` for random weights, ``pretrain`` for the trunk that the pipeline of this name learns,
            a name of the manifest ``conf/*/weights.yml``, or the path of a weights file: ``.safetensors``,
            ``.pth``/``.pt`` with a state dict, or ``.dat`` of dlib.
        sha256: the hash that the file must have, before the manifest's; unchecked when null.
        allow_random: False refuses ``none``, since the paper prints a trained start; ``--env paper`` sets it.
        column: in a study, the column whose run of the same row and seed gives the weights; null for none.
        frozen_until: the backbone's stem and stages up to this one keep their first weights, and batch normalisation in
            them its statistics. An epoch then takes less time. Methods with a ``trunk`` read it; it needs trained
            weights.
        cache_frozen: compute the maps of the frozen layers once for each face and its mirror image, keep them on disk,
            and train on them in the place of images. It needs images without random crops and augmentation, and a
            method that reads nothing else of an image.
        minimum_match: smallest share of the backbone's tensors that the file must fill.
        entry: what the manifest says of a name; it is filled in when parameters are read.
    """

    backbone: str = Field(NONE, json_schema_extra=FILE)
    sha256: _Hash | None = None
    allow_random: bool = Field(True, json_schema_extra=WITHOUT_EFFECT)  # it refuses a run, and changes none
    column: str | None = Field(None, json_schema_extra=WITHOUT_EFFECT)  # the column's run decides
    frozen_until: LastFrozen = "none"
    cache_frozen: bool = False
    minimum_match: float = Field(default=0.9, gt=0, le=1)
    entry: WeightsEntry | None = None

    _expands = field_validator("backbone")(at_home)

    @property
    def is_random(self) -> bool:
        """Whether the backbone starts from random weights."""
        return self.backbone == NONE and self.column is None

    @property
    def file(self) -> Path | None:
        """Return the weights file; None for random weights and for the pretraining's."""
        if self.entry is not None:
            return Path(self.entry.path)
        return None if self.backbone in (NONE, PRETRAIN) else Path(self.backbone)

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        if self.column is not None and self.backbone != NONE:
            raise ValueError(
                f"backbone is {self.backbone} and column is {self.column}: both give the first weights; set backbone: "
                f"{NONE}, or column: null"
            )
        return self

    def refuse_missing_file(self) -> None:
        """Refuse a weights file that is not there.

        Raises:
            CheckpointError: it says where the file is expected, and of one in the manifest whose it is.
        """
        if self.file is None or self.file.is_file():
            return
        if self.entry is None:
            raise CheckpointError(
                f"weights file {self.file} does not exist; give an existing path, a name of weights.yml, {NONE} or "
                f"{PRETRAIN}"
            )
        raise CheckpointError(
            f"the weights {self.backbone} are expected at {self.file}, which does not exist. Origin: "
            f"{self.entry.origin}. Licence: {self.entry.licence}. openfer ships no one's weights: put your copy there, "
            f"say in conf/local/weights.yml where it is, or start from {PRETRAIN} or {NONE}"
        )
