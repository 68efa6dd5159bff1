"""ADDL: adaptive deep disturbance-disentangled learning for expression recognition.

Ruan, Mo, Yan, Chen, Xue and Wang, International Journal of Computer Vision 130, 2022. Where the paper
is silent the public code of its predecessor (DDL, ACM Multimedia 2020) decides, and the docstrings say so.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Self

import torch
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
    Stage,
    WatchBounds,
    total,
)
from openfer.methods.declared.addl import METHOD, ADDLSettings
from openfer.methods.declared.dfem import DFEMSettings
from openfer.methods.dfem import DFEM, FactorFeatures
from openfer.nn.disturbance_subnetwork import DisturbanceSubnetwork
from openfer.nn.expression_subnetwork import Expression, ExpressionSubnetwork
from openfer.nn.heads import FEATURE_SIZE
from openfer.nn.opponents import Discriminator, MutualInformationEstimator, frozen
from openfer.nn.transferred_maps import transferred_maps
from openfer.nn.trunks import TRUNKS

_LEAST_NORM = 0.01
"""Features of 128 numbers have norms of some tenths to tens; below this nothing is left of one."""

_MOST_INFORMATION = 10.0
"""Nats. N samples can show about log N of them (McAllester and Stratos, AISTATS 2020): 3.5 in a batch of 32."""


class ADDL(Method):
    """A shared trunk, an expression branch, and a disturbance branch that learns from a frozen DFEM.

    Three players: ``main`` (S_g, S_e, S_d with the SA layer), ``discriminator`` (D) and ``mine``
    (T). Inference runs S_g and S_e only.

    The rows of Table 2 leave parts out: there is D only with L_AD, T only with L_MI, an SA layer only where weights
    are learned, and DFEM is kept only where L_AD or L_AT asks it.

    Attributes:
        factors: the fused factors, in the order of :data:`openfer.labels.FACTORS`; none without L_AD.
    """

    declared = METHOD
    config: ADDLSettings

    def __init__(self, config: ADDLSettings, classes: Classes) -> None:
        super().__init__(config, classes)
        if set(config.factors) - set(FACTORS):
            raise ParameterError(f"method.factors is {list(config.factors)}; the factors are {', '.join(FACTORS)}")
        weights = config.weights
        self.factors = config.fused
        trunk = TRUNKS[config.trunk]
        self.shared = trunk.build()
        self.expression = ExpressionSubnetwork(len(self.classes["expression"]), config.dropout, trunk.taps)
        self.disturbance = DisturbanceSubnetwork(
            len(self.factors), config.dropout, trunk.taps, learns_importance=config.learns_importance
        )
        self.discriminator = Discriminator(config.leaky_slope) if weights.adversarial else None
        self.mine = MutualInformationEstimator(config.leaky_slope) if weights.information else None
        self.dfem: DFEM | None = None

    @property
    def watch_bounds(self) -> Mapping[str, WatchBounds]:
        """Return the bounds of importance weights, feature norms, and T's estimate.

        alpha -> 0 with f^d -> 0 would confuse D perfectly and mean nothing. How often D is right has no bound: it may
        win for a while, and f^d still learn.
        """
        norms = {"expression": "f^e", "weighted": "f^m"} | ({"disturbance": "f^d"} if self._learns_disturbance else {})
        bounds = {
            f"main/{WATCH}{name}_feature_norm": WatchBounds(_LEAST_NORM, math.inf, f"{symbol} has vanished")
            for name, symbol in norms.items()
        }
        for factor in self.factors if self.config.learns_importance else ():
            meaning = f"the weight of {factor} is stuck, as a sigmoid's is at its ends, and says nothing of the factor"
            bounds[f"main/{WATCH}importance_{factor}"] = WatchBounds(0.02, 0.98, meaning)
        meaning = "T has diverged and L_MI measures no information; lower lambda_3 or the learning rate"
        stuck = (
            "T answers on the flat side of its last LeakyReLU alone and hardly learns; an estimate near 0 says nothing"
        )
        return bounds | {
            f"mine/{WATCH}estimate": WatchBounds(-1.0, _MOST_INFORMATION, meaning),
            f"mine/{WATCH}flat_share": WatchBounds(0.0, 0.99, stuck),
        }

    def stages(self) -> Sequence[Stage]:
        """Return the one stage; the learning rates of D and T do not follow its schedule.

        D's is constant, or has milestones of its own. The DDL code has no T and the paper says nothing of its training:
        T trains as D does, at a constant rate, by our choice.
        """
        main = [p for network in (self.shared, self.expression, self.disturbance) for p in network.parameters()]
        players = [Player("main", tuple(main))]
        if self.discriminator is not None:
            own, milestones = tuple(self.discriminator.parameters()), self.config.discriminator_milestones
            players.append(Player("discriminator", own, decays=False, milestones=milestones))
        if self.mine is not None:
            players.append(Player("mine", tuple(self.mine.parameters()), decays=False))
        return (Stage("joint", self.config.schedule, tuple(players)),)

    def step(self, batch: Batch, stage: Stage) -> dict[str, Losses]:
        """Return the losses of the players; a term without a weight is not there.

        L_CE reaches S_g and S_e; L_AD reaches S_g and S_d by f^d, and SA by f^m; L_AT reaches S_g and S_d; L_MI reaches
        all three. The importance weights are made of f^d, so that the gradient by f^m goes on through SA to all that
        makes f^d: S_d and S_g are also moved to make f^m look generated. DFEM, D and T are constants to the main
        player, and every feature is a constant to D and T.

        Raises:
            TrainingError: if no DFEM was loaded.
        """
        weights = self.config.weights
        prior = self._prior(batch.images)
        shared = self.shared(batch.images)
        expression = self.expression(shared)
        disturbance = self.disturbance(shared)
        f_d, f_e = disturbance.feature, expression.feature
        classification = masked_cross_entropy(expression.logits, batch.truth("expression"), batch.weights)  # Eq. 5
        main = {"classification": classification}  # Eq. 14
        norms = {"expression": f_e, "disturbance": f_d}
        watched = {}
        opponents = {}
        if self.discriminator is not None:
            f_m = weighted_feature(disturbance.importance, prior.features)  # Eq. 6
            judge = frozen(self.discriminator)
            confusion = confusion_loss(judge(f_m), judge(f_d), self.config.confusion)  # Eq. 7
            main["adversarial"] = weights.adversarial * confusion
            opponents["discriminator"] = _discrimination(self.discriminator, f_m.detach(), f_d.detach())
            norms["weighted"] = f_m
        if self.config.learns_importance:
            means = zip(self.factors, disturbance.importance.mean(0), strict=True)
            watched = {f"importance_{factor}": alpha for factor, alpha in means}
        if weights.attention_transfer:
            maps = transferred_maps(self.config.transferred, disturbance.blocks, prior.taps)
            transfer = attention_transfer_loss(*maps)  # Eq. 9
            main["attention_transfer"] = weights.attention_transfer * transfer
        if self.mine is not None:
            shuffle = torch.randperm(len(f_e), device=f_e.device)
            information = mutual_information_bound(frozen(self.mine), f_d, f_e, shuffle)  # Eq. 13
            main["mutual_information"] = weights.information * information
            opponents["mine"] = _estimation(self.mine, f_d.detach(), f_e.detach(), shuffle)
        main |= self.further_terms(expression, batch)
        watched |= {f"{name}_feature_norm": feature.norm(dim=1).mean() for name, feature in norms.items()}
        return {"main": total(main | {f"{WATCH}{n}": scalar.detach() for n, scalar in watched.items()})} | opponents

    def further_terms(self, expression: Expression, batch: Batch) -> Losses:
        """Return the losses that a subclass adds to the main player's; here none."""
        return {}

    def forward(self, images: Tensor) -> Prediction:
        """Predict the expression; the map is a_out summed over its channels (Fig. 5), (B, 1, h, w)."""
        logits, feature, attentive = self.expression(self.shared(images))
        return Prediction({"expression": logits}, feature, {"attentive": attentive.sum(1, keepdim=True)})

    def representations(self, images: Tensor, *extras: Extras) -> dict[str, Tensor]:
        """Return f^e and f^d, each (B, 128); f^d only where a term teaches it, L_AD or L_MI."""
        shared = self.shared(images)
        expression = {"expression": self.expression(shared).feature}
        return expression | ({"disturbance": self.disturbance(shared).feature} if self._learns_disturbance else {})

    def importance(self, images: Tensor) -> Tensor:
        """Return the importance weights alpha of the factors (Fig. 6), (B, M) in (0, 1)."""
        return self.disturbance(self.shared(images)).importance

    @property
    def reads_all_maps(self) -> bool:
        """Return True: the attention of both branches does."""
        return True

    def backbone(self) -> nn.Module:
        """Return S_g."""
        return self.shared

    def load_prerequisites(self, models: Mapping[str, Checkpoint]) -> Self:
        """Take a trained DFEM, which is frozen from then on.

        Raises:
            CheckpointError: if it is not given, does not fit, or does not know one of the factors.
        """
        super().load_prerequisites(models)
        if not self.config.uses_dfem:
            return self
        tensors, facts = models["dfem"].tensors, models["dfem"].facts
        dfem = DFEM(DFEMSettings.model_validate(facts["config"]), facts["classes"])
        if dfem.config.trunk != self.config.trunk:
            raise CheckpointError(
                f"addl.settings.trunk is {self.config.trunk}, its DFEM's is {dfem.config.trunk}, whose maps have other "
                f"sizes; set dfem.settings.trunk to {self.config.trunk} too"
            )
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

    @property
    def _learns_disturbance(self) -> bool:
        return self.discriminator is not None or self.mine is not None

    @torch.no_grad()
    def _prior(self, images: Tensor) -> FactorFeatures:
        if not self.config.uses_dfem:
            return FactorFeatures(images.new_empty(len(images), 0, FEATURE_SIZE), ())
        if self.dfem is None:
            raise TrainingError("addl cannot train without a DFEM; run the dfem pipeline first and load its checkpoint")
        return self.dfem.extract(images, self.factors)


def _discrimination(discriminator: Discriminator, f_m: Tensor, f_d: Tensor) -> Losses:
    """Return D's loss (Eq. 8), and the share of both kinds of features that it tells right."""
    prior, disturbance = discriminator(f_m), discriminator(f_d)
    right = torch.cat([prior > 0, disturbance < 0]).float().mean()
    return total({"discrimination": discriminator_loss(prior, disturbance), f"{WATCH}accuracy": right})


def _estimation(mine: MutualInformationEstimator, f_d: Tensor, f_e: Tensor, shuffle: Tensor) -> Losses:
    """Return T's loss, which ascends the bound (Eq. 13), the bound itself, the estimate in nats, and if T is stuck.

    T is stuck where all that it answers lies on the flat side of its last LeakyReLU: little of the gradient is left.
    """
    answers = []

    def heard(first: Tensor, second: Tensor) -> Tensor:
        answers.append(mine(first, second))
        return answers[-1]

    bound = mutual_information_bound(heard, f_d, f_e, shuffle)
    flat = (torch.cat(answers) < 0).float().mean()
    return total({"negative_bound": -bound, f"{WATCH}estimate": bound.detach(), f"{WATCH}flat_share": flat})


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
