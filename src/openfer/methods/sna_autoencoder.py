"""SNA's second stage: an asymmetric autoencoder that reconstructs faces level by level.

Fu, Wu, Li, Pan and Luo: Semantic Neighborhood-Aware Deep Facial Expression Recognition.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from openfer.losses.reconstruction import level_losses
from openfer.methods.contract import Batch, Classes, Losses, Method, Player, Prediction, Schedule, Stage, total
from openfer.nn.asymmetric_autoencoder import SMALLEST_SIDE, Decoder, Encoder
from openfer.nn.grey import grey
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

    side: int = Field(default=112, ge=SMALLEST_SIDE, multiple_of=16)
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


class SNAAutoencoder(Method):
    """One player, and no label: it has no task, and its prediction is the code and the reconstruction."""

    name = "sna_autoencoder"
    config_class = AutoencoderSettings
    config: AutoencoderSettings
    variants = {"sna_autoencoder": {}, "sna_autoencoder symmetric": {"decoder": "symmetric"}}
    input_side = 112
    tasks = ()

    def __init__(self, config: AutoencoderSettings, classes: Classes) -> None:
        super().__init__(config, classes)
        self.encoder = Encoder(config.side, config.dropout, config.slope)
        self.decoder = Decoder(config.side, blocks=config.decoder == "asymmetric")

    @property
    def variant(self) -> str:
        """Return the method's name, with ``symmetric`` behind it where the decoder is."""
        return self.name if self.config.decoder == "asymmetric" else f"{self.name} symmetric"

    def stages(self) -> Sequence[Stage]:
        """Return the one stage."""
        return (Stage("reconstruction", self.config.schedule, (Player("main", tuple(self.parameters())),)),)

    def step(self, batch: Batch, stage: Stage) -> dict[str, Losses]:
        """Return the reconstruction of the image and of the encoder's four levels (Eq. 4).

        The targets are what the encoder makes of the clean image, as constants; the code comes from the corrupted one.
        """
        images = grey(batch.images, self.config.side)
        with torch.no_grad():
            targets = self.encoder(images).levels
        decoded = self.decoder(self.encoder(images, corrupted=True).code)
        weights = self.config.levels
        losses = level_losses(decoded.image, images, decoded.levels, targets, weights.image, weights.maps)
        return {"main": total(losses)}

    def forward(self, images: Tensor) -> Prediction:
        """Return the code, (B, 64), and the map ``reconstruction``, (B, 1, S, S), of the clean images."""
        code = self.encoder(grey(images, self.config.side)).code
        return Prediction({}, code, {"reconstruction": self.decoder(code).image})

    def backbone(self) -> nn.Module:
        """Return the encoder."""
        return self.encoder


METHOD = SNAAutoencoder
