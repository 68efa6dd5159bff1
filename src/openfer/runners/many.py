"""Many runs at once, on the cores and GPUs of one machine or of a cluster, by Ray."""

import logging
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from openfer.errors import OpenferError, ParameterError, RunError
from openfer.io.outbox import OUTBOX
from openfer.optional import optional
from openfer.runners.command import Command, current_command, run_part
from openfer.runners.idempotent import IdempotentRunner, NodesOfACommand
from openfer.runners.units import Unit, order_of, units_of

if TYPE_CHECKING:
    from ray import ObjectRef

log = logging.getLogger(__name__)

_TRIES = 3
"""How often a run is given out again whose process or machine was lost; it resumes from its last checkpoint."""

_CLUSTER = "RAY_ADDRESS"
"""Environment variable: Ray joins this cluster where no address is given."""

_KINDS = {"cpus_per_run": "CPU", "gpus_per_run": "GPU"}
"""Ray's names of what a run has a share of."""


class RayRunner(IdempotentRunner):
    """Gives whole runs to Ray; data, tables and reports are made by the process that was started.

    ``kedro run --runner openfer.runners.RayRunner --runner-params cpus_per_run=2,gpus_per_run=0.5``. All machines need
    the project under the same path, the same environment, and results in a shared folder, or in a bucket, which was
    tried on one machine only. Results do not depend on the machine that trains a run: they equal those of one run after
    the other with as many threads.

    Args:
        is_async: of Kedro; data are loaded and saved one after the other.
        cpus_per_run: CPU cores of each run, and its threads; as many runs at once as the cores allow.
        gpus_per_run: GPUs of each run; 0.5 puts two runs on one GPU.
        address: of a Ray cluster, such as ``auto``; None for the cores and GPUs of this machine.

    Raises:
        ParameterError: if a share is no number, or is more GPUs than this machine has and no cluster is named.
    """

    def __init__(
        self, is_async: bool = False, cpus_per_run: float = 1, gpus_per_run: float = 0, address: str | None = None
    ) -> None:
        super().__init__(is_async=is_async)
        self._shares = {"cpus_per_run": cpus_per_run, "gpus_per_run": gpus_per_run}
        for name, value in self._shares.items():
            if not isinstance(value, int | float) or value < 0:
                raise ParameterError(f"--runner-params gives {name}={value!r}; give a number that is not negative")
        self._address = address
        if gpus_per_run and address is None and _CLUSTER not in os.environ:
            import torch

            refuse_more({"gpus_per_run": gpus_per_run}, {"GPU": torch.cuda.device_count()}, "this machine")

    def _run_all(self, command: NodesOfACommand) -> None:
        command.run_checks()
        units = units_of(command.pipeline)
        order = order_of(units)
        runs = [unit for unit in units.values() if unit.slug is not None]
        with tqdm(total=len(runs), unit="run", desc="runs") as bar, _Ray(self._address, self._shares) as ray:
            while order.is_active():
                ready = [units[name] for name in order.get_ready()]
                ready.sort(key=lambda unit: unit.slug is None)  # runs first: they go on while the rest is made here
                for unit in ready:
                    if ray.takes(unit, command):
                        bar.set_postfix_str(f"{len(ray.running)} running")
                        continue
                    for node in unit.nodes:
                        command.run(node)
                    bar.update(unit.slug is not None)
                    order.done(unit.name)
                if not ready:
                    unit, error = ray.next_finished()
                    self._take_back(unit, error, command)
                    bar.update()
                    bar.set_postfix_str(f"{len(ray.running)} running")
                    order.done(unit.name)

    def _take_back(self, unit: Unit, error: OpenferError | None, command: NodesOfACommand) -> None:
        if error is None:
            log.info("finished    %s", unit.name)
            command.ran_elsewhere(unit.nodes)
            return
        if not command.isolates(unit.nodes[0], error):
            raise error
        for node in unit.nodes:
            command.run(node)  # leaves them out, and what needs them


class _Ray:
    """Ray with the runs that it works on; it starts with the first one.

    Args:
        address: of the cluster, or None.
        shares: ``cpus_per_run`` and ``gpus_per_run``.

    Attributes:
        running: the runs that were given out.
    """

    def __init__(self, address: str | None, shares: Mapping[str, float]) -> None:
        self.running: dict[ObjectRef, Unit] = {}
        self._address, self._shares = address, shares
        self._task: Callable[[Command, list[str], str | None], ObjectRef] | None = None

    def __enter__(self) -> "_Ray":
        return self

    def __exit__(self, *_: object) -> None:
        if self._task is not None:
            import ray

            ray.shutdown()

    def takes(self, unit: Unit, command: NodesOfACommand) -> bool:
        """Give a run out unless it is up to date or cannot run; returns whether it was given out."""
        if unit.slug is None or any(command.failures.without_lost_inputs(node) is not node for node in unit.nodes):
            return False
        if unit.is_done(command.catalog):
            return False
        if self._task is None:
            self._task = self._started()
        log.info("given out   %s", unit.name)
        self.running[self._task(current_command(), [node.name for node in unit.nodes], OUTBOX.command())] = unit
        return True

    def next_finished(self) -> tuple[Unit, OpenferError | None]:
        """Wait for a run to end; returns it with the error that ended it."""
        import ray

        (done,), _ = ray.wait(list(self.running), num_returns=1)
        unit = self.running.pop(done)
        try:
            return unit, ray.get(done)
        except ray.exceptions.RayError as error:
            return unit, RunError(f"{unit.name} was lost {_TRIES + 1} times: {' '.join(str(error).split())[:300]}")

    def _started(self) -> Callable[[Command, list[str], str | None], "ObjectRef"]:
        """Start Ray, or join the cluster; returns what gives out a part of a command."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to anybody
        # Ray's own 15 lets a run starve beside any other program; it has the priority of the process that was started
        os.environ.setdefault("RAY_worker_niceness", "0")
        with optional("ray", "RayRunner"):
            import ray
        dashboard = False if self._address is None else None
        ray.init(
            self._address,
            include_dashboard=dashboard,
            log_to_driver=False,
            logging_level=logging.ERROR,
            configure_logging=False,
        )
        refuse_more(self._shares, ray.cluster_resources(), "Ray")
        # a process for each run: what it took of a GPU's memory is free afterwards
        of_each: dict[str, Any] = {"num_cpus": self._shares["cpus_per_run"], "num_gpus": self._shares["gpus_per_run"]}
        task = ray.remote(max_calls=1, max_retries=_TRIES, **of_each)(run_part)
        return task.remote


def refuse_more(shares: Mapping[str, float], there: Mapping[str, float], where: str) -> None:
    """Refuse a share of each run that is more than all there is.

    Args:
        shares: ``cpus_per_run``, ``gpus_per_run`` or both.
        there: how many there are, by ``CPU`` and ``GPU``; a kind that is not named is not there.
        where: what has them.

    Raises:
        ParameterError: if a share is larger.
    """
    for name, share in shares.items():
        kind = _KINDS[name]
        if share > there.get(kind, 0):
            raise ParameterError(
                f"--runner-params gives {name}={share}, and {where} has {there.get(kind, 0):g} {kind}s in all; give at "
                "most as many, or start a cluster and give its address"
            )
