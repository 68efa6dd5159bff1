"""SNA's second stage: an asymmetric autoencoder that reconstructs faces level by level.

Fu, Wu, Li, Pan and Luo: Semantic Neighborhood-Aware Deep Facial Expression Recognition.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from openfer.losses.reconstruction import level_losses
from openfer.methods.contract import Batch, Classes, Losses, Method, Player, Prediction, Stage, total
from openfer.methods.declared.sna_autoencoder import METHOD, AutoencoderSettings
from openfer.nn.asymmetric_autoencoder import Decoder, Encoder
from openfer.nn.grey import grey


class SNAAutoencoder(Method):
    """One player, and no label: it has no task, and its prediction is the code and the reconstruction."""

    declared = METHOD
    config: AutoencoderSettings

    def __init__(self, config: AutoencoderSettings, classes: Classes) -> None:
        super().__init__(config, classes)
        self.encoder = Encoder(config.side, config.dropout, config.slope)
        self.decoder = Decoder(config.side, blocks=config.decoder == "asymmetric")

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
