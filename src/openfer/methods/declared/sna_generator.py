"""SNA's third stage, the refined decoder: its settings (Fu, Wu, Li, Pan and Luo)."""

from typing import Literal

from pydantic import Field

from openfer.methods.declaration import Declaration, network_at
from openfer.methods.declared.sna_autoencoder import LevelWeights
from openfer.methods.schedules import Schedule
from openfer.nn.choices import AUTOENCODER_SMALLEST_SIDE
from openfer.parameters import Settings


class RefinementWeights(Settings):
    """What each loss counts (Eq. 5 and 8).

    Attributes:
        autoencoder: l_AE at the start.
        autoencoder_every: epochs after which l_AE is a tenth, again and again.
        adversarial: l_Adv.
        pixel: l_pix, within l_Rec = 1, of the squared distance of two images, which Eq. 5 sums over the pixels; not
            stated. With a mean over the pixels the perceptual terms would weigh hundreds of times as much, and the
            image would be drawn worse than before the refinement.
        perceptual: of Conv3, Conv4 and Conv5 of the branch of the whole image, means over the elements of a map.
        levels: within l_AE.
    """

    autoencoder: float = Field(default=1e-3, ge=0)
    autoencoder_every: int = Field(default=20, ge=1)
    adversarial: float = Field(default=5.0, ge=0)
    pixel: float = Field(default=1.0, ge=0)
    perceptual: tuple[float, float, float] = (100.0, 0.1, 0.001)
    levels: LevelWeights = LevelWeights()


class CriticSettings(Settings):
    """How the critic trains; the defaults are the paper's.

    With few steps the paper's critic hardly moves. On 320 rendered faces of 48 pixels, 120 steps of the decoder, the
    adversarial term had 0.1 % of the gradient of the decoder; with ``rate: 1`` and ``every: 1`` it had 38 to 76 % from
    step 50 on, and the pixel loss was the same to 3 % (one seed).

    Attributes:
        rate: its learning rate as a multiple of the decoder's; 2e-5 of 1e-4.
        every: the critic is updated every N steps of the decoder. WGAN's own has five steps of the critic
            for one of the generator; the paper says the reverse, ten to one.
        eager_epochs: epochs at the start in which it takes part in every step; "except the first epoch".
        clip: largest weight, by which WGAN keeps the critic Lipschitz; the paper says nothing of it.
    """

    rate: float = Field(default=0.2, gt=0)
    every: int = Field(default=10, ge=1)
    eager_epochs: int = Field(default=1, ge=0)
    clip: float = Field(default=0.01, gt=0)


class GeneratorSettings(Settings):
    """Parameters of the refinement; the defaults are the paper's.

    Attributes:
        side: of the images in pixels; as of the autoencoder and the two-scale network.
        decoder: as of the autoencoder.
        slope: as of the autoencoder.
        weights: what each loss counts.
        critic: how the opponent trains.
        schedule: the decoder's.
    """

    side: int = Field(default=112, ge=AUTOENCODER_SMALLEST_SIDE, multiple_of=16)
    decoder: Literal["asymmetric", "symmetric"] = "asymmetric"
    slope: float = Field(default=0.01, ge=0, lt=1)
    weights: RefinementWeights = RefinementWeights()
    critic: CriticSettings = CriticSettings()
    schedule: Schedule = Schedule(epochs=100, batch_size=64, optimiser="rmsprop", learning_rate=1e-4)


METHOD = Declaration(
    name="sna_generator",
    settings=GeneratorSettings,
    network=network_at("openfer.methods.sna_generator:SNAGenerator"),
    tasks=(),
    prerequisites=("two_scale", "sna_autoencoder"),
    input_side=112,
)
