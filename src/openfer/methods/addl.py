"""ADDL: adaptive deep disturbance-disentangled learning for expression recognition.

Ruan, Mo, Yan, Chen, Xue and Wang, International Journal of Computer Vision 130, 2022. Where the paper
is silent the public code of its predecessor (DDL, ACM Multimedia 2020) decides, and the docstrings say so.
"""

from collections.abc import Mapping, Sequence
from typing import Self

import torch
from pydantic import Field
from torch import Tensor, nn

from openfer.errors import CheckpointError, ParameterError, TrainingError
from openfer.io.checkpoint import Checkpoint
from openfer.labels import FACTORS
from openfer.losses.adversarial import confusion_loss, discriminator_loss
from openfer.losses.attention_transfer import attention_transfer_loss
from openfer.losses.masked_cross_entropy import masked_cross_entropy
from openfer.losses.mutual_information import mutual_information_bound
from openfer.methods.contract import (
    WATCH,
    Batch,
    Classes,
    Extras,
    Losses,
    Method,
    Player,
    Prediction,
    Schedule,
    Stage,
    total,
)
from openfer.methods.dfem import DFEM, DFEMSettings, FactorFeatures
from openfer.methods.schedules import ADDL_SCHEDULE
from openfer.nn.disturbance_subnetwork import DisturbanceSubnetwork
from openfer.nn.expression_subnetwork import ExpressionSubnetwork
from openfer.nn.opponents import Discriminator, MutualInformationEstimator, frozen
from openfer.nn.resnet import ResNet18Trunk
from openfer.parameters import Settings


class Weights(Settings):
    """The lambdas of the joint loss (ADDL, Eq. 14; best values of Table 7).

    Attributes:
        adversarial: lambda_1.
        attention_transfer: lambda_2.
        information: lambda_3.
    """

    adversarial: float = Field(default=1.0, ge=0)
    attention_transfer: float = Field(default=0.1, ge=0)
    information: float = Field(default=0.001, ge=0)


class ADDLSettings(Settings):
    """Parameters of ADDL; the defaults are the paper's.

    Attributes:
        schedule: for RAF-DB. It is the main player's; D and T take it without its milestones.
        weights: of the terms of the joint loss.
        factors: which of DFEM's factors are fused, with one importance weight each; Table 5 takes
            those of one dataset only.
        dropout: before the FCs; 0.5 in the DDL code, not stated in the paper.
        leaky_slope: of the LeakyReLUs of D and T; 0.01 in the DDL code, not stated in the paper.
    """

    schedule: Schedule = ADDL_SCHEDULE
    weights: Weights = Weights()
    factors: tuple[str, ...] = Field(default=FACTORS, min_length=1)
    dropout: float = Field(default=0.5, ge=0, lt=1)
    leaky_slope: float = Field(default=0.01, ge=0, lt=1)


class ADDL(Method):
    """A shared trunk, an expression branch, and a disturbance branch that learns from a frozen DFEM.

    Three players: ``main`` (S_g, S_e, S_d with the SA layer), ``discriminator`` (D) and ``mine``
    (T). Inference runs S_g and S_e only.

    Attributes:
        factors: the fused factors, in the order of :data:`openfer.labels.FACTORS`.
    """

    name = "addl"
    config_class = ADDLSettings
    config: ADDLSettings
    weighs = True
    needs = ("dfem",)

    def __init__(self, config: ADDLSettings, classes: Classes) -> None:
        super().__init__(config, classes)
        if set(config.factors) - set(FACTORS):
            raise ParameterError(f"method.factors is {list(config.factors)}; the factors are {', '.join(FACTORS)}")
        self.factors = tuple(factor for factor in FACTORS if factor in config.factors)
        self.shared = ResNet18Trunk()
        self.expression = ExpressionSubnetwork(len(self.classes["expression"]), config.dropout)
        self.disturbance = DisturbanceSubnetwork(len(self.factors), config.dropout)
        self.discriminator = Discriminator(config.leaky_slope)
        self.mine = MutualInformationEstimator(config.leaky_slope)
        self.dfem: DFEM | None = None

    def stages(self) -> Sequence[Stage]:
        """Return the one stage; the learning rates of D and T stay as they are at its start.

        D's does so in the DDL code, whose two Adams share one weight decay. That code has no T and
        the paper says nothing of its training: T is an opponent and trains as D does, by our choice.
        """
        main = [p for network in (self.shared, self.expression, self.disturbance) for p in network.parameters()]
        players = (
            Player("main", tuple(main)),
            Player("discriminator", tuple(self.discriminator.parameters()), decays=False),
            Player("mine", tuple(self.mine.parameters()), decays=False),
        )
        return (Stage("joint", self.config.schedule, players),)

    def step(self, batch: Batch, stage: Stage) -> dict[str, Losses]:
        """Return the losses of the three players.

        L_CE reaches S_g and S_e; L_AD reaches S_g and S_d, by f^d, and SA, by f^m; L_AT reaches S_g
        and S_d; L_MI reaches all three. DFEM, D and T are constants to the main player, and every
        feature is a constant to D and T.

        Raises:
            TrainingError: if no DFEM was adopted.
        """
        weights = self.config.weights
        prior = self._prior(batch.images)
        shared = self.shared(batch.images)
        expression = self.expression(shared)
        disturbance = self.disturbance(shared)
        f_m = weighted_feature(disturbance.importance, prior.features)  # Eq. 6
        f_d, f_e = disturbance.feature, expression.feature
        shuffle = torch.randperm(len(f_e), device=f_e.device)
        judge, estimator = frozen(self.discriminator), frozen(self.mine)

        classification = masked_cross_entropy(expression.logits, batch.labels["expression"], batch.weights)  # Eq. 5
        adversarial = confusion_loss(judge(f_m), judge(f_d))  # Eq. 7
        attention_transfer = attention_transfer_loss(disturbance.maps, prior.maps)  # Eq. 9
        information = mutual_information_bound(estimator, f_d, f_e, shuffle)  # Eq. 13
        main = {  # Eq. 14
            "classification": classification,
            "adversarial": weights.adversarial * adversarial,
            "attention_transfer": weights.attention_transfer * attention_transfer,
            "mutual_information": weights.information * information,
        }

        f_m, f_d, f_e = f_m.detach(), f_d.detach(), f_e.detach()
        discrimination = discriminator_loss(self.discriminator(f_m), self.discriminator(f_d))  # Eq. 8
        bound = mutual_information_bound(self.mine, f_d, f_e, shuffle)  # Eq. 13, ascended
        return {
            "main": total(main | self._watched(disturbance.importance, f_m)),
            "discriminator": total({"discrimination": discrimination}),
            "mine": total({"negative_bound": -bound}),
        }

    def forward(self, images: Tensor) -> Prediction:
        """Predict the expression; the map is a_out summed over its channels (Fig. 5), (B, 1, h, w)."""
        logits, feature, attentive = self.expression(self.shared(images))
        return Prediction({"expression": logits}, feature, {"attentive": attentive.sum(1, keepdim=True)})

    def representations(self, images: Tensor, *extras: Extras) -> dict[str, Tensor]:
        """Return f^e and f^d, each (B, 128)."""
        shared = self.shared(images)
        return {"expression": self.expression(shared).feature, "disturbance": self.disturbance(shared).feature}

    def importance(self, images: Tensor) -> Tensor:
        """Return the importance weights alpha of the factors (Fig. 6), (B, M) in (0, 1)."""
        return self.disturbance(self.shared(images)).importance

    def backbone(self) -> nn.Module:
        """Return S_g."""
        return self.shared

    def adopt(self, models: Mapping[str, Checkpoint]) -> Self:
        """Take a trained DFEM, which is frozen from then on.

        Raises:
            CheckpointError: if it is not given, does not fit, or does not know one of the factors.
        """
        super().adopt(models)
        tensors, facts = models["dfem"].tensors, models["dfem"].facts
        dfem = DFEM(DFEMSettings.model_validate(facts["config"]), facts["classes"])
        unknown = [factor for factor in self.factors if factor not in dfem.factors]
        if unknown:
            raise CheckpointError(
                f"addl fuses the factors {', '.join(self.factors)}, its DFEM knows {', '.join(dfem.factors)}; "
                f"train DFEM on {', '.join(unknown)} too, or shorten method.factors"
            )
        dfem.load_own_state(tensors)
        self.dfem = dfem.requires_grad_(False).eval()
        return self

    def train(self, mode: bool = True) -> Self:
        """Set the mode of all networks but DFEM, whose batch statistics must not move."""
        super().train(mode)
        if self.dfem is not None:
            self.dfem.eval()
        return self

    @torch.no_grad()
    def _prior(self, images: Tensor) -> FactorFeatures:
        if self.dfem is None:
            raise TrainingError(
                "addl cannot train without a DFEM; run the dfem pipeline first and adopt its checkpoint"
            )
        return self.dfem.extract(images, self.factors)

    def _watched(self, importance: Tensor, weighted: Tensor) -> Losses:
        # alpha -> 0 with f^d -> 0 would confuse D perfectly and mean nothing: these curves would show it
        watched = {f"{WATCH}importance_{f}": alpha for f, alpha in zip(self.factors, importance.mean(0), strict=True)}
        watched[f"{WATCH}weighted_feature_norm"] = weighted.norm(dim=1).mean()
        return {name: scalar.detach() for name, scalar in watched.items()}


def weighted_feature(importance: Tensor, features: Tensor) -> Tensor:
    """Fuse factor features by their importance: ``f^m = sum_j alpha_j f_j^p`` (ADDL, Eq. 6).

    The sum is not normalised by the weights.

    Args:
        importance: alpha, (B, M).
        features: f_j^p, (B, M, 128).

    Returns:
        f^m, (B, 128).
    """
    return (importance.unsqueeze(-1) * features).sum(1)


METHOD = ADDL
