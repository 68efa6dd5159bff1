"""OADN: occlusion-adaptive deep network for robust facial expression recognition.

Ding, Zhou and Chellappa, CVPR Workshops 2020 (arXiv 2005.06040). No code of the authors is public; where the
paper is silent or contradicts itself, a parameter's docstring says what is taken and why.
"""

from collections.abc import Mapping, Sequence
from math import log
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from openfer.errors import DataError
from openfer.losses.masked_cross_entropy import masked_cross_entropy
from openfer.losses.region_cross_entropy import region_cross_entropy
from openfer.methods.contract import (
    NO_EXTRAS,
    WATCH,
    Batch,
    Classes,
    Losses,
    Method,
    Player,
    Prediction,
    Stage,
    total,
)
from openfer.methods.declared.oadn import METHOD, OADNSettings
from openfer.nn.dlib_resnet import TAP_CHANNELS, DlibResNet29Trunk
from openfer.nn.facial_regions import RegionHeads
from openfer.nn.heads import HiddenHead
from openfer.nn.interest_points import attention_maps, interest_points, kept_points
from openfer.nn.landmark_attention import attended_features, strongest
from openfer.nn.resnet50 import CHANNELS, ResNet50Trunk

_HIDDEN = 256
_FINE_TUNING = 0.01


class Attention(NamedTuple):
    """What the landmarks say of a batch.

    Attributes:
        points: x, y and score of the 24 interest points, pixels of the image, (B, 24, 3).
        kept: which of them reach the threshold, (B, 24), bool.
        maps: A_i, (B, 24, h, w).
    """

    points: Tensor
    kept: Tensor
    maps: Tensor


class _Answers(NamedTuple):
    """Hidden features (B, heads, 256) and logits (B, heads, classes) of each branch; no heads where it is not built."""

    attention: tuple[Tensor, Tensor] | None
    regions: tuple[Tensor, Tensor] | None
    seen: Attention | None


class OADN(Method):
    """A ResNet-50 with two branches: maps weighed by visible landmarks, and regions that each answer alone.

    One player: both losses update all below them. Landmarks are constants that come with the images.
    """

    declared = METHOD
    config: OADNSettings

    def __init__(self, config: OADNSettings, classes: Classes) -> None:
        super().__init__(config, classes)
        self.trunk: nn.Module
        if config.trunk == "resnet50":
            self.trunk, self._channels = ResNet50Trunk(config.unstrided, config.blocks), CHANNELS
        else:
            self.trunk, self._channels = DlibResNet29Trunk(unstrided=True), TAP_CHANNELS[-1]
        self.attention_branch = self._head() if config.attention_weight > 0 else None
        self.region_branch: RegionHeads | None = None
        if config.attention_weight < 1:
            heads = 1 if config.region_heads == "shared" else config.regions
            self.region_branch = RegionHeads([self._head() for _ in range(heads)], config.regions)

    def stages(self) -> Sequence[Stage]:
        """Return the one stage."""
        schedule = self.config.schedule
        if self.config.rate == "fine_tuning":
            schedule = schedule.model_copy(update={"learning_rate": _FINE_TUNING * schedule.learning_rate})
        return (Stage("joint", schedule, (Player("main", tuple(self.parameters())),)),)

    def step(self, batch: Batch, stage: Stage) -> dict[str, Losses]:
        """Return ``lambda L_LAB + (1 - lambda) L_FRB`` (OADN, Eq. 3 to 5)."""
        answers = self._answers(batch.images, batch.extras)
        weight, truth = self.config.attention_weight, batch.truth("expression")
        losses: Losses = {}
        if answers.attention is not None:
            losses["attention"] = weight * masked_cross_entropy(answers.attention[1][:, 0], truth, batch.weights)
        if answers.regions is not None:
            regions = region_cross_entropy(answers.regions[1], truth, self.config.frb_reduction, batch.weights)
            losses["regions"] = (1 - weight) * regions
        if answers.seen is not None:
            losses[f"{WATCH}kept_points"] = answers.seen.kept.float().mean()
        return {"main": total(losses)}

    def forward(self, images: Tensor, extras: Mapping[str, Tensor] = NO_EXTRAS) -> Prediction:
        """Predict the expression; the logits are logarithms of the averaged probabilities.

        Args:
            images: (B, 3, S, S).
            extras: ``landmarks``, x, y (pixels of the image) and score of the 68 points, (B, 68, 3).

        Returns:
            The features are the hidden ones of all classifiers in a row. Maps: ``attention``, the largest of the 24
            maps in each cell, (B, 1, h, w), and ``regions``, each region's own probabilities, (B, C, k, k).

        Raises:
            DataError: if there are no landmarks.
        """
        answers = self._answers(images, extras)
        branches = [branch for branch in (answers.attention, answers.regions) if branch is not None]
        maps = {}
        if answers.seen is not None:
            maps["attention"] = answers.seen.maps.amax(1, keepdim=True)
        if answers.regions is not None:
            across = round(self.config.regions**0.5)
            shares = answers.regions[1].float().softmax(-1).transpose(1, 2)
            maps["regions"] = shares.reshape(*shares.shape[:2], across, across)
        hidden = torch.cat([branch[0].flatten(1) for branch in branches], dim=1)
        logits = averaged([branch[1] for branch in branches], self.config.vote)
        return Prediction({"expression": logits}, hidden, maps)

    def attend(self, landmarks: Tensor, side: int, cells: tuple[int, int]) -> Attention:
        """Return points and attention maps of 68 landmarks (B, 68, 3) on images of ``side`` pixels."""
        points = interest_points(landmarks.float(), side)
        kept = kept_points(points[..., 2], self.config.threshold)
        return Attention(points, kept, attention_maps(points, kept, side, cells, self.config.sigma))

    def backbone(self) -> nn.Module:
        """Return the trunk."""
        return self.trunk

    def shared_parameters(self) -> Sequence[nn.Parameter]:
        """Return those of the trunk's last stage, on which both branches stand."""
        return tuple(self.trunk.get_submodule("layer4").parameters())

    def _answers(self, images: Tensor, extras: Mapping[str, Tensor]) -> _Answers:
        maps = self.trunk(images)
        features = maps if isinstance(maps, Tensor) else maps[-1]
        regions = None if self.region_branch is None else self.region_branch(features)
        if self.attention_branch is None:
            return _Answers(None, regions, None)
        if "landmarks" not in extras:
            raise DataError("oadn was given images without landmarks; its extras are the 68 points of each face")
        height, width = features.shape[-2:]
        seen = self.attend(extras["landmarks"], images.shape[-1], (height, width))
        attended = attended_features(features, seen.maps, self.config.attention_pooling)
        hidden, logits = self.attention_branch(strongest(attended, seen.kept))
        return _Answers((hidden[:, None], logits[:, None]), regions, seen)

    def _head(self) -> HiddenHead:
        return HiddenHead(self._channels, _HIDDEN, len(self.classes["expression"]), self.config.activation)


def averaged(branches: Sequence[Tensor], vote: Literal["probabilities", "logits"]) -> Tensor:
    """Return the logarithm of the probabilities on which classifiers agree at test time.

    Args:
        branches: logits of one branch each, (B, heads, C).
        vote: ``probabilities``: ``0.5 p_LAB + 0.5 mean_k p_k`` where both branches are; ``logits``: the softmax
            of the mean over all classifiers' logits.

    Returns:
        float32, (B, C).
    """
    if vote == "logits":
        return torch.cat(list(branches), dim=1).float().mean(1).log_softmax(-1)
    means = [_log_mean(branch.float().log_softmax(-1)) for branch in branches]
    return _log_mean(torch.stack(means, dim=1))


def _log_mean(logarithms: Tensor) -> Tensor:
    """Return the logarithm of the mean over dimension 1 of what these are logarithms of."""
    return logarithms.logsumexp(1) - log(logarithms.shape[1])
