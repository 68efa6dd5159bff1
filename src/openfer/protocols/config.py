"""The parameters of splits."""

from typing import Literal

from pydantic import Field, model_validator

from openfer.parameters import Settings
from openfer.protocols.fold_lists import NAMES


class ProtocolConfig(Settings):
    """How a split is made where the publisher leaves it open.

    Attributes:
        seed: root of the draw.
        validation_share: share of the training data that selects the epoch, in [0, 0.5]; whole subjects where subjects
            are known. 0 lets all of it train. It is also that of each dataset whose own protocol names none, but for a
            hold-out, on which factors are judged.
    """

    seed: int = Field(ge=0)
    validation_share: float = Field(ge=0, le=0.5)


class DatasetProtocol(Settings):
    """How the split of a published dataset is made.

    Attributes:
        kind: ``official``, the publisher's partitions; ``subject_folds``, cross-validation over subjects;
            ``image_folds``, over images where no subject is known; ``holdout``, train and val of single images;
            ``test_only``, for a set that only tests what others have trained; ``stability``, peaks of sequences
            train and the four frames before them test (:mod:`openfer.protocols.stability`), for which the reader
            must keep at least the last five frames (``options: {frames: all}``).
        tested: the publisher's partition that tests in an official split. ``val`` where the labels of the test images
            are not public, or where a paper reports on validation images (FER+): the publisher's validation images
            test, and validation comes from train, never from what is reported.
        task: what a row must be labelled with to play a role, and what is balanced over the sides.
        folds: of cross-validation.
        lists: ``true`` takes the fixed fold list of the dataset's own name, a name takes that one
            (``ck_plus``, ``mmi`` or ``oulu_casia``), ``false`` draws folds by the seed.
        subset: the challenge list that the test images of an official split are on, such as ``occlusion``.
        validation_share: share of the training data that selects the epoch; whole subjects where known. 0 lets all of
            it train. No effect where the publisher has a ``val`` partition.
        seed: root of the draws.
        near_duplicate_bits: perceptual hashes that differ in at most this number of 256 bits are near duplicates;
            :mod:`openfer.faces.perceptual_hash` says what 22 finds. Null looks for equal files only.
    """

    kind: Literal["official", "subject_folds", "image_folds", "holdout", "test_only", "stability"] = "official"
    tested: Literal["test", "val"] = "test"
    task: Literal["expression", "valence", "attributes"] = "expression"
    folds: int = Field(10, ge=2)
    lists: bool | str = False
    subset: str | None = None
    validation_share: float = Field(0.15, ge=0, lt=1)
    seed: int = Field(0, ge=0)
    near_duplicate_bits: int | None = Field(22, ge=0, le=64)

    @model_validator(mode="after")
    def _fits_the_kind(self) -> "DatasetProtocol":
        if self.subset is not None and self.kind != "official":
            raise ValueError(
                f"subset {self.subset!r} chooses test images of the official split, and kind is {self.kind}; remove "
                "the subset, or set kind: official"
            )
        if self.tested != "test" and self.kind != "official":
            raise ValueError(f"tested names a partition of the official split, and kind is {self.kind}; remove tested")
        if self.lists and self.kind != "subject_folds":
            raise ValueError(
                f"lists say each subject's fold, and kind is {self.kind}; remove lists, or set kind: subject_folds"
            )
        if isinstance(self.lists, str) and self.lists not in NAMES:
            raise ValueError(f"there is no fold list {self.lists!r}; the lists are {', '.join(NAMES)}")
        if self.kind == "holdout" and not 0 < self.validation_share <= 0.5:
            raise ValueError(
                f"validation_share is {self.validation_share}; a holdout takes more than 0 and at most 0.5 of them"
            )
        return self
