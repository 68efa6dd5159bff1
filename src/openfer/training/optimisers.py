"""The players of a stage with their optimisers: one objective each, and only their own parameters."""

from collections.abc import Mapping
from typing import Any

import torch

from openfer.errors import CheckpointError
from openfer.methods.contract import Losses, Player, Schedule, Stage
from openfer.training.device import Plan
from openfer.training.stateful import State


class Optimisers:
    """Adam, SGD or RMSprop for every player of one stage, and a gradient scaler for each where the plan is float16.

    With losses that are read only every few steps (:attr:`check_every`), a switch on the device
    keeps the weights as they are from the first non-finite total on: the fused optimisers skip their
    update while ``found_inf`` is 1, without the host knowing yet. RMSprop has no fused form in torch,
    and its losses are read at every step.

    Args:
        stage: whose players train.
        plan: where the parameters live.

    Attributes:
        check_every: steps between two looks at whether the losses are finite.
    """

    def __init__(self, stage: Stage, plan: Plan) -> None:
        self._stage = stage
        self.check_every = 1 if stage.schedule.optimiser == "rmsprop" else plan.check_every
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

    def step(self, losses: Mapping[str, Losses], number: int = 0, epoch: int = 0) -> None:
        """Differentiate the totals of those whose turn it is by their own parameters, then update them all at once.

        All gradients are taken at the same weights: no player sees another one's update of this step.

        Args:
            losses: of every player.
            number: of the step in the stage, from 0; by it players take turns.
            epoch: in which it is, from 0.
        """
        if self._held is not None:
            totals = torch.stack([terms["total"].detach().float() for terms in losses.values()])
            torch.maximum(self._held, (~totals.isfinite()).any().float(), out=self._held)
        for optimiser in self._optimisers.values():
            optimiser.zero_grad(set_to_none=True)
        taking_part = [player for player in self._stage.players if takes_part(player, number, epoch)]
        for player in taking_part:
            total = self._scalers[player.name].scale(losses[player.name]["total"])
            torch.autograd.backward(total, inputs=player.parameters, retain_graph=player is not taking_part[-1])
        for player in taking_part:
            self._scalers[player.name].step(self._optimisers[player.name])
            self._scalers[player.name].update()

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


def _optimiser(schedule: Schedule, player: Player) -> torch.optim.Optimizer:
    """Build a player's optimiser, with a group of parameters for each multiple of the learning rate."""
    scales = player.scales or (1.0,) * len(player.parameters)
    members = list(zip(player.parameters, scales, strict=True))
    groups = [{"params": [p for p, own in members if own == scale], "scale": scale} for scale in dict.fromkeys(scales)]
    shared: dict[str, Any] = {"lr": schedule.learning_rate, "weight_decay": schedule.weight_decay}
    if schedule.optimiser == "rmsprop":
        return torch.optim.RMSprop(groups, **shared)
    shared["fused"] = True
    if schedule.optimiser == "sgd":
        sgd = torch.optim.SGD(groups, momentum=schedule.momentum, **shared)
        if schedule.momentum:  # else a first step that float16's scaler skips would leave uninitialised memory there
            sgd.state.update({p: {"momentum_buffer": torch.zeros_like(p)} for p in player.parameters})
        return sgd
    return torch.optim.Adam(groups, betas=schedule.betas, **shared)


def takes_part(player: Player, step: int, epoch: int) -> bool:
    """Return whether a player steps in a step of its stage; both are counted from 0."""
    return epoch < player.eager_epochs or (step + 1) % player.every == 0


def learning_rate(stage: Stage, player: Player, epoch: int) -> float:
    """Return a player's learning rate in an epoch, counted from 0.

    It is multiplied by ``decay`` after each milestone that ``epoch`` epochs have reached; a player
    that does not decay keeps the first one.
    """
    schedule = stage.schedule
    reached = sum(milestone <= epoch for milestone in schedule.milestones) if player.decays else 0
    return schedule.learning_rate * schedule.decay**reached
