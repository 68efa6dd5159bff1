"""ADDL for valence and arousal: its settings (ADDL, Sec. 4.6, Table 14)."""

from pydantic import Field

from openfer.labels import AFFECT
from openfer.methods.declaration import Declaration, network_at
from openfer.methods.declared import addl
from openfer.methods.declared.addl import ADDLSettings
from openfer.parameters import Settings


class AffectWeights(Settings):
    """What the two losses of valence and arousal count beside Eq. 14; the paper states neither.

    Attributes:
        root_mean_square: of the root mean square error.
        concordance: of one minus the concordance coefficient.
    """

    root_mean_square: float = Field(default=1.0, ge=0)
    concordance: float = Field(default=1.0, ge=0)


class ADDLVASettings(ADDLSettings):
    """Parameters of the model of valence and arousal, beside those of the ADDL that it is initialised from.

    Attributes:
        affect_weights: of what is added to the joint loss.
        last_layers_rate: learning rate of the two last layers, FC(K) and FC(2), as a multiple of the schedule's:
            1e-3 and 1e-4 in the paper, which states no number of epochs.
    """

    affect_weights: AffectWeights = AffectWeights()
    last_layers_rate: float = Field(default=10.0, gt=0)


def _prerequisites_of(settings: ADDLVASettings) -> tuple[str, ...]:
    return (*addl.prerequisites_of(settings), "addl")


def _variant_of(settings: ADDLVASettings) -> str:
    """Return ``addl_va``, with the row of ADDL that it starts from unless that is ADDL itself."""
    row = addl.name_of(settings)
    return "addl_va" if row == "addl" else f"addl_va {row}"


METHOD = Declaration(
    name="addl_va",
    settings=ADDLVASettings,
    network=network_at("openfer.methods.addl_va:ADDLVA"),
    variant_of=_variant_of,
    prerequisites=_prerequisites_of,
    needs_images=lambda settings: "its DFEM looks at them" if settings.uses_dfem else "",
    initialised_from="addl",
    regression_targets=AFFECT,
    supports_sample_weights=True,
    supports_soft_labels=True,
)
