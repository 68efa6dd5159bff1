"""What every method offers to the trainer, and the trainer to every method."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Self

import torch
from torch import Tensor, nn

from openfer.errors import CheckpointError, ParameterError
from openfer.io.checkpoint import Checkpoint
from openfer.labels import MISSING as MISSING
from openfer.methods.declaration import Declaration
from openfer.methods.schedules import AllSamples as AllSamples
from openfer.methods.schedules import BalancedBatches as BalancedBatches
from openfer.methods.schedules import BalancedSubset as BalancedSubset
from openfer.methods.schedules import ByDataset as ByDataset
from openfer.methods.schedules import Oversampled as Oversampled
from openfer.methods.schedules import Sampling as Sampling
from openfer.methods.schedules import Schedule as Schedule
from openfer.methods.schedules import WeightedSamples as WeightedSamples
from openfer.methods.schedules import refuse_uneven as refuse_uneven
from openfer.nn.choices import LastFrozen
from openfer.nn.open_features_settings import OPEN_FEATURES
from openfer.nn.staged_trunk import StagedTrunk
from openfer.parameters import Settings

Classes = Mapping[str, tuple[str, ...]]
"""Class names by task: ``{"expression": (...)}``, or one entry per disturbing factor."""

Losses = dict[str, Tensor]
"""Named scalar losses of one player; ``total`` is the one that the player minimises.

A name that starts with :data:`WATCH` is logged beside the losses and is not one of them.
"""

WATCH = "watch/"
"""Prefix of scalars worth a curve that no player minimises, such as a mean importance weight."""

GRADIENT_SHARE = "gradient_share_"
"""Prefix, behind :data:`WATCH`, of each term's share of the gradient of :meth:`Method.shared_parameters`."""

Extras = Mapping[str, Tensor]
"""What a method sees of each face beside its pixels, by name, (B, *shape)."""

NO_EXTRAS: Extras = {}

EXTRA_SHAPES: Mapping[str, tuple[int, ...]] = {
    "landmarks": (68, 3),
    "geometry": (52 + 478 * 3,),
    "open_features": (OPEN_FEATURES,),
}
"""The extras that there are, with their shape for one face: of ``landmarks`` x and y in pixels of the image (centres
of pixels at whole numbers plus one half) and confidence in [0, 1] of the 68 points; of ``geometry`` the blendshapes,
then x, y and z of the mesh's points, as :data:`openfer.schemas.GEOMETRY` describes them; of ``open_features``
averages of dlib's maps."""


@dataclass(frozen=True)
class Batch:
    """What a step sees.

    Attributes:
        images: normalised RGB, float, shape (B, 3, S, S); or maps of frozen layers, (B, D), which the trunk takes in
            their place.
        labels: task name -> class index, int64, shape (B,); :data:`MISSING` where unlabelled.
        extras: those that the method asks for.
        weights: of each sample's loss, float, (B,); None for 1 each. A mean stays one over the batch: a sample of
            weight 0 leaves less to learn, not more of the others. Only a method that declares
            ``supports_sample_weights`` is given any; a loss that reads no labels ignores them.
        targets: the declared ``regression_targets`` by name, float, (B,); NaN where nobody rated the face.
        soft_labels: task name -> probability of each class, float, (B, K); zeros where unlabelled. Tasks that are
            learned from ``labels`` are not in it. Only a method that declares ``supports_soft_labels`` is given any.
    """

    images: Tensor
    labels: Mapping[str, Tensor]
    extras: Extras = field(default_factory=dict)
    weights: Tensor | None = None
    targets: Mapping[str, Tensor] = field(default_factory=dict)
    soft_labels: Mapping[str, Tensor] = field(default_factory=dict)

    def truth(self, task: str) -> Tensor:
        """Return what a cross-entropy compares logits with: a task's soft labels where there are any, or its labels."""
        return self.soft_labels[task] if task in self.soft_labels else self.labels[task]


@dataclass(frozen=True)
class Prediction:
    """What the test-time path gives.

    Attributes:
        logits: task name -> (B, K).
        features: the feature that the classifier reads, (B, D).
        maps: named pictures' raw material, such as attentive feature maps (B, C, H, W).
        scores: task name -> (B, K), what the logits were made of, where these have no gradient, as a vote has none;
            empty for the logits themselves.
        values: the regression targets' predictions, by name, (B,).
    """

    logits: dict[str, Tensor]
    features: Tensor
    maps: dict[str, Tensor] = field(default_factory=dict)
    scores: dict[str, Tensor] = field(default_factory=dict)
    values: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Player:
    """A set of parameters with an objective of its own.

    Attributes:
        name: the key of its losses in what :meth:`Method.step` returns.
        parameters: what its objective may change, and nothing else.
        decays: whether its learning rate follows the stage's schedule; the warm-up is every player's.
        milestones: of a player that does not follow the schedule: epochs after which its learning rate is multiplied by
            the schedule's ``decay``.
        scales: the multiple of the learning rate that each parameter steps with, one number per
            parameter; empty for 1 everywhere.
        every: the player is updated every N steps of a stage.
        eager_epochs: number of epochs at the start of a stage in which it is updated at every step.
    """

    name: str
    parameters: tuple[nn.Parameter, ...]
    decays: bool = True
    milestones: tuple[int, ...] = ()
    scales: tuple[float, ...] = ()
    every: int = 1
    eager_epochs: int = 0


@dataclass(frozen=True)
class Stage:
    """A part of the training schedule.

    Attributes:
        name: unlike those of the other stages.
        schedule: how long and how.
        players: who trains. Parameters that no player owns are frozen, such as those of a second network; an override
            of ``train`` keeps its batch normalisation in evaluation mode (as ADDL does).
        starts_from: the weights it begins with: the ``last`` ones of the stage before, or those of that stage's
            epoch with the best validation accuracy (ties: the earlier epoch). Nothing to the first stage.
    """

    name: str
    schedule: Schedule
    players: tuple[Player, ...]
    starts_from: Literal["last", "best_val"] = "last"


@dataclass(frozen=True)
class WatchBounds:
    """Bounds of a watched scalar's mean over an epoch; a value outside is a sign of collapse.

    Attributes:
        low: smallest expected value.
        high: largest expected value.
        meaning: what a value outside means, and what to do, in words.
    """

    low: float
    high: float
    meaning: str


class Method(nn.Module, ABC):
    """A registered method: its networks, its stages and its step.

    Attributes:
        declared: what the method is, apart from its networks.
        config: the parameters that this instance was built with.
        classes: class names by task.
    """

    declared: ClassVar[Declaration]
    config: Settings

    def __init__(self, config: Settings, classes: Classes) -> None:
        super().__init__()
        self.config = config
        self.classes = {task: tuple(names) for task, names in classes.items()}
        self._frozen: tuple[nn.Module, ...] = ()

    @property
    def name(self) -> str:
        """Return the name in the registry, the parameters file and the pipeline."""
        return self.declared.name

    @property
    def variant(self) -> str:
        """Return the name of this configuration in tables."""
        return self.declared.variant_name(self.config)

    @property
    def prerequisites(self) -> tuple[str, ...]:
        """Return the names of the trained models that this configuration is given for its training."""
        return self.declared.prerequisites_of(self.config)

    @property
    def watch_bounds(self) -> Mapping[str, WatchBounds]:
        """Return the bounds of watched scalars, by player and name, such as ``main/watch/importance_gender``.

        The trainer warns when a scalar leaves its bounds. The default has none. A name that no step returns has no
        effect.
        """
        return {}

    def shared_parameters(self) -> Sequence[nn.Parameter]:
        """Return the parameters on which the trainer compares the terms of the first player's loss.

        In the middle of each epoch it logs each term's share of their gradient as ``watch/gradient_share_<term>``. The
        default has none.
        """
        return ()

    @abstractmethod
    def stages(self) -> Sequence[Stage]:
        """Return the training schedule."""

    def on_epoch_start(self, stage: Stage, epoch: int) -> None:
        """Prepare for an epoch, which starts or resumes.

        A method for which no epoch starts, such as one that only predicts, uses all of its parts.

        Args:
            stage: the stage of the epoch.
            epoch: its number within the stage, from 0.
        """

    @abstractmethod
    def step(self, batch: Batch, stage: Stage) -> dict[str, Losses]:
        """Return, for every player of the stage, its named losses, ``total`` among them.

        The trainer may call it twice for a batch, at other weights (:attr:`Schedule.sam_radius`). What it changes
        besides buffers, it changes twice.

        Gradient routes are explicit: the trainer differentiates a player's total with respect to
        that player's parameters alone, and what the graph must not cross is detached here.
        """

    @abstractmethod
    def forward(self, images: Tensor) -> Prediction:
        """Predict at test time from (B, 3, S, S); parts used in training only do not run.

        A method that declares extras takes them as a second argument.
        """

    def representations(self, images: Tensor, *extras: Extras) -> dict[str, Tensor]:
        """Return the features of faces by what they are to stand for, each (B, D); parts that only train may run.

        ``expression`` is what the classifier reads. A method that also learns what expression is not adds
        ``disturbance``. It takes what :meth:`forward` takes.
        """
        prediction: Prediction = self(images, *extras)
        return {"expression": prediction.features}

    def inputs(self, batch: Batch) -> tuple[Any, ...]:
        """Return what :meth:`forward` takes of a batch."""
        return (batch.images, batch.extras) if self.declared.extras else (batch.images,)

    @abstractmethod
    def backbone(self) -> nn.Module:
        """Return the part that a pretrained ResNet may initialise."""

    def freeze(self, last: LastFrozen) -> Self:
        """Let the lower layers of :meth:`backbone` keep their weights and the statistics of batch normalisation.

        Args:
            last: up to where; ``none`` lets all of them learn.

        Raises:
            ParameterError: if the backbone has no such stage, or no stages.
        """
        backbone = self.backbone()
        if isinstance(backbone, StagedTrunk):
            self._frozen = backbone.freeze_until(last)
        elif last != "none":
            raise ParameterError(f"initialisation.frozen_until is {last}, but {self.name} has no stages; give none")
        for layer in self._frozen:
            layer.requires_grad_(False).eval()
        return self

    def train(self, mode: bool = True) -> Self:
        """Set the mode of all parts but the frozen ones."""
        super().train(mode)
        for layer in self._frozen:
            layer.eval()
        return self

    @property
    def frozen_layers(self) -> tuple[nn.Module, ...]:
        """Return the layers that keep their weights, the first ones first."""
        return self._frozen

    @property
    def reads_all_maps(self) -> bool:
        """Return whether it reads the maps of all parts of its trunk; by default those of the last part alone."""
        return False

    def cam_layers(self) -> Sequence[nn.Module]:
        """Return the layers whose maps may show where the method looks (Grad-CAM), the first to the last.

        The deepest one with maps wide enough is taken: of a backbone the last stage, for images as
        large as the papers'. The default offers all parts of :meth:`backbone` that are a stage, that
        is, that have parts of their own.
        """
        return tuple(part for part in self.backbone().children() if any(part.children()))

    def load_prerequisites(self, models: Mapping[str, Checkpoint]) -> Self:
        """Take the trained models of the methods in :attr:`prerequisites`; the default takes none.

        Training needs them, prediction does not: without them a method still predicts, and loads and returns its own
        state.

        Raises:
            CheckpointError: if other models are given.
        """
        if set(models) != set(self.prerequisites):
            raise CheckpointError(f"{self.name} needs the models {list(self.prerequisites)}, given {sorted(models)}")
        return self

    def own_state(self) -> dict[str, Tensor]:
        """Return the state without the prerequisites: what a checkpoint of this method holds."""
        needed = self.prerequisites
        return {key: value for key, value in self.state_dict().items() if key.split(".")[0] not in needed}

    def load_own_state(self, tensors: Mapping[str, Tensor]) -> None:
        """Load what :meth:`own_state` gave.

        Raises:
            CheckpointError: if a key is missing, unexpected or of another shape.
        """
        own = self.own_state()
        wrong = sorted(set(own) ^ set(tensors)) or [key for key in own if own[key].shape != tensors[key].shape]
        if wrong:
            raise CheckpointError(
                f"the checkpoint does not fit {self.name}: {len(wrong)} tensors are missing, unexpected or of another "
                f"shape, the first {wrong[:3]}; it was trained with other parameters or classes"
            )
        with torch.no_grad():
            for key, value in own.items():
                value.copy_(tensors[key])


class NeighbourGenerator(Method):
    """A method that draws semantic neighbours of faces, which a neighbourhood mask asks for."""

    @property
    @abstractmethod
    def side(self) -> int:
        """Return the side in pixels of the images that it takes and draws."""

    @abstractmethod
    def neighbours(self, images: Tensor, noise: float) -> Tensor:
        """Draw a neighbour of each face by torch's random numbers.

        Args:
            images: RGB, normalised as in its training, (B, 3, side, side).
            noise: deviation of what is added to a dimension of the code, in its deviations over the training set.

        Returns:
            (B, 1, side, side) in grey, normalised likewise.
        """


def total(losses: Losses) -> Losses:
    """Add ``total`` to a player's losses: the sum of all terms but those that are only watched."""
    terms = [term.float() for name, term in losses.items() if not name.startswith(WATCH)]
    return losses | {"total": torch.stack(terms).sum()}
