"""SNA's third stage: the decoder is refined to draw faces that the expression network sees as it sees the originals.

Fu, Wu, Li, Pan and Luo: Semantic Neighborhood-Aware Deep Facial Expression Recognition. The result is the generator of
semantic neighbours, which the neighbourhood mask asks.
"""

from collections.abc import Mapping, Sequence
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from openfer.errors import CheckpointError, TrainingError
from openfer.io.checkpoint import Checkpoint
from openfer.losses.precision import widen
from openfer.losses.reconstruction import level_losses, perceptual_losses
from openfer.methods.contract import (
    Batch,
    Classes,
    Losses,
    NeighbourGenerator,
    Player,
    Prediction,
    Stage,
    total,
)
from openfer.methods.declared.sna_generator import METHOD, GeneratorSettings
from openfer.methods.declared.two_scale import TwoScaleSettings
from openfer.methods.two_scale import TwoScale
from openfer.nn.asymmetric_autoencoder import CODE, Decoder, Encoder
from openfer.nn.critic import Critic
from openfer.nn.grey import grey
from openfer.nn.moments import Moments
from openfer.nn.opponents import frozen

_SHARED = ("side", "decoder", "slope")
"""Settings that a generator has in common with its autoencoder, whose networks it takes."""


class SNAGenerator(NeighbourGenerator):
    """Two players, ``decoder`` and ``critic``; the encoder stays what the autoencoder made it, and no label is needed.

    Attributes:
        code_statistics: mean and variance of each dimension of the code over all training samples so far.
    """

    declared = METHOD
    config: GeneratorSettings

    def __init__(self, config: GeneratorSettings, classes: Classes) -> None:
        super().__init__(config, classes)
        self.encoder = Encoder(config.side, 0.0, config.slope).requires_grad_(False)
        self.decoder = Decoder(config.side, blocks=config.decoder == "asymmetric")
        self.critic = Critic(config.side)
        self.code_statistics = Moments(CODE)
        self.two_scale: TwoScale | None = None
        self._share = 1.0

    def stages(self) -> Sequence[Stage]:
        """Return the one stage."""
        critic, rate = tuple(self.critic.parameters()), self.config.critic.rate
        players = (
            Player("decoder", tuple(self.decoder.parameters())),
            Player(
                "critic",
                critic,
                scales=(rate,) * len(critic),
                every=self.config.critic.every,
                eager_epochs=self.config.critic.eager_epochs,
            ),
        )
        return (Stage("refinement", self.config.schedule, players),)

    def shared_parameters(self) -> Sequence[nn.Parameter]:
        """Return those of the decoder, which all of its losses move."""
        return tuple(self.decoder.parameters())

    def on_epoch_start(self, stage: Stage, epoch: int) -> None:
        """Let the weight of the autoencoder's loss fall."""
        self._share = 0.1 ** (epoch // self.config.weights.autoencoder_every)

    def step(self, batch: Batch, stage: Stage) -> dict[str, Losses]:
        """Return the decoder's loss (Eq. 8) and the critic's (Eq. 6).

        The decoder is moved by what the critic and the expression network make of its images, both constants to it; the
        critic by images that are constants to it. The code is a constant to all.

        Raises:
            TrainingError: if no two-scale network was loaded.
        """
        if self.two_scale is None:
            raise TrainingError(
                "sna_generator cannot train without an expression network; run the pipelines two_scale and "
                "sna_autoencoder first and load their checkpoints"
            )
        weights = self.config.weights
        self._clip()
        images = grey(batch.images, self.config.side)
        with torch.no_grad():
            code, targets = self.encoder(images)
            self.code_statistics.follow(code)
            perceived = self.two_scale.perceived(images)
        decoded = self.decoder(code)
        drawn = decoded.image
        levels = level_losses(drawn, images, decoded.levels, targets, weights.levels.image, weights.levels.maps)
        judge = frozen(self.critic)
        decoder = {
            "autoencoder": weights.autoencoder * self._share * torch.stack(list(levels.values())).sum(),
            "adversarial": -weights.adversarial * widen(judge(drawn)).mean(),
            "pixel": weights.pixel * F.mse_loss(widen(drawn), widen(images), reduction="sum") / len(images),
            **perceptual_losses(self.two_scale.perceived(drawn), perceived, weights.perceptual),
        }
        fake, real = widen(self.critic(drawn.detach())).mean(), widen(self.critic(images)).mean()
        return {"decoder": total(decoder), "critic": total({"drawn": fake, "real": -real})}

    def forward(self, images: Tensor) -> Prediction:
        """Return the code, (B, 64), and the map ``reconstruction``, (B, 1, S, S)."""
        code = self.encoder(grey(images, self.config.side)).code
        return Prediction({}, code, {"reconstruction": self.decoder(code).image})

    @property
    def side(self) -> int:
        """Return the side of the images in pixels."""
        return self.config.side

    def neighbours(self, images: Tensor, noise: float) -> Tensor:
        """Decode each face's code with noise added to it (Eq. 9)."""
        code = self.encoder(grey(images, self.config.side)).code
        deviation = self.code_statistics.running_var.sqrt()
        drawn: Tensor = self.decoder(code + noise * deviation * torch.randn_like(code)).image
        return drawn

    def backbone(self) -> nn.Module:
        """Return the encoder."""
        return self.encoder

    def load_prerequisites(self, models: Mapping[str, Checkpoint]) -> Self:
        """Take the autoencoder's networks to begin with, and the two-scale network, which is frozen.

        Raises:
            CheckpointError: if one is not given or does not fit.
        """
        super().load_prerequisites(models)
        theirs = models["sna_autoencoder"].facts["config"]
        for name in _SHARED:
            if theirs[name] != getattr(self.config, name):
                raise CheckpointError(
                    f"sna_generator has {name}: {getattr(self.config, name)}, its autoencoder was trained with "
                    f"{theirs[name]}; give sna_generator.settings.{name} and sna_autoencoder.settings.{name} the same "
                    "value"
                )
        for name in ("encoder", "decoder"):
            own = {
                key.removeprefix(f"{name}."): tensor
                for key, tensor in models["sna_autoencoder"].tensors.items()
                if key.startswith(f"{name}.")
            }
            self.get_submodule(name).load_state_dict(own)
        config = TwoScaleSettings.model_validate(models["two_scale"].facts["config"])
        if config.side != self.config.side:
            raise CheckpointError(
                f"sna_generator has side: {self.config.side}, its two-scale network was trained with {config.side}; "
                "give sna_generator.settings.side and two_scale.settings.side the same value"
            )
        two_scale = TwoScale(config, models["two_scale"].facts["classes"])
        two_scale.load_own_state(models["two_scale"].tensors)
        self.two_scale = two_scale.requires_grad_(False).eval()
        return self

    def train(self, mode: bool = True) -> Self:
        """Set the mode of what is refined; the encoder's and the expression network's statistics must not move."""
        super().train(mode)
        self.encoder.eval()
        if self.two_scale is not None:
            self.two_scale.eval()
        return self

    @torch.no_grad()
    def _clip(self) -> None:
        limit = self.config.critic.clip
        for parameter in self.critic.parameters():
            parameter.clamp_(-limit, limit)
