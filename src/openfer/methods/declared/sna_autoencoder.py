"""SNA's second stage, the asymmetric autoencoder: its settings and rows (Fu, Wu, Li, Pan and Luo)."""

from typing import Literal

from pydantic import Field

from openfer.methods.declaration import Declaration, network_at
from openfer.methods.schedules import Schedule
from openfer.nn.choices import AUTOENCODER_SMALLEST_SIDE
from openfer.parameters import Settings


class LevelWeights(Settings):
    """What each level's reconstruction counts: alpha_0 and alpha_1 to alpha_4 of Eq. 4.

    Attributes:
        image: of the image.
        maps: of the outputs of the encoder's four convolutions, the widest first.
    """

    image: float = Field(default=4.0, ge=0)
    maps: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)


class AutoencoderSettings(Settings):
    """Parameters of the autoencoder; the defaults are the paper's.

    Attributes:
        side: of the images in pixels, a multiple of 16 that ``images.crop`` must be.
        decoder: ``asymmetric`` has residual blocks that the encoder has not; ``symmetric`` is the row "AE".
        dropout: what the encoder loses of its input and of its maps while it learns to reconstruct.
        slope: of the encoder's LeakyReLUs.
        levels: what each level's reconstruction counts.
        schedule: the paper's.
    """

    side: int = Field(default=112, ge=AUTOENCODER_SMALLEST_SIDE, multiple_of=16)
    decoder: Literal["asymmetric", "symmetric"] = "asymmetric"
    dropout: float = Field(default=0.1, ge=0, lt=1)
    slope: float = Field(default=0.01, ge=0, lt=1)
    levels: LevelWeights = LevelWeights()
    schedule: Schedule = Schedule(
        epochs=50,
        batch_size=256,
        optimiser="sgd",
        learning_rate=1e-3,
        momentum=0.9,
        weight_decay=4e-4,
        milestones=(10, 20, 30, 40),
    )


def _variant_of(settings: AutoencoderSettings) -> str:
    """Return the method's name, followed by ``symmetric`` where the decoder is."""
    return "sna_autoencoder" if settings.decoder == "asymmetric" else "sna_autoencoder symmetric"


METHOD = Declaration(
    name="sna_autoencoder",
    settings=AutoencoderSettings,
    network=network_at("openfer.methods.sna_autoencoder:SNAAutoencoder"),
    variants={"sna_autoencoder": {}, "sna_autoencoder symmetric": {"decoder": "symmetric"}},
    variant_of=_variant_of,
    tasks=(),
    input_side=112,
)
