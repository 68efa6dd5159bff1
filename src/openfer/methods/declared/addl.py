"""ADDL: its settings, and the rows of the paper's Table 2 by name (Ruan et al., IJCV 130, 2022)."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from openfer.labels import FACTORS
from openfer.methods.declaration import Declaration, network_at
from openfer.methods.schedules import ADDL_SCHEDULE, Schedule, check_milestones
from openfer.nn.choices import Transferred, TrunkName
from openfer.parameters import Settings

_ABBREVIATIONS = ("g", "ga", "gar", "gar_id", "gar_id_il", "gar_id_il_p")
"""The paper's for the first, the first two, ... of :data:`openfer.labels.FACTORS`."""


class Weights(Settings):
    """The lambdas of the joint loss (ADDL, Eq. 14; best values of Table 7).

    A term of weight 0 is not computed, and who serves that term alone neither is built nor plays.

    Attributes:
        adversarial: lambda_1.
        attention_transfer: lambda_2.
        information: lambda_3.
    """

    adversarial: float = Field(default=1.0, ge=0)
    attention_transfer: float = Field(default=0.1, ge=0)
    information: float = Field(default=0.001, ge=0)

    @model_validator(mode="after")
    def _something_disentangles(self) -> Self:
        if not (self.adversarial or self.attention_transfer or self.information):
            raise ValueError(
                "all three weights are 0, which leaves the expression branch alone; run baseline with "
                "variant: baseline_mat for that"
            )
        return self


class ADDLSettings(Settings):
    """Parameters of ADDL; the defaults are the paper's.

    Attributes:
        trunk: ``resnet18`` is the paper's; ``dlib_resnet29`` takes dlib's open weights; ``resnet18_small_images``, of
            no paper, has a stem of 3 x 3 without stride and pooling.
        schedule: for RAF-DB. It is the main player's; D and T take it without its milestones.
        weights: of the terms of the joint loss.
        factors: which of DFEM's factors are fused, with one importance weight each; Table 5 takes
            those of one dataset only. The adversarial term alone reads them.
        importance: where the importance weights of M' fused factors come from: ``learned`` is the SA layer (ADFL),
            ``equal`` is 1/M' for each, the rows DDL and ADDL_MI; the paper does not state the value.
        confusion: how the main player works against D. ``non_saturating`` exchanges the targets of Eq. 8, as the public
            DDL code does; ``saturating`` is Eq. 7 to the letter, the negative of Eq. 8, whose gradient vanishes where D
            is sure.
        transferred: the maps of Eq. 9, which the paper leaves open. ``block_outputs`` compares a_1..a_5 with DFEM's
            layer1..layer4 and layer4. ``mixed_maps`` takes for a_1..a_4 what the next block sees, the mix of a_j and
            u_{j+1}, as the public DDL code does. ``channel_masks`` compares the masks m_1..m_5 with DFEM's stem to
            layer4: the paper calls the masks attention maps. ``spatial_maps`` compares sums of squares over channels.
        discriminator_milestones: epochs after which D's learning rate is multiplied by the schedule's decay; none in
            the paper. One public version of DDL steps it after 20, 28 and 35.
        dropout: before the FCs; 0.5 in the DDL code, not stated in the paper.
        leaky_slope: of the LeakyReLUs of D and T; 0.01 in the DDL code, not stated in the paper.
    """

    trunk: TrunkName = "resnet18"
    schedule: Schedule = ADDL_SCHEDULE
    weights: Weights = Weights()
    factors: tuple[str, ...] = Field(default=FACTORS, min_length=1)
    importance: Literal["learned", "equal"] = "learned"
    confusion: Literal["non_saturating", "saturating"] = "non_saturating"
    transferred: Transferred = "block_outputs"
    discriminator_milestones: tuple[int, ...] = ()
    dropout: float = Field(default=0.5, ge=0, lt=1)
    leaky_slope: float = Field(default=0.01, ge=0, lt=1)

    @model_validator(mode="after")
    def _milestones_are_reached(self) -> Self:
        check_milestones("discriminator_milestones", self.discriminator_milestones, self.schedule.epochs)
        return self

    @property
    def fused(self) -> tuple[str, ...]:
        """Return the factors that are fused, in the order of :data:`openfer.labels.FACTORS`; none without L_AD."""
        return tuple(factor for factor in FACTORS if factor in self.factors) if self.weights.adversarial else ()

    @property
    def uses_dfem(self) -> bool:
        """Return whether a term of the loss reads DFEM."""
        return bool(self.weights.adversarial or self.weights.attention_transfer)

    @property
    def learns_importance(self) -> bool:
        """Return whether there is an SA layer."""
        return bool(self.fused) and self.importance == "learned"


def _rows() -> dict[str, dict[str, Any]]:
    without_mi = {"information": 0.0}
    ddl = {
        f"ddl_{name}": {"factors": FACTORS[:count], "importance": "equal", "weights": without_mi}
        for count, name in enumerate(_ABBREVIATIONS, start=1)
    }
    return ddl | {
        "addl_adfl": {"weights": without_mi},
        "addl_mi": {"importance": "equal"},
        "addl_mi_no_dfem": {"weights": {"adversarial": 0.0, "attention_transfer": 0.0}},
        "addl": {},
    }


ROWS: Mapping[str, Mapping[str, Any]] = _rows()
"""The rows of Table 2 from DDL_g on, each with what differs from the defaults; ``addl_mi_no_dfem`` is ADDL_MI-DFEM."""


def name_of(settings: ADDLSettings) -> str:
    """Return the row that these settings are, or ``addl`` with what differs from the paper's, such as ``lambda_1 0.5``.

    What a row does not use does not tell it from another one, nor do schedule, dropout and slope.
    """
    mine = _switches(settings)
    for name, row in ROWS.items():
        if _switches(ADDLSettings.model_validate(row)) == mine:
            return name
    paper, words = ADDLSettings(), ["addl"]
    if settings.fused and settings.fused != paper.fused:
        words.append("+".join(settings.fused))
    if settings.fused and not settings.learns_importance:
        words.append("equal weights")
    for number, (ours, theirs) in enumerate(zip(_lambdas(settings), _lambdas(paper), strict=True), start=1):
        if ours != theirs:
            words.append(f"lambda_{number} {ours:g}")
    return " ".join(words)


def _switches(settings: ADDLSettings) -> tuple[Any, ...]:
    return settings.fused, settings.learns_importance, *_lambdas(settings)


def _lambdas(settings: ADDLSettings) -> tuple[float, float, float]:
    weights = settings.weights
    return weights.adversarial, weights.attention_transfer, weights.information


def prerequisites_of(settings: ADDLSettings) -> tuple[str, ...]:
    """Return DFEM where a term of the loss reads it."""
    return ("dfem",) if settings.uses_dfem else ()


METHOD = Declaration(
    name="addl",
    settings=ADDLSettings,
    network=network_at("openfer.methods.addl:ADDL"),
    variants=ROWS,
    variant_of=name_of,
    prerequisites=prerequisites_of,
    needs_images=lambda settings: "its DFEM looks at them" if settings.uses_dfem else "",
    supports_sample_weights=True,
    supports_soft_labels=True,
)
