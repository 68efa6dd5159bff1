"""ESR with attention and diversity: an ensemble of branches on a shared base, grown one branch at a time.

ESR: Siqueira, Magg and Wermter, AAAI 2020. CBAM behind every layer and the diversity of the branches' attention:
Heidari and Iosifidis, 2022. Where the papers are silent their public code decides, and the docstrings say so.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from openfer.labels import RAF_DB
from openfer.losses.diversity import diversity_of, similarity_by_sample
from openfer.losses.masked_cross_entropy import masked_cross_entropy
from openfer.methods.contract import (
    Batch,
    Classes,
    Losses,
    Method,
    Player,
    Prediction,
    Stage,
    WatchBounds,
    total,
)
from openfer.methods.declared.esr import METHOD, ESRSettings
from openfer.methods.watching import diversity_bounds, watched_similarity
from openfer.nn.esr_network import FEATURES, ESRNetwork, stack_gates
from openfer.nn.vote import majority_vote

_STAGE = "branch_"


class ESR(Method):
    """One player; a stage per branch, each from the best ensemble of the one before.

    Prediction is the majority vote of the branches. Within training those vote that have been classified with so far.
    """

    declared = METHOD
    config: ESRSettings

    def __init__(self, config: ESRSettings, classes: Classes) -> None:
        super().__init__(config, classes)
        count = len(self.classes["expression"])
        self.network = ESRNetwork(config.branches, attention=config.attention, gate_momentum=config.gate_momentum)
        self.heads = nn.ModuleList(nn.Linear(FEATURES, count) for _ in range(config.branches))
        self.voters = config.early_exit or config.branches

    @property
    def watch_bounds(self) -> Mapping[str, WatchBounds]:
        """Return the bounds of diversity's share of the base's gradient."""
        return diversity_bounds(self.config.diversify)

    def shared_parameters(self) -> Sequence[nn.Parameter]:
        """Return those of the base, which all branches share."""
        return tuple(self.network.base.parameters())

    def stages(self) -> Sequence[Stage]:
        """Return a stage per branch: the new branch at the full learning rate, the rest more slowly."""
        return tuple(self._stage(number) for number in range(1, self.config.branches + 1))

    def on_epoch_start(self, stage: Stage, epoch: int) -> None:
        """Let those branches vote that are classified with by the end of the stage."""
        self.voters = _number(stage)

    def step(self, batch: Batch, stage: Stage) -> dict[str, Losses]:
        """Return the sum of the branches' cross-entropies minus their diversity (Eq. 4).

        Every parameter of the player gets the gradients of all terms.
        """
        voters = _number(stage)
        outputs = self.network(batch.images, self._present(voters))
        truth = batch.truth("expression")
        losses = {
            "classification": torch.stack(
                [
                    masked_cross_entropy(head(output.feature), truth, batch.weights)
                    for head, output in zip(self.heads, outputs[:voters], strict=False)
                ]
            ).sum()
        }
        if self.config.attention and len(outputs) > 1:
            for kind, gates in zip(("channel", "spatial"), stack_gates(outputs), strict=True):
                diversity, similarity = diversity_of(gates, self.config.diversity)
                if kind in self.config.diversify:
                    losses[f"diversity_{kind}"] = -self.config.diversity.weight * diversity
                losses |= watched_similarity(kind, similarity)
        return {"main": total(losses)}

    def forward(self, images: Tensor) -> Prediction:
        """Vote; the feature is all branches' in a row, the maps are their last spatial gates, (B, h, w) each."""
        outputs = self.network(images, self.voters)
        logits = self._logits([output.feature for output in outputs])
        gates = stack_gates(outputs)[1] if self.config.attention else ()
        maps = {f"branch {number}": gate for number, gate in enumerate(gates, start=1)}
        feature = torch.cat([output.feature for output in outputs], dim=1)
        votes = majority_vote(logits, self.config.ties, self._order())
        return Prediction({"expression": votes}, feature, maps, scores={"expression": logits.mean(0)})

    def branch_logits(self, images: Tensor) -> Tensor:
        """Return what every branch says, (B, L, K), those behind an early exit too."""
        outputs = self.network(images, self.config.branches)
        return self._logits([output.feature for output in outputs]).transpose(0, 1)

    def similarities(self, images: Tensor) -> dict[str, Tensor]:
        """Return how similar all branches' gates are for every image, by kind, (B, L, L); empty without attention."""
        if not self.config.attention:
            return {}
        settings = self.config.diversity
        gates = zip(("channel", "spatial"), stack_gates(self.network(images, self.config.branches)), strict=True)
        return {kind: similarity_by_sample(own, settings.gamma, settings.distance) for kind, own in gates}

    def backbone(self) -> nn.Module:
        """Return base and branches, and the classifiers if these are kept in fine-tuning."""
        kept = self.config.growth.keep_classifiers
        return _WithClassifiers(self.network, self.heads) if kept else self.network

    def cam_layers(self) -> Sequence[nn.Module]:
        """Return the base's layers: what all branches look at."""
        return tuple(self.network.base.layers)

    def _logits(self, features: Sequence[Tensor]) -> Tensor:
        return torch.stack([head(feature) for head, feature in zip(self.heads, features, strict=False)])

    def _order(self) -> list[int] | None:
        """Return the class indices in the order in which a tie is broken; None for openfer's own order."""
        names = list(self.classes["expression"])
        if self.config.ties != "raf_db":
            return None
        ordered = [name for name in RAF_DB.values() if name in names]
        return [names.index(name) for name in (*ordered, *(name for name in names if name not in ordered))]

    def _present(self, voters: int) -> int:
        return self.config.branches if self.config.growth.fine_tuning else voters

    def _stage(self, number: int) -> Stage:
        growth, schedule = self.config.growth, self.config.schedule
        scales = dict.fromkeys(self.network.base.parameters(), 1.0 if number == 1 else growth.kept_rate)
        for index, (branch, head) in enumerate(zip(self.network.branches, self.heads, strict=True)):
            if index < self._present(number):
                rate = 1.0 if index == number - 1 else growth.kept_rate
                scales |= {parameter: rate for part in (branch, head) for parameter in part.parameters()}
        if number > 1:
            schedule = schedule.model_copy(update={"epochs": growth.epochs})
        player = Player("main", tuple(scales), scales=tuple(scales.values()))
        return Stage(f"{_STAGE}{number}", schedule, (player,), starts_from="best_val")


class _WithClassifiers(nn.Module):
    """Base, branches and classifiers by the names of a trained ESR; its tensors are theirs."""

    def __init__(self, network: ESRNetwork, heads: nn.ModuleList) -> None:
        super().__init__()
        self.base, self.branches, self.heads = network.base, network.branches, heads

    def is_required(self, name: str) -> bool:
        """Return whether a tensor is of a classifier."""
        return name.startswith("heads.")


def _number(stage: Stage) -> int:
    return int(stage.name.removeprefix(_STAGE))
