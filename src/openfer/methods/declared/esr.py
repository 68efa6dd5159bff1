"""ESR with attention and diversity: its settings, and the rows of Table 1 by name.

ESR: Siqueira, Magg and Wermter, AAAI 2020. CBAM and diversity: Heidari and Iosifidis, 2022.
"""

from typing import Literal, Self

from pydantic import Field, model_validator

from openfer.losses.diversity_settings import DiversitySettings
from openfer.methods.declaration import Declaration, network_at
from openfer.methods.schedules import BalancedSubset, Schedule
from openfer.nn.choices import GATE_MOMENTUM, Ties
from openfer.parameters import ONLY_PREDICTION, Settings

Gate = Literal["spatial", "channel"]


class Growth(Settings):
    """Schedule of the branches after the first one.

    Attributes:
        epochs: of every further branch; 20 from scratch, 60 in fine-tuning.
        kept_rate: multiple of the learning rate for what has been trained already: the base from the second branch
            on, and all branches but the one in training. 0.01 of 0.1 from scratch, 0.02 of 0.1 in fine-tuning.
        fine_tuning: the branches come trained, by ``initialisation``, from another dataset: all of them are there
            (and diverse) from the first stage on, while each stage classifies with one more.
        keep_classifiers: fine-tuning starts from the other dataset's classifiers, too, whose classes must be the same,
            as in the public code for FER+, whose eight are AffectNet's. False makes new ones, as that for RAF-DB.
    """

    epochs: int = Field(default=20, ge=1)
    kept_rate: float = Field(default=0.1, gt=0, le=1)
    fine_tuning: bool = False
    keep_classifiers: bool = False

    @model_validator(mode="after")
    def _keeps_what_there_is(self) -> Self:
        if self.keep_classifiers and not self.fine_tuning:
            raise ValueError(
                "keep_classifiers is true, but fine_tuning is false: a training from scratch has no classifiers to "
                "keep; set both, or neither"
            )
        return self


class ESRSettings(Settings):
    """Parameters of ESR; the defaults are the papers', on AffectNet.

    Attributes:
        branches: 9 or 15 in the papers.
        attention: CBAM behind each of the eight layers.
        gate_momentum: of CBAM's batch statistics (:class:`openfer.nn.cbam.CBAM`).
        diversify: whose gates are made different: those of the last CBAM of every branch (the public code; the
            paper says "in each layer").
        diversity: how difference is measured; the defaults there are ours.
        schedule: of the first branch. The milestones are StepLR(10), whose public code steps before each epoch and
            so one earlier; no weight decay. Every stage draws a balanced subset of its own. Of equally good
            epochs the earlier one is kept, the later one in the public code.
        growth: of the further branches.
        ties: who wins a vote where classes have the same number of votes (:func:`openfer.nn.vote.majority_vote`).
        early_exit: predict with this number of first branches only; null for all. Training does not depend on it.
    """

    branches: int = Field(default=9, ge=1)
    attention: bool = True
    gate_momentum: float = Field(default=GATE_MOMENTUM, gt=0, le=1)
    diversify: tuple[Gate, ...] = ("spatial", "channel")
    diversity: DiversitySettings = DiversitySettings()
    schedule: Schedule = Schedule(
        epochs=50,
        batch_size=32,
        optimiser="sgd",
        learning_rate=0.1,
        momentum=0.9,
        milestones=(10, 20, 30, 40),
        decay=0.5,
        sampling=BalancedSubset(per_class=5000),
    )
    growth: Growth = Growth()
    ties: Ties = "first"
    early_exit: int | None = Field(default=None, ge=1, json_schema_extra=ONLY_PREDICTION)

    @model_validator(mode="after")
    def _is_there(self) -> Self:
        if self.diversify and not self.attention:
            raise ValueError(
                f"diversify is {list(self.diversify)}, the gates of CBAM, but attention is off; set attention: true, "
                "or diversify: []"
            )
        if len(set(self.diversify)) != len(self.diversify):
            raise ValueError(f"diversify names one twice: {', '.join(self.diversify)}")
        if self.early_exit is not None and self.early_exit > self.branches:
            raise ValueError(f"early_exit is {self.early_exit}, but there are {self.branches} branches")
        return self


def _rows() -> dict[str, dict[str, object]]:
    """Return Table 1's rows of ESR."""
    parts: list[dict[str, object]] = [
        {"attention": False, "diversify": ()},
        {"diversify": ()},
        {"diversify": ("spatial",)},
        {"diversify": ("spatial", "channel")},
    ]
    names = ("", " cbam", " cbam spatial", " cbam spatial channel")
    return {
        f"esr-{branches}{name}": {"branches": branches, **part}
        for branches in (9, 15)
        for name, part in zip(names, parts, strict=True)
    }


def _variant_of(settings: ESRSettings) -> str:
    """Return the row of Table 1, such as ``esr-9 cbam spatial``; an early exit adds ``exit`` and its branch."""
    parts = (f"esr-{settings.branches}", *(["cbam"] if settings.attention else []), *settings.diversify)
    left = settings.early_exit
    return " ".join((*parts, *([f"exit {left}"] if left else [])))


METHOD = Declaration(
    name="esr",
    settings=ESRSettings,
    network=network_at("openfer.methods.esr:ESR"),
    variants=_rows(),
    variant_of=_variant_of,
    supports_sample_weights=True,
    supports_soft_labels=True,
    fine_tunes=lambda settings: settings.growth.fine_tuning,
    input_side=96,
)
