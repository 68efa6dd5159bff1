"""The players of a stage with their optimisers: one objective each, and only their own parameters."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import torch

from openfer.errors import CheckpointError
from openfer.methods.contract import Losses, Player, Schedule, Stage
from openfer.training import ranks
from openfer.training.device import Plan
from openfer.training.learning_rates import learning_rate
from openfer.training.sharpness import uphill
from openfer.training.stateful import State

Groups = list[dict[str, Any]]
"""Parameters with what is set for them alone, as torch's optimisers take them."""


@dataclass(frozen=True)
class OptimiserKind:
    """An optimiser that a schedule can name.

    Attributes:
        build: from groups of parameters and a schedule.
        fused: whether it skips an update while its ``found_inf`` is 1, as torch's fused forms do.
    """

    build: Callable[[Groups, Schedule], torch.optim.Optimizer]
    fused: bool = True


def _adam(groups: Groups, schedule: Schedule) -> torch.optim.Optimizer:
    return torch.optim.Adam(groups, betas=schedule.betas, fused=True, **_shared(schedule))


def _adamw(groups: Groups, schedule: Schedule) -> torch.optim.Optimizer:
    return torch.optim.AdamW(groups, betas=schedule.betas, fused=True, **_shared(schedule))


def _sgd(groups: Groups, schedule: Schedule) -> torch.optim.Optimizer:
    sgd = torch.optim.SGD(groups, momentum=schedule.momentum, fused=True, **_shared(schedule))
    if schedule.momentum:  # else a first step that float16's scaler skips would leave uninitialised memory there
        sgd.state.update({p: {"momentum_buffer": torch.zeros_like(p)} for group in groups for p in group["params"]})
    return sgd


def _rmsprop(groups: Groups, schedule: Schedule) -> torch.optim.Optimizer:
    return torch.optim.RMSprop(groups, **_shared(schedule))


def _shared(schedule: Schedule) -> dict[str, Any]:
    return {"lr": schedule.learning_rate, "weight_decay": schedule.weight_decay}


OPTIMISERS: Mapping[str, OptimiserKind] = {
    "adam": OptimiserKind(_adam),
    "adamw": OptimiserKind(_adamw),
    "sgd": OptimiserKind(_sgd),
    "rmsprop": OptimiserKind(_rmsprop, fused=False),
}
"""By the name in :attr:`Schedule.optimiser`."""


class Optimisers:
    """An optimiser for every player of one stage, each with a gradient scaler where the plan is float16.

    With losses that are read only every few steps (:attr:`check_every`), a switch on the device
    keeps the weights as they are from the first non-finite total on: the fused optimisers skip their
    update while ``found_inf`` is 1, before the host knows. Losses of an optimiser that is not fused are read at every
    step. It is a :class:`Stateful` part of the run.

    Args:
        stage: whose players train.
        plan: where the parameters live.

    Attributes:
        check_every: steps between two looks at whether the losses are finite.
    """

    def __init__(self, stage: Stage, plan: Plan) -> None:
        self._stage = stage = replace(stage, players=tuple(_unfrozen(player) for player in stage.players))
        self.check_every = plan.check_every if OPTIMISERS[stage.schedule.optimiser].fused else 1
        self._held = torch.zeros((), device=plan.device) if self.check_every > 1 else None
        self._players = {player.name: player for player in stage.players}
        self._optimisers = {player.name: _optimiser(stage.schedule, player) for player in stage.players}
        for optimiser in self._optimisers.values():
            if self._held is not None:
                optimiser.found_inf = self._held  # type: ignore[attr-defined]
        scaled = plan.dtype == torch.float16
        self._scalers = {name: torch.amp.GradScaler(plan.device.type, enabled=scaled) for name in self._optimisers}

    def set_epoch(self, epoch: int) -> dict[str, float]:
        """Set the learning rates of epoch ``epoch``, counted from 0, and return them by player."""
        rates = {player.name: learning_rate(self._stage, player, epoch) for player in self._stage.players}
        for name, rate in rates.items():
            for group in self._optimisers[name].param_groups:
                group["lr"] = rate * group["scale"]
        return rates

    def step(
        self,
        losses: Mapping[str, Losses],
        number: int = 0,
        epoch: int = 0,
        again: Callable[[], Mapping[str, Losses]] | None = None,
    ) -> None:
        """Differentiate the totals of those whose turn it is by their own parameters, then update them all at once.

        All gradients are taken at the same weights: no player sees another one's update of this step. With a
        ``sam_radius`` each of them moves uphill by its own gradient first, and all gradients are taken there.

        Args:
            losses: of every player.
            number: of the step in the stage, from 0; by it players take turns.
            epoch: in which it is, from 0.
            again: computes the losses of the same batch at the weights of the moment; two-pass steps call it.

        Raises:
            ValueError: if a two-pass step is not given ``again``.
        """
        self._hold_back(losses)
        players = [player for player in self._stage.players if takes_part(player, number, epoch)]
        self._differentiate(losses, players)
        radius = self._stage.schedule.sam_radius
        if radius is not None:
            if again is None:
                raise ValueError("sam_radius needs the losses twice; give step the function that computes them again")
            with ExitStack() as moved:
                for player in players:
                    moved.enter_context(uphill(player.parameters, radius))
                second = again()
                self._hold_back(second)
                self._differentiate(second, players)
        for player in players:
            self._clip(player)
            self._scalers[player.name].step(self._optimisers[player.name])
            self._scalers[player.name].update()

    def _hold_back(self, losses: Mapping[str, Losses]) -> None:
        """Let no update follow, from now on, if a total is not finite."""
        if self._held is not None:
            totals = torch.stack([terms["total"].detach().float() for terms in losses.values()])
            torch.maximum(self._held, (~totals.isfinite()).any().float(), out=self._held)

    def _differentiate(self, losses: Mapping[str, Losses], players: Sequence[Player]) -> None:
        for optimiser in self._optimisers.values():
            optimiser.zero_grad(set_to_none=True)
        for player in players:
            total = self._scalers[player.name].scale(losses[player.name]["total"])
            torch.autograd.backward(total, inputs=player.parameters, retain_graph=player is not players[-1])
            ranks.average([parameter.grad for parameter in player.parameters if parameter.grad is not None])

    def _clip(self, player: Player) -> None:
        """Scale a player's gradient down to the schedule's largest norm, over all of its parameters together."""
        if self._stage.schedule.clip_norm is not None:
            self._scalers[player.name].unscale_(self._optimisers[player.name])
            torch.nn.utils.clip_grad_norm_(player.parameters, self._stage.schedule.clip_norm)

    def state(self) -> State:
        """Return every optimiser's state as ``<player>/<number of the parameter>/<name>``, and the scalers' facts."""
        tensors = {
            f"{name}/{number}/{key}": value
            for name, optimiser in self._optimisers.items()
            for number, parameter in enumerate(self._players[name].parameters)
            for key, value in optimiser.state[parameter].items()
        }
        return State(tensors, {name: dict(scaler.state_dict()) for name, scaler in self._scalers.items()})

    def restore(self, state: State) -> None:
        """Continue from what :meth:`state` returned.

        Raises:
            CheckpointError: if the state is of other players or parameters.
        """
        for path, value in state.tensors.items():
            name, number, key = path.rsplit("/", 2)
            parameters = self._players[name].parameters if name in self._players else ()
            if int(number) >= len(parameters):
                raise CheckpointError(f"the optimiser state {path} belongs to no parameter of stage {self._stage.name}")
            parameter = parameters[int(number)]
            # In the parameter's own memory layout, which the fused update relies upon.
            like = parameter if value.shape == parameter.shape else value
            restored = torch.empty_like(like, dtype=value.dtype, device=parameter.device, requires_grad=False)
            self._optimisers[name].state[parameter][key] = restored.copy_(value)
        for name, scaler in state.facts.items():
            if scaler:
                self._scalers[name].load_state_dict(scaler)


def _unfrozen(player: Player) -> Player:
    """Return a player without the parameters of frozen layers, which have no gradient."""
    scales = player.scales or (1.0,) * len(player.parameters)
    members = [(p, own) for p, own in zip(player.parameters, scales, strict=True) if p.requires_grad]
    return replace(player, parameters=tuple(p for p, _ in members), scales=tuple(own for _, own in members))


def _optimiser(schedule: Schedule, player: Player) -> torch.optim.Optimizer:
    """Build a player's optimiser, with a group of parameters for each multiple of the learning rate."""
    members = list(zip(player.parameters, player.scales, strict=True))
    scales = dict.fromkeys(player.scales)
    groups = [{"params": [p for p, own in members if own == scale], "scale": scale} for scale in scales]
    return OPTIMISERS[schedule.optimiser].build(groups, schedule)


def takes_part(player: Player, step: int, epoch: int) -> bool:
    """Return whether a player steps in a step of its stage; both are counted from 0."""
    return epoch < player.eager_epochs or (step + 1) % player.every == 0
